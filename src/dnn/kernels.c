/* The kernels for one instruction set, which simd.h tells; JC_DNN_KERNELS is the table's symbol, JC_DNN_NAME its
 * name. */
#include "dnn/kernels.h"

#include <math.h>
#include <stdbool.h>

#include "dnn/simd.h"

extern const struct jc_dnn_kernels JC_DNN_KERNELS;

#define INLINE static inline __attribute__((always_inline))

enum { ROWS = JC_DNN_ATTEND_ROWS }; /* each key and value is loaded once for all of them */

_Static_assert(V <= JC_DNN_LANES && V <= JC_DNN_SLACK && JC_DNN_STRIDE % V == 0, "kernels.h knows the widest vector");

/* y, but NaN where x is not finite. Minima and maxima may lose a NaN, and which ones do is the processor's choice. */
INLINE vec v_taint(vec y, vec x)
{
    return v_fma(x, v_set(0.0f), y);
}

/* e^x for x <= 0, to 2 units in the last place; under -87 it is as at -87. x = n ln 2 + r, |r| <= ln 2 / 2, ln 2 in two
 * parts; the polynomial is that of Cephes' expf. */
INLINE vec exp_negative(vec x)
{
    x = v_max(x, v_set(-87.0f));
    vec n = v_round(x * v_set(1.44269504088896341f));
    vec r = v_fma(n, v_set(-0.693359375f), x);
    r = v_fma(n, v_set(2.12194440e-4f), r);
    vec p = v_set(1.9875691500e-4f);
    p = v_fma(p, r, v_set(1.3981999507e-3f));
    p = v_fma(p, r, v_set(8.3334519073e-3f));
    p = v_fma(p, r, v_set(4.1665795894e-2f));
    p = v_fma(p, r, v_set(1.6666665459e-1f));
    p = v_fma(p, r, v_set(5.0000001201e-1f));
    p = v_fma(p, r * r, r + v_set(1.0f));
    return v_scale(p, n);
}

/*
 * x Phi(x) = max(x, 0) - g(|x|), g(a) = a Phi(-a), which is smooth and under 3e-7 beyond 5.5. The polynomial in
 * t = a 2 / 5.5 - 1 is the minimax fit on 0..5.5 (Lawson's iteration over Chebyshev points); with float32 steps the
 * result is off by less than 6e-7. No division, no exponential.
 */
INLINE vec gelu(vec x)
{
    static const float c[] = {
        -0.015176830813288689f, -0.0008053542696870863f, 0.09689599275588989f, -0.036408018320798874f,
        -0.25370559096336365f,  0.23084063827991486f,    0.2695963680744171f,  -0.5440987348556519f,
        0.15256062150001526f,   0.4592227339744568f,     -0.6286078095436096f, 0.2605161666870117f,
        0.17898105084896088f,   -0.30868977308273315f,   0.1912619024515152f,  -0.06057775020599365f,
        0.008194380439817905f,
    };
    enum { N = sizeof c / sizeof c[0] }; /* odd: two chains of even and odd powers, which run side by side */
    vec t = v_fma(v_min(v_abs(x), v_set(5.5f)), v_set(2.0f / 5.5f), v_set(-1.0f)), square = t * t;
    vec even = v_set(c[0]), odd = v_set(c[1]);
    for (size_t i = 2; i < N - 1; i += 2) {
        even = v_fma(even, square, v_set(c[i]));
        odd = v_fma(odd, square, v_set(c[i + 1]));
    }
    vec p = v_fma(odd, t, v_fma(even, square, v_set(c[N - 1])));
    return v_max(x, v_set(0.0f)) - v_taint(p, x);
}

/* A row of 8-bit products to numbers. Its factors stay in registers; slack behind the row and the columns lets whole
 * vectors be read. */
struct terms {
    const int32_t *row;
    const float *bias, *scales, *weights;
    size_t stride;
    vec scale, factors[JC_DNN_TERMS];
};

INLINE struct terms prepare_terms(const float *row, const struct jc_dnn_columns *columns,
                                  const struct jc_dnn_quantum *quantum)
{
    struct terms terms = {.row = (const int32_t *)(const void *)row,
                          .bias = columns->bias,
                          .scales = columns->scales,
                          .weights = columns->weights,
                          .stride = columns->stride,
                          .scale = v_set(quantum->scale)};
    for (size_t f = 0; f < JC_DNN_TERMS; f++)
        terms.factors[f] = v_set(quantum->factors[f]);
    return terms;
}

