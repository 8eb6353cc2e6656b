/* The launches that score and rank (kernels.h), run by the host block after block. */
#ifndef JC_TESTS_RANK_EMULATION_H
#define JC_TESTS_RANK_EMULATION_H

#include "check.h"
#include "cuda/rank_block.h"
#include "cuda/vote_block.h"

static inline void emulate_topk(const struct jc_rows *rows)
{
    static struct jc_topk_shared shared;
    memset(&shared, 0xff, sizeof shared); /* what lies in a block's memory is the last block's */
    JC_TURNS(i, rows->n_rows * rows->n_parts)
    {
        jc_rows_rank_part(&shared, rows, i / rows->n_parts, i % rows->n_parts);
        CHECK(shared.gathered <= JC_TOPK_MAX); /* more would lie behind the keys */
    }
    if (rows->n_parts > 1)
        JC_TURNS(i, rows->n_rows)
        {
            jc_rows_merge(&shared, rows, i);
        }
}

static inline void emulate_vote(const struct jc_vote_rows *rows)
{
    static struct jc_vote_shared shared;
    memset(&shared, 0xff, sizeof shared);
    JC_TURNS(i, rows->n_rows)
    {
        jc_vote_block(&shared, rows, i);
    }
}

static inline void emulate_rank(const struct jc_rank *rank)
{
    static struct jc_rank_shared shared;
    const uint32_t n_parts = rank->rows.n_parts;
    memset(&shared, 0xff, sizeof shared);
    JC_TURNS(i, rank->rows.n_rows * n_parts)
    {
        jc_rank_begin(&shared, rank, i / n_parts, i % n_parts);
    }
    JC_TURNS(i, rank->rows.n_rows * n_parts)
    {
        jc_rank_weigh(&shared, rank, i / n_parts, i % n_parts);
    }
    JC_TURNS(i, rank->rows.n_rows)
    {
        jc_rank_end(&shared, rank, i);
    }
}

#endif
