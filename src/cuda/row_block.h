/*
 * The encoder's work on rows [n], by a warp a row: embeddings, the sum with what a product gave, layer norm, GELU,
 * pooling. Stored numbers may be halves; all sums and statistics are float32. n is even and at most JC_ROW_MAX; a lane
 * has the pairs l, l + 32, ... of it, `n_own` of them at most, which the kernels know when they are compiled.
 * What is not finite leaves the row it is in not finite.
 */
#ifndef JC_CUDA_ROW_BLOCK_H
#define JC_CUDA_ROW_BLOCK_H

#include "cuda/half.h"

#define JC_ROW_MAX 1024
#define JC_ROW_PAIRS (JC_ROW_MAX / 2 / JC_WARP) /* of a lane, at most */

/* Where a text's tokens are, and which of its queries a piece of the attention's work takes. A text has one for each
 * JC_ATTEND_QUERIES of its tokens. */
struct jc_piece {
    uint32_t row; /* of the text's first token */
    uint32_t text;
    uint16_t n_tokens, first_query;
};

/* A layer norm's parameters, [n] each. */
struct jc_row_norm {
    const float *weight, *bias;
    float eps;
};

/* A lane's numbers of a row. */
struct jc_row_lane {
    struct jc_pair pairs[JC_ROW_PAIRS];
};

/* What a lane does for each of its pairs: `i` is the pair's first column. */
#define JC_ROW_PAIRS_OF(l, p, i, n, n_own) \
    JC_UNROLL                              \
    for (unsigned p = 0; p < (n_own); p++) \
        for (unsigned i = 2 * (p * JC_WARP + (l)), i##_turn = i < (n); i##_turn; i##_turn = 0)

/* x = norm(y), y a lane's numbers each. The squares are of differences to the mean: no cancellation. */
JC_KERNEL void jc_row_normalize(const struct jc_row_lane *lanes, const struct jc_row_norm *norm, unsigned n,
                                unsigned n_own, int wide, void *x)
{
    float parts[JC_EACH_LANE];
    JC_LANES(l)
    {
        parts[JC_OWN(l)] = 0;
        JC_ROW_PAIRS_OF(l, p, i, n, n_own)
        {
            const struct jc_pair y = lanes[JC_OWN(l)].pairs[p];
            parts[JC_OWN(l)] += y.first + y.second;
        }
    }
    const float mean = jc_warp_sum(parts) / (float)n;
    JC_LANES(l)
    {
        parts[JC_OWN(l)] = 0;
        JC_ROW_PAIRS_OF(l, p, i, n, n_own)
        {
            const struct jc_pair y = lanes[JC_OWN(l)].pairs[p];
            parts[JC_OWN(l)] += (y.first - mean) * (y.first - mean) + (y.second - mean) * (y.second - mean);
        }
    }
    const float variance = jc_warp_sum(parts) / (float)n;
    /* Differences whose squares overflow must not become zeros. */
    const float factor = 1.0f / sqrtf(variance + norm->eps) + 0.0f * variance;
    JC_LANES(l)
    {
        JC_ROW_PAIRS_OF(l, p, i, n, n_own)
        {
            const struct jc_pair weight = jc_load_pair(norm->weight, i, 1), bias = jc_load_pair(norm->bias, i, 1);
            struct jc_pair y = lanes[JC_OWN(l)].pairs[p];
            y.first = (y.first - mean) * factor * weight.first + bias.first;
            y.second = (y.second - mean) * factor * weight.second + bias.second;
            jc_store_pair(x, i, y, wide);
        }
    }
}

/* x = norm(word + position) */
JC_KERNEL void jc_row_embed(const void *word, const void *position, const struct jc_row_norm *norm, unsigned n,
                            unsigned n_own, int wide, void *x)
{
    struct jc_row_lane lanes[JC_EACH_LANE];
    JC_LANES(l)
    {
        JC_ROW_PAIRS_OF(l, p, i, n, n_own)
        {
            struct jc_pair a = jc_load_pair(word, i, wide);
            const struct jc_pair b = jc_load_pair(position, i, wide);
            a.first += b.first;
            a.second += b.second;
            lanes[JC_OWN(l)].pairs[p] = a;
        }
    }
    jc_row_normalize(lanes, norm, n, n_own, wide, x);
}

/* x = norm(x + sums + bias) */
JC_KERNEL void jc_row_residual(const void *sums, const float *bias, const struct jc_row_norm *norm, unsigned n,
                               unsigned n_own, int wide, void *x)
{
    struct jc_row_lane lanes[JC_EACH_LANE];
    JC_LANES(l)
    {
        JC_ROW_PAIRS_OF(l, p, i, n, n_own)
        {
            struct jc_pair a = jc_load_pair(x, i, wide);
            const struct jc_pair b = jc_load_pair(sums, i, wide), c = jc_load_pair(bias, i, 1);
            a.first += b.first + c.first;
            a.second += b.second + c.second;
            lanes[JC_OWN(l)].pairs[p] = a;
        }
    }
    jc_row_normalize(lanes, norm, n, n_own, wide, x);
}

/* y Phi(y), exactly as BERT has it and not by the hyperbolic tangent. */
JC_KERNEL float jc_row_gelu(float y)
{
    return 0.5f * y * (1.0f + erff(y * 0.70710678118654752f));
}

/* In place, the pair from column i of a row of products. */
JC_KERNEL void jc_row_gelu_pair(void *row, const float *bias, size_t i, int wide)
{
    struct jc_pair y = jc_load_pair(row, i, wide);
    const struct jc_pair b = jc_load_pair(bias, i, 1);
    y.first = jc_row_gelu(y.first + b.first);
    y.second = jc_row_gelu(y.second + b.second);
    jc_store_pair(row, i, y, wide);
}

/* The mean of n_rows rows, or the first of them, at length 1: ret_vector [n], float32. Says whether it is finite. */
JC_KERNEL int jc_row_pool(const void *rows, unsigned n_rows, unsigned n, unsigned n_own, int wide, float *ret_vector)
{
    struct jc_row_lane lanes[JC_EACH_LANE];
    float parts[JC_EACH_LANE];
    JC_LANES(l)
    {
        parts[JC_OWN(l)] = 0;
        JC_ROW_PAIRS_OF(l, p, i, n, n_own)
        {
            struct jc_pair sum = jc_load_pair(rows, i, wide);
            for (unsigned r = 1; r < n_rows; r++) {
                const struct jc_pair y = jc_load_pair(rows, (size_t)r * n + i, wide);
                sum.first += y.first;
                sum.second += y.second;
            }
            lanes[JC_OWN(l)].pairs[p] = sum;
            parts[JC_OWN(l)] += sum.first * sum.first + sum.second * sum.second;
        }
    }
    const float square = jc_warp_sum(parts), factor = square > 0 ? 1.0f / sqrtf(square) : 1.0f;
    JC_LANES(l)
    {
        JC_ROW_PAIRS_OF(l, p, i, n, n_own)
        {
            struct jc_pair y = lanes[JC_OWN(l)].pairs[p];
            y.first *= factor;
            y.second *= factor;
            jc_store_pair(ret_vector, i, y, 1);
        }
    }
    return square - square == 0; /* neither NaN nor infinite */
}

#endif