INLINE vec add_terms(const struct terms *terms, size_t i)
{
    vec y = v_fma(v_load_i32(terms->row + i), v_load(terms->scales + i) * terms->scale, v_load(terms->bias + i));
    for (size_t f = 0; f < JC_DNN_TERMS; f++)
        y = v_fma(terms->factors[f], v_load(terms->weights + f * terms->stride + i), y);
    return y;
}

INLINE void finish_row(float *row, const struct jc_dnn_columns *columns, const struct jc_dnn_quantum *quantum, size_t n,
                       bool with_gelu)
{
    size_t i = 0;
    if (columns->scales) {
        const struct terms terms = prepare_terms(row, columns, quantum);
        for (; i < n; i += V) {
            vec y = add_terms(&terms, i);
            v_store_part(row + i, with_gelu ? gelu(y) : y, v_lanes(n, i));
        }
        return;
    }
    for (; i < n; i += V) {
        size_t m = v_lanes(n, i);
        vec y = v_load_part(row + i, m) + v_load_part(columns->bias + i, m);
        v_store_part(row + i, with_gelu ? gelu(y) : y, m);
    }
}

static void finish(float *row, const struct jc_dnn_columns *columns, const struct jc_dnn_quantum *quantum, size_t n)
{
    finish_row(row, columns, quantum, n, false);
}

static void finish_gelu(float *row, const struct jc_dnn_columns *columns, const struct jc_dnn_quantum *quantum,
                        size_t n)
{
    finish_row(row, columns, quantum, n, true);
}

/* x = norm(y), where `sum` is the sum of y's vectors. The squares are of differences to the mean: no cancellation. */
INLINE void normalize(const float *y, vec sum, const struct jc_dnn_norm *norm, size_t n, float *x)
{
    vec mean = v_set(v_sum(sum) / (float)n), squares = v_set(0.0f);
    for (size_t i = 0; i < n; i += V) {
        size_t m = v_lanes(n, i);
        vec d = v_load_part(y + i, m) - mean;
        if (m < V)
            d = v_keep_n(d, m, 0.0f);
        squares = v_fma(d, d, squares);
    }
    float variance = v_sum(squares) / (float)n;
    /* Differences whose squares overflow must not become zeros. */
    vec factor = v_taint(v_set(1.0f / sqrtf(variance + norm->eps)), v_set(variance));
    for (size_t i = 0; i < n; i += V) {
        size_t m = v_lanes(n, i);
        vec d = (v_load_part(y + i, m) - mean) * factor;
        v_store_part(x + i, v_fma(d, v_load_part(norm->weight + i, m), v_load_part(norm->bias + i, m)), m);
    }
}

static void finish_norm(float *row, const struct jc_dnn_columns *columns, const struct jc_dnn_quantum *quantum,
                        const struct jc_dnn_norm *norm, size_t n, float *x)
{
    vec sum = v_set(0.0f);
    finish(row, columns, quantum, n);
    for (size_t i = 0; i < n; i += V) {
        size_t m = v_lanes(n, i);
        vec y = v_load_part(row + i, m) + v_load_part(x + i, m);
        v_store_part(row + i, y, m);
        sum = sum + y;
    }
    normalize(row, sum, norm, n, x);
}

static void embed(const float *word, const float *position, const struct jc_dnn_norm *norm, size_t n, float *x)
{
    vec sum = v_set(0.0f);
    for (size_t i = 0; i < n; i += V) {
        size_t m = v_lanes(n, i);
        vec y = v_load_part(word + i, m) + v_load_part(position + i, m);
        v_store_part(x + i, y, m);
        sum = sum + y;
    }
    normalize(x, sum, norm, n, x);
}

