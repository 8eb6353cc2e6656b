/*
 * The work between the matrix products, a row at a time: a row's result depends on that row alone, and on nothing of
 * where it stands or what else is in the batch. kernels.c is compiled once for each instruction set;
 * jc_dnn_kernels_find gives what this processor runs best. All sums are float32; no row needs to be aligned.
 * What is not finite, of the inputs or by overflow on the way, leaves the row it is in (of attention: the head's part of
 * each row that meets it) not finite, the same on every instruction set.
 */
#ifndef JC_DNN_KERNELS_H
#define JC_DNN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define JC_DNN_LANES 16 /* floats of the widest vector */

/* Floats that may be read, and are then ignored, behind a row of sums and what belongs to its columns. */
#define JC_DNN_SLACK JC_DNN_LANES

/* The least stride of a rotation: see jc_dnn_kernels. Whole vectors, of every instruction set, whenever n is a power of
 * 2 or three times one. */
#define JC_DNN_STRIDE 32

/* A layer norm's parameters, [n] each. */
struct jc_dnn_norm {
    const float *weight, *bias;
    float eps;
};

/* Input channels that an 8-bit layer takes in float32: see linear.h. */
#define JC_DNN_OUTLIERS 4

/*
 * How a row of 8-bit products becomes one of numbers:
 *     y[j] = row[j] * scale * scales[j] + bias[j] + sum of factors[f] * weights[f][j]
 * since the row was quantised as (u8 - zero) * scale and column j of the weights as s8 * scales[j]. The sum has the
 * outlier channels, and the zero point: factor -zero * scale, weight the sum of the column's s8 times scales[j].
 * scales: NULL where the row is of float32 products, y[j] = row[j] + bias[j].
 */
#define JC_DNN_TERMS (JC_DNN_OUTLIERS + 1) /* the zero point's is the last */
struct jc_dnn_columns {
    const float *bias, *scales; /* [n] and JC_DNN_SLACK */
    const float *weights;       /* [JC_DNN_TERMS][stride] */
    size_t stride;              /* n + JC_DNN_SLACK */
};
struct jc_dnn_quantum {
    float scale;
    float factors[JC_DNN_TERMS];
};

/* The input channels of an 8-bit layer: what is quantised is rotate(x[k] * factors[k] - shifts[k]). */
struct jc_dnn_channels {
    const float *factors, *shifts;      /* [n]; of an outlier 0 */
    uint32_t outliers[JC_DNN_OUTLIERS]; /* channels; one may stand here twice where its weights are 0 */
};

struct jc_dnn_kernels {
    const char *name; /* "avx512", "avx2", "generic" */

    /* x = norm(word + position) */
    void (*embed)(const float *word, const float *position, const struct jc_dnn_norm *norm, size_t n, float *x);

    /* In place, products to numbers. `row` is float32, or int32 where there are scales. */
    void (*finish)(float *row, const struct jc_dnn_columns *columns, const struct jc_dnn_quantum *quantum, size_t n);

    /* The same, then GELU: y Phi(y). Off by less than 1e-6. */
    void (*finish_gelu)(float *row, const struct jc_dnn_columns *columns, const struct jc_dnn_quantum *quantum,
                        size_t n);

    /* The same, then x = norm(x + y). `row` is used up. */
    void (*finish_norm)(float *row, const struct jc_dnn_columns *columns, const struct jc_dnn_quantum *quantum,
                        const struct jc_dnn_norm *norm, size_t n, float *x);

    /* In place, R x: for each stride n / 2, n / 4, ... that is whole and at least JC_DNN_STRIDE, the sums and the
     * differences of the pairs that stand so far apart. R R^T is the whole number it returns, a power of 2, times the
     * identity. Additions alone: the same on every instruction set. */
    float (*rotate)(float *x, size_t n);

    /* The channels as 8-bit numbers over the row's own range, 0 included exactly; a scale that is not finite where the
     * range is none. scratch [n]. */
    void (*quantize)(const float *x, const struct jc_dnn_channels *channels, size_t n, float *scratch, uint8_t *ret_row,
                     struct jc_dnn_quantum *ret_quantum);

    /* Attention within one text. qkv [n_tokens][3][heads][dim], scores scaled already; context [n_tokens][heads][dim].
     * scratch: jc_dnn_attend_scratch floats. */
    void (*attend)(const float *qkv, size_t n_tokens, size_t heads, size_t dim, float *scratch, float *context);
};

#define JC_DNN_ATTEND_ROWS 4 /* queries that attention takes at once */
size_t jc_dnn_attend_scratch(size_t max_tokens, size_t dim);

/* The best for this processor and for ONEDNN_MAX_CPU_ISA; static storage. */
const struct jc_dnn_kernels *jc_dnn_kernels_find(void);

/* By name; NULL where there is none, or this processor lacks it. For tests. */
const struct jc_dnn_kernels *jc_dnn_kernels_get(const char *name);

#endif
