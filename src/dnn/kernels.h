/*
 * The work between the matrix products, a row at a time: a row's result depends on that row alone, and on nothing of
 * where it stands or what else is in the batch. kernels.c is compiled once for each instruction set;
 * jc_dnn_kernels_find gives what this processor runs best. All sums are float32; no row needs to be aligned.
 */
#ifndef JC_DNN_KERNELS_H
#define JC_DNN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Floats that may be read, and are then ignored, behind a row of sums and what belongs to its columns. */
#define JC_DNN_SLACK 16

/* A layer norm's parameters, [n] each. */
struct jc_dnn_norm {
    const float *weight, *bias;
    float eps;
};

/* Input channels that an 8-bit layer takes in float32: see linear.h. */
#define JC_DNN_OUTLIERS 8

/*
 * How a row of 8-bit products becomes one of numbers:
 *     y[j] = row[j] * scale * scales[j] + bias[j] + sum of factors[f] * weights[f][j]
 * since the row was quantised as x = (u8 - zero) * scale and column j of the weights as s8 * scales[j]. The sum has the
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

/* The input channels of an 8-bit layer. */
struct jc_dnn_channels {
    const float *factors;               /* [n]; of an outlier 0 */
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

    /* x[k] * factors[k] as 8-bit numbers over the row's own range, 0 included exactly. */
    void (*quantize)(const float *x, const struct jc_dnn_channels *channels, size_t n, uint8_t *ret_row,
                     struct jc_dnn_quantum *ret_quantum);

    /* largest[k] = max(largest[k], |x[k]|), sums[k] += x[k] */
    void (*measure)(const float *x, size_t n, float *largest, float *sums);

    /* Attention within one text. qkv [n_tokens][3][heads][dim], scores scaled already; context [n_tokens][heads][dim].
     * scratch: jc_dnn_attend_scratch floats. */
    void (*attend)(const float *qkv, size_t n_tokens, size_t heads, size_t dim, float *scratch, float *context);
};

size_t jc_dnn_attend_scratch(size_t max_tokens, size_t dim);

/* The best for this processor and for ONEDNN_MAX_CPU_ISA; static storage. */
const struct jc_dnn_kernels *jc_dnn_kernels_find(void);

/* By name; NULL where there is none, or this processor lacks it. For tests. */
const struct jc_dnn_kernels *jc_dnn_kernels_get(const char *name);

#endif