/* Sums and differences of the `radix` floats that stand `stride` apart, from the first `stride` of x on. */
INLINE void turn(float *x, size_t stride, size_t radix)
{
    for (size_t i = 0; i < stride; i += V) {
        const size_t m = v_lanes(stride, i);
        vec y[8];
        for (size_t j = 0; j < radix; j++)
            y[j] = v_load_part(x + j * stride + i, m);
        for (size_t half = radix / 2; half; half /= 2) {
            for (size_t j = 0; j < radix; j++) {
                if (j & half)
                    continue;
                vec sum = y[j] + y[j + half];
                y[j + half] = y[j] - y[j + half];
                y[j] = sum;
            }
        }
        for (size_t j = 0; j < radix; j++)
            v_store_part(x + j * stride + i, y[j], m);
    }
}

static float rotate(float *x, size_t n)
{
    size_t block = n;
    while (block % 2 == 0 && block / 2 >= JC_DNN_STRIDE) {
        const size_t radix = block % 8 == 0 && block / 8 >= JC_DNN_STRIDE   ? 8
                             : block % 4 == 0 && block / 4 >= JC_DNN_STRIDE ? 4
                                                                            : 2;
        for (size_t first = 0; first < n; first += block) {
            if (radix == 8)
                turn(x + first, block / 8, 8);
            else if (radix == 4)
                turn(x + first, block / 4, 4);
            else
                turn(x + first, block / 2, 2);
        }
        block /= radix;
    }
    return (float)(n / block);
}

static void quantize(const float *x, const struct jc_dnn_channels *channels, size_t n, float *scratch, uint8_t *ret_row,
                     struct jc_dnn_quantum *ret_quantum)
{
    for (size_t i = 0; i < n; i += V) {
        size_t m = v_lanes(n, i);
        vec shift = v_set(0.0f) - v_load_part(channels->shifts + i, m);
        v_store_part(scratch + i, v_fma(v_load_part(x + i, m), v_load_part(channels->factors + i, m), shift), m);
    }
    rotate(scratch, n);
    vec low = v_set(0.0f), high = v_set(0.0f), nothing = v_set(0.0f);
    for (size_t i = 0; i < n; i += V) {
        vec y = v_load_part(scratch + i, v_lanes(n, i));
        low = v_min(low, y);
        high = v_max(high, y);
        nothing = v_taint(nothing, y);
    }
    float below = v_largest(v_set(0.0f) - low), range = below + v_largest(high) + v_sum(nothing);
    float scale = range == 0 ? 1.0f : range / 255.0f;
    vec per_step = v_set(1.0f / scale), least = v_set(0.0f), most = v_set(255.0f);
    vec zero = v_min(v_max(v_round(v_set(below / scale)), least), most);
    for (size_t i = 0; i < n; i += V) {
        size_t m = v_lanes(n, i);
        vec y = v_min(v_max(v_round(v_load_part(scratch + i, m) * per_step) + zero, least), most);
        if (m == V) {
            v_store_u8(ret_row + i, y);
        } else {
            uint8_t part[V];
            v_store_u8(part, y);
            memcpy(ret_row + i, part, m);
        }
    }
    ret_quantum->scale = scale;
    for (size_t o = 0; o < JC_DNN_OUTLIERS; o++)
        ret_quantum->factors[o] = x[channels->outliers[o]];
    ret_quantum->factors[JC_DNN_OUTLIERS] = -zero[0] * scale;
}

/* What the rows of one head's attention share. */
struct head {
    const float *qkv;       /* this head's query of the first token */
    size_t stride;          /* floats from one token's to the next's */
    size_t keys, values;    /* floats from a query to its token's key and value */
    size_t n_tokens, width; /* width: n_tokens rounded up to whole vectors */
    size_t dim;
    float *keys_by_dim; /* [dim][width]; 0 behind n_tokens */
    float *weights;     /* [ROWS][width] */
};

static void turn_keys(const struct head *head)
{
    for (size_t k = 0; k < head->dim; k++)
        v_store(head->keys_by_dim + k * head->width + head->width - V, v_set(0.0f));
    for (size_t j = 0; j < head->n_tokens; j++) {
        const float *key = head->qkv + j * head->stride + head->keys;
        for (size_t k = 0; k < head->dim; k++)
            head->keys_by_dim[k * head->width + j] = key[k];
    }
}

