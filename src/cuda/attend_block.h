/*
 * Attention within one text, for one head and JC_ATTEND_QUERIES queries, by a block: a tile of keys and values at a time
 * in the block's memory, softmax over the tiles as they come (Milakov and Gimelshein 2018), all in float32. A title is
 * one tile. A warp has every fourth query; in the products with keys a lane is a key, in those with values a dimension.
 */
#ifndef JC_CUDA_ATTEND_BLOCK_H
#define JC_CUDA_ATTEND_BLOCK_H

#include "cuda/row_block.h"

#define JC_ATTEND_THREADS 128U
#define JC_ATTEND_WARPS (JC_ATTEND_THREADS / JC_WARP)
#define JC_ATTEND_QUERIES 32U
#define JC_ATTEND_OWN (JC_ATTEND_QUERIES / JC_ATTEND_WARPS) /* queries of a warp */
#define JC_ATTEND_MAX_DIM 64U
#define JC_ATTEND_PARTS (JC_ATTEND_MAX_DIM / JC_WARP) /* dimensions of a lane */

/* Floats of the block's memory. */
#define JC_ATTEND_SHARED(dim) (JC_ATTEND_QUERIES * (dim) + JC_WARP * ((dim) + 1) + JC_WARP * (dim))

struct jc_attend_shared {
    float *queries; /* [JC_ATTEND_QUERIES][dim] */
    float *keys;    /* [JC_WARP][dim + 1]: the lanes' keys lie in different banks */
    float *values;  /* [JC_WARP][dim] */
};

/* A head of one text. */
struct jc_attend_head {
    const void *qkv;   /* [rows][3][hidden] products, without bias */
    const float *bias; /* [3][hidden] */
    void *context;     /* [rows][hidden] */
    unsigned hidden, dim, head;
    struct jc_piece piece;
};

/* Of a warp: its queries' largest score and sum of exponentials so far, the same for all lanes, and mixed values. */
struct jc_attend_warp {
    float most[JC_ATTEND_OWN], sum[JC_ATTEND_OWN];
    float mixed[JC_EACH_LANE][JC_ATTEND_OWN][JC_ATTEND_PARTS];
};

/* rows [n] of part 0 (queries), 1 or 2 from the text's token `first` on, with bias, times factor. */
JC_KERNEL void jc_attend_load(const struct jc_attend_head *head, unsigned part, unsigned first, unsigned n,
                              float factor, int wide, float *to, unsigned stride)
{
    const unsigned half = head->dim / 2, column = part * head->hidden + head->head * head->dim;
    JC_THREADS(t, JC_ATTEND_THREADS)
    {
        for (unsigned i = t; i < n * half; i += JC_ATTEND_THREADS) {
            const unsigned r = i / half, d = i % half * 2;
            const size_t row = (size_t)head->piece.row + first + r;
            const struct jc_pair x = jc_load_pair(head->qkv, row * 3 * head->hidden + column + d, wide);
            const struct jc_pair b = jc_load_pair(head->bias, column + d, 1);
            to[r * stride + d] = (x.first + b.first) * factor;
            to[r * stride + d + 1] = (x.second + b.second) * factor;
        }
    }
}

/* A query's scores with the tile's keys, a lane each, become its new sum and mixed values. */
JC_KERNEL void jc_attend_mix(const struct jc_attend_shared *shared, struct jc_attend_warp *warp, const float *scores,
                             unsigned q, unsigned n_keys, unsigned dim)
{
    float seen[JC_EACH_LANE], weights[JC_EACH_LANE];
    JC_LANES(l)
    {
        seen[JC_OWN(l)] = l < n_keys ? scores[JC_OWN(l)] : -INFINITY;
    }
    const float most = fmaxf(warp->most[q], jc_warp_max(seen)), factor = expf(warp->most[q] - most);
    JC_LANES(l)
    {
        /* A score that is not finite must not vanish. */
        weights[JC_OWN(l)] = l < n_keys ? expf(seen[JC_OWN(l)] - most) + 0.0f * seen[JC_OWN(l)] : 0.0f;
    }
    warp->most[q] = most;
    warp->sum[q] = warp->sum[q] * factor + jc_warp_sum(weights);
    JC_LANES(l)
    {
        JC_UNROLL
        for (unsigned part = 0; part < JC_ATTEND_PARTS; part++)
            warp->mixed[JC_OWN(l)][q][part] *= factor;
    }
    for (unsigned j = 0; j < n_keys; j++) {
        const float weight = jc_warp_get(weights, j);
        JC_LANES(l)
        {
            JC_UNROLL
            for (unsigned part = 0; part < JC_ATTEND_PARTS; part++)
                if (part * JC_WARP + l < dim)
                    warp->mixed[JC_OWN(l)][q][part] += weight * shared->values[j * dim + part * JC_WARP + l];
        }
    }
}

