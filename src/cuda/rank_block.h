/*
 * Rows of scores ranked and summed up, by a block each or, where they are long and few, by several: each has a part of
 * the row, whose best are candidates, and whose sums wait, for the block that ends the row. The answer does not depend
 * on how many parts there are, but for the last digits of the sums.
 */
#ifndef JC_CUDA_RANK_BLOCK_H
#define JC_CUDA_RANK_BLOCK_H

#include "cuda/cuda.h"
#include "cuda/norm_block.h"

#define JC_ROWS_PART 4096U /* the shortest part that is worth a block; more than JC_TOPK_MAX, so that it has k hits */

struct jc_rows {
    const float *scores, *bias; /* [n_rows][n]; [n], or NULL */
    uint32_t n_rows, n, k;
    uint32_t n_parts, part;    /* of a row; the length of all but the last */
    struct jc_hit *candidates; /* [n_rows][n_parts][k]; with one part not used */
    char *hits;                /* of the first row: min(k, n), best first */
    size_t stride;             /* from a row's hits to the next's, bytes */
};

/* Sets n_parts and part of the others: no more than most_blocks parts in all, and one a row if there are more rows. */
JC_KERNEL void jc_rows_split(struct jc_rows *rows, unsigned most_blocks)
{
    const uint32_t worth = rows->n / JC_ROWS_PART, each = rows->n_rows ? most_blocks / rows->n_rows : 1;
    uint32_t n = worth < each ? worth : each;
    if (n == 0)
        n = 1;
    rows->part = (rows->n + n - 1) / n;
    rows->n_parts = rows->part ? (rows->n + rows->part - 1) / rows->part : 1;
}

JC_KERNEL struct jc_topk_row jc_rows_part(const struct jc_rows *rows, uint32_t row, uint32_t part)
{
    struct jc_topk_row r;
    r.first = part * rows->part;
    r.scores = rows->scores + (size_t)row * rows->n + r.first;
    r.bias = rows->bias ? rows->bias + r.first : NULL;
    r.hits = NULL;
    r.n = rows->n - r.first < rows->part ? rows->n - r.first : rows->part;
    r.k = rows->k;
    return r;
}

JC_KERNEL struct jc_hit *jc_rows_candidates(const struct jc_rows *rows, uint32_t row)
{
    return rows->candidates + (size_t)row * rows->n_parts * rows->k;
}

JC_KERNEL struct jc_hit *jc_rows_hits(const struct jc_rows *rows, uint32_t row)
{
    return (struct jc_hit *)(void *)(rows->hits + row * rows->stride);
}

JC_KERNEL void jc_rows_rank_part(struct jc_topk_shared *shared, const struct jc_rows *rows, uint32_t row, uint32_t part)
{
    const struct jc_topk_row r = jc_rows_part(rows, row, part);
    jc_topk_block(shared, &r,
                  rows->n_parts == 1 ? jc_rows_hits(rows, row) : jc_rows_candidates(rows, row) + part * rows->k);
}

/* Where there are several parts: the best of their candidates, which stand in a row without gaps, and equal scores in
 * the order of their indices. */
JC_KERNEL void jc_rows_merge(struct jc_topk_shared *shared, const struct jc_rows *rows, uint32_t row)
{
    const uint32_t n_last = rows->n - (rows->n_parts - 1) * rows->part;
    struct jc_topk_row r;
    r.scores = r.bias = NULL;
    r.first = 0;
    r.hits = jc_rows_candidates(rows, row);
    r.n = (rows->n_parts - 1) * rows->k + (n_last < rows->k ? n_last : rows->k);
    r.k = rows->k;
    jc_topk_block(shared, &r, jc_rows_hits(rows, row));
}

/* What a part gives to its row's norm. */
struct jc_rank_part {
    float best, sum, mass;
};

/* Of each row a record: a struct jc_cuda_answer, then what else the caller has there. rows.hits is in it. */
struct jc_rank {
    struct jc_rows rows;
    const uint32_t *finite; /* [n_rows]; NULL: all are */
    struct jc_cuda_calibration calibration;
    struct jc_rank_part *parts; /* [n_rows][n_parts] */
    char *records;              /* rows.stride bytes each */
};

struct jc_rank_shared {
    struct jc_topk_shared topk;
    struct jc_norm_shared norm;
};

/* First, of every part: its hits, best and sum. */
JC_KERNEL void jc_rank_begin(struct jc_rank_shared *shared, const struct jc_rank *rank, uint32_t row, uint32_t part)
{
    const struct jc_topk_row r = jc_rows_part(&rank->rows, row, part);
    struct jc_rank_part *own = rank->parts + (size_t)row * rank->rows.n_parts + part;
    float best;
    const float sum = jc_norm_sum(&shared->norm, &r, rank->calibration.sharpness, &best);
    JC_THREADS(t, JC_NORM_THREADS)
    {
        if (t == 0) {
            own->best = best;
            own->sum = sum;
        }
    }
    jc_rows_rank_part(&shared->topk, &rank->rows, row, part);
}

/* The row's norm of what all its parts have given: all but the mass. Every thread does it. */
JC_KERNEL struct jc_cuda_norm jc_rank_join(const struct jc_rank *rank, uint32_t row)
{
    const struct jc_rank_part *parts = rank->parts + (size_t)row * rank->rows.n_parts;
    struct jc_cuda_norm norm;
    float sum = 0;
    norm.best = parts[0].best;
    for (uint32_t p = 1; p < rank->rows.n_parts; p++)
        norm.best = fmaxf(norm.best, parts[p].best);
    for (uint32_t p = 0; p < rank->rows.n_parts; p++)
        sum += parts[p].sum * expf(rank->calibration.sharpness * (parts[p].best - norm.best));
    norm.log_sum = logf(sum);
    norm.peak = jc_norm_saturate(-norm.log_sum, rank->calibration.saturation);
    norm.mass = 0;
    return norm;
}

/* Second, when all parts of the row have begun. */
JC_KERNEL void jc_rank_weigh(struct jc_rank_shared *shared, const struct jc_rank *rank, uint32_t row, uint32_t part)
{
    const struct jc_topk_row r = jc_rows_part(&rank->rows, row, part);
    const struct jc_cuda_norm norm = jc_rank_join(rank, row);
    const float mass = jc_norm_mass(&shared->norm, &r, &rank->calibration, &norm);
    JC_THREADS(t, JC_NORM_THREADS)
    {
        if (t == 0)
            rank->parts[(size_t)row * rank->rows.n_parts + part].mass = mass;
    }
}

/* At the end, by one block a row. */
JC_KERNEL void jc_rank_end(struct jc_rank_shared *shared, const struct jc_rank *rank, uint32_t row)
{
    JC_THREADS(t, JC_NORM_THREADS)
    {
        if (t == 0) {
            struct jc_cuda_answer *answer = (struct jc_cuda_answer *)(void *)(rank->records + row * rank->rows.stride);
            const struct jc_cuda_norm norm = jc_rank_join(rank, row);
            float mass = 0;
            for (uint32_t p = 0; p < rank->rows.n_parts; p++)
                mass += rank->parts[(size_t)row * rank->rows.n_parts + p].mass;
            answer->best = norm.best;
            answer->log_sum = norm.log_sum;
            answer->peak = norm.peak;
            answer->mass = mass;
            answer->is_finite = rank->finite ? rank->finite[row] : 1;
        }
    }
    if (rank->rows.n_parts > 1)
        jc_rows_merge(&shared->topk, &rank->rows, row);
}

#endif