/* weights[r] = e^(q_r . k_j - the largest), and their sums: NaN where a score is not finite. */
INLINE void weigh_rows(const struct head *head, size_t first, size_t n_rows, float *ret_sums)
{
    const float *query = head->qkv + first * head->stride;
    vec largest[ROWS], sums[ROWS];
    for (size_t r = 0; r < n_rows; r++) {
        largest[r] = v_set(-INFINITY);
        sums[r] = v_set(0.0f);
    }
    for (size_t j = 0; j < head->width; j += V) {
        vec scores[ROWS];
        for (size_t r = 0; r < n_rows; r++)
            scores[r] = v_set(0.0f);
        for (size_t k = 0; k < head->dim; k++) {
            vec keys = v_load(head->keys_by_dim + k * head->width + j);
            for (size_t r = 0; r < n_rows; r++)
                scores[r] = v_fma(v_set(query[r * head->stride + k]), keys, scores[r]);
        }
        for (size_t r = 0; r < n_rows; r++) {
            sums[r] = v_taint(sums[r], scores[r]);
            if (head->n_tokens - j < V)
                scores[r] = v_keep_n(scores[r], head->n_tokens - j, -INFINITY);
            v_store(head->weights + r * head->width + j, scores[r]);
            largest[r] = v_max(scores[r], largest[r]);
        }
    }
    for (size_t r = 0; r < n_rows; r++) {
        float *row = head->weights + r * head->width;
        vec most = v_set(v_largest(largest[r]));
        for (size_t j = 0; j < head->width; j += V) {
            vec weight = exp_negative(v_load(row + j) - most);
            if (head->n_tokens - j < V)
                weight = v_keep_n(weight, head->n_tokens - j, 0.0f);
            v_store(row + j, weight);
            sums[r] = sums[r] + weight;
        }
        ret_sums[r] = v_sum(sums[r]);
    }
}

INLINE void attend_rows(const struct head *head, size_t first, size_t n_rows, float *context, size_t context_stride)
{
    float sums[ROWS];
    weigh_rows(head, first, n_rows, sums);
    for (size_t k = 0; k < head->dim; k += V) {
        size_t m = v_lanes(head->dim, k);
        const float *values = head->qkv + head->values + k;
        vec mixed[ROWS];
        for (size_t r = 0; r < n_rows; r++)
            mixed[r] = v_set(0.0f);
        for (size_t j = 0; j < head->n_tokens; j++) {
            vec value = v_load_part(values + j * head->stride, m);
            for (size_t r = 0; r < n_rows; r++)
                mixed[r] = v_fma(v_set(head->weights[r * head->width + j]), value, mixed[r]);
        }
        for (size_t r = 0; r < n_rows; r++)
            v_store_part(context + (first + r) * context_stride + k, mixed[r] * v_set(1.0f / sums[r]), m);
    }
}

static void attend_head(const struct head *head, float *context, size_t context_stride)
{
    size_t i = 0;
    turn_keys(head);
    for (; i + ROWS <= head->n_tokens; i += ROWS)
        attend_rows(head, i, ROWS, context, context_stride);
    switch (head->n_tokens - i) {
    case 3:
        attend_rows(head, i, 3, context, context_stride);
        break;
    case 2:
        attend_rows(head, i, 2, context, context_stride);
        break;
    case 1:
        attend_rows(head, i, 1, context, context_stride);
        break;
    default:
        break;
    }
}

static void attend(const float *qkv, size_t n_tokens, size_t heads, size_t dim, float *scratch, float *context)
{
    size_t hidden = heads * dim;
    struct head head = {.stride = 3 * hidden,
                        .keys = hidden,
                        .values = 2 * hidden,
                        .n_tokens = n_tokens,
                        .width = (n_tokens + V - 1) / V * V,
                        .dim = dim};
    head.weights = scratch;
    head.keys_by_dim = scratch + ROWS * head.width;
    for (size_t h = 0; h < heads; h++) {
        head.qkv = qkv + h * dim;
        attend_head(&head, context + h * dim, hidden);
    }
}

const struct jc_dnn_kernels JC_DNN_KERNELS = {.name = JC_DNN_NAME,
                                              .embed = embed,
                                              .finish = finish,
                                              .finish_gelu = finish_gelu,
                                              .finish_norm = finish_norm,
                                              .rotate = rotate,
                                              .quantize = quantize,
                                              .attend = attend};