/* One tile of n_keys keys, for the warp's queries w, w + 4, ... of n_queries. */
JC_KERNEL void jc_attend_tile(const struct jc_attend_shared *shared, struct jc_attend_warp *warp, unsigned w,
                              unsigned n_queries, unsigned n_keys, unsigned dim)
{
    JC_UNROLL
    for (unsigned q = 0; q < JC_ATTEND_OWN; q++) {
        if (q * JC_ATTEND_WARPS + w >= n_queries)
            break;
        const float *query = shared->queries + (q * JC_ATTEND_WARPS + w) * dim;
        float scores[JC_EACH_LANE];
        JC_LANES(l)
        {
            float score = 0;
            for (unsigned d = 0; d < dim; d++)
                score += query[d] * shared->keys[l * (dim + 1) + d];
            scores[JC_OWN(l)] = score;
        }
        jc_attend_mix(shared, warp, scores, q, n_keys, dim);
    }
}

/* memory: JC_ATTEND_SHARED floats. */
JC_KERNEL void jc_attend_block(float *memory, const struct jc_attend_head *head, int wide)
{
    struct jc_attend_shared own;
    struct jc_attend_warp warps[JC_EACH_WARP(JC_ATTEND_WARPS)];
    const unsigned dim = head->dim, first = head->piece.first_query, n_left = head->piece.n_tokens - first,
                   n_queries = n_left < JC_ATTEND_QUERIES ? n_left : JC_ATTEND_QUERIES;
    own.queries = memory;
    own.keys = own.queries + JC_ATTEND_QUERIES * dim;
    own.values = own.keys + JC_WARP * (dim + 1);
    jc_attend_load(head, 0, first, n_queries, 1.0f / sqrtf((float)dim), wide, own.queries, dim);
    JC_WARPS(w, JC_ATTEND_WARPS)
    {
        struct jc_attend_warp *warp = &warps[JC_OWN(w)];
        JC_UNROLL
        for (unsigned q = 0; q < JC_ATTEND_OWN; q++) {
            warp->most[q] = -INFINITY;
            warp->sum[q] = 0;
            JC_LANES(l)
            {
                JC_UNROLL
                for (unsigned part = 0; part < JC_ATTEND_PARTS; part++)
                    warp->mixed[JC_OWN(l)][q][part] = 0;
            }
        }
    }
    for (unsigned at = 0; at < head->piece.n_tokens; at += JC_WARP) {
        const unsigned n_after = head->piece.n_tokens - at, n_keys = n_after < JC_WARP ? n_after : JC_WARP;
        jc_attend_load(head, 1, at, n_keys, 1.0f, wide, own.keys, dim + 1);
        jc_attend_load(head, 2, at, n_keys, 1.0f, wide, own.values, dim);
        JC_BARRIER();
        JC_WARPS(w, JC_ATTEND_WARPS)
        {
            jc_attend_tile(&own, &warps[JC_OWN(w)], w, n_queries, n_keys, dim);
        }
        JC_BARRIER(); /* the next tile, or the next piece, comes into the same memory */
    }
    JC_WARPS(w, JC_ATTEND_WARPS)
    {
        const struct jc_attend_warp *warp = &warps[JC_OWN(w)];
        JC_UNROLL
        for (unsigned q = 0; q < JC_ATTEND_OWN; q++) {
            if (q * JC_ATTEND_WARPS + w >= n_queries)
                break;
            const size_t row = (size_t)head->piece.row + first + q * JC_ATTEND_WARPS + w;
            JC_LANES(l)
            {
                JC_UNROLL
                for (unsigned part = 0; part < JC_ATTEND_PARTS; part++) {
                    const unsigned d = part * JC_WARP + l;
                    if (d < dim)
                        jc_store(head->context, row * head->hidden + head->head * dim + d,
                                 warp->mixed[JC_OWN(l)][q][part] / warp->sum[q], wide);
                }
            }
        }
    }
}

#endif
