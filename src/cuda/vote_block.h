/*
 * The vote of a text's nearest exemplars, added to its scores by a block (artifact/head.h has the formula, model/vote.c
 * is the host's). A category is one thread's, which takes the neighbours in their order: the sums are the host's, and
 * need no turns. Few numbers in double, as on the host: weights of codes may be of any size.
 */
#ifndef JC_CUDA_VOTE_BLOCK_H
#define JC_CUDA_VOTE_BLOCK_H

#include "cuda/topk_block.h"

#define JC_VOTE_THREADS 256U
#define JC_VOTE_MAX JC_TOPK_MAX /* neighbours */

struct jc_vote_rows {
    const char *neighbours; /* of the first row: n_neighbours hits, best first, whose index is the exemplar */
    size_t stride;          /* from a row's neighbours to the next's, bytes */
    uint32_t n_neighbours;  /* at most JC_VOTE_MAX */
    const uint32_t *code_begins, *codes; /* as struct jc_exemplars has them, as well as the next three */
    const float *code_weights;
    float sharpness, weight;
    float *scores; /* [n_rows][n_categories] */
    uint32_t n_rows, n_categories;
};

struct jc_vote_shared {
    double shares[JC_VOTE_MAX], sums[JC_VOTE_MAX];
    uint32_t begins[JC_VOTE_MAX], ends[JC_VOTE_MAX]; /* codes; none where the cosine is not a number */
    double total;
};

JC_KERNEL void jc_vote_block(struct jc_vote_shared *shared, const struct jc_vote_rows *rows, uint32_t row)
{
    const struct jc_hit *hits = (const struct jc_hit *)(const void *)(rows->neighbours + row * rows->stride);
    float *scores = rows->scores + (size_t)row * rows->n_categories;
    JC_THREADS(t, JC_VOTE_THREADS)
    {
        for (uint32_t j = t; j < rows->n_neighbours; j += JC_VOTE_THREADS) {
            const struct jc_hit hit = hits[j];
            const int is_number = hit.score == hit.score;
            shared->begins[j] = is_number ? rows->code_begins[hit.index] : 0;
            shared->ends[j] = is_number ? rows->code_begins[hit.index + 1] : 0;
            shared->shares[j] =
                is_number ? exp((double)rows->sharpness * ((double)hit.score - (double)hits[0].score)) : 0;
            double sum = 0;
            for (uint32_t at = shared->begins[j]; at < shared->ends[j]; at++)
                sum += (double)rows->code_weights[at];
            shared->sums[j] = shared->shares[j] * sum;
        }
    }
    JC_BARRIER();
    JC_THREADS(t, JC_VOTE_THREADS)
    {
        if (t == 0) {
            double total = 0;
            for (uint32_t j = 0; j < rows->n_neighbours; j++)
                total += shared->sums[j];
            shared->total = total;
        }
    }
    JC_BARRIER();
    JC_THREADS(t, JC_VOTE_THREADS)
    {
        for (uint32_t j = t; j < rows->n_neighbours; j += JC_VOTE_THREADS)
            shared->shares[j] = (double)rows->weight * shared->shares[j] / shared->total;
    }
    JC_BARRIER();
    JC_THREADS(t, JC_VOTE_THREADS)
    {
        for (uint32_t j = 0; j < rows->n_neighbours; j++)
            for (uint32_t at = shared->begins[j]; at < shared->ends[j]; at++)
                if (rows->codes[at] % JC_VOTE_THREADS == t)
                    scores[rows->codes[at]] += (float)(shared->shares[j] * (double)rows->code_weights[at]);
    }
    JC_BARRIER(); /* the caller may begin another row */
}

#endif
