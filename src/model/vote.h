/*
 * The vote of a head's exemplars (artifact/head.h has the formula): the nearest texts of many queries by blocked matrix
 * products, each query alone in one pass over the vectors. One thread works with a `struct jc_vote` at a time; it grows
 * to the largest call and is kept, so that steady work allocates nothing, and it may go from head to head.
 */
#ifndef JC_MODEL_VOTE_H
#define JC_MODEL_VOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/exemplars.h"
#include "base/err.h"
#include "linalg/linalg.h"

/* The training text that speaks for an answer. */
struct jc_evidence {
    uint32_t text;    /* of the exemplars; JC_EVIDENCE_NONE: there is none */
    float similarity; /* the cosine */
};
#define JC_EVIDENCE_NONE UINT32_MAX

/* Zero-initialise; free with jc_vote_finish. */
struct jc_vote {
    struct jc_hit *neighbours; /* [queries][n_neighbours] of the last run; .index is the text, .score the cosine,
                                  best first, of equal ones the lower text first */
    size_t *n_found;           /* [queries]: how many of a row are there: fewer only where a vector is not finite */
    size_t n_neighbours;       /* min(k, texts) */

    float *vectors, *cosines; /* of a group of queries: [.][dim] without gaps, and [.][block of texts] */
    size_t cap_queries, cap_neighbours, cap_vectors, cap_cosines;
};

void jc_vote_finish(struct jc_vote *vote);

/* Makes room for the neighbours of n queries, which who finds them elsewhere sets, and sets n_neighbours. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_vote_prepare(struct jc_vote *vote, const struct jc_exemplars *exemplars, size_t n,
                                      struct jc_err *err);

/* Finds the k nearest texts of the queries[n], unit vectors whose rows are `width` floats apart. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_vote_find(struct jc_vote *vote, const struct jc_exemplars *exemplars, const float *queries,
                                   size_t n, size_t width, struct jc_err *err);

/* Adds weight * vote to the scores [n_categories] of query i of the last jc_vote_find. */
void jc_vote_add(const struct jc_vote *vote, const struct jc_exemplars *exemplars, size_t i, float *scores);

/* The nearest of query i's neighbours that has that category. */
struct jc_evidence jc_vote_evidence(const struct jc_vote *vote, const struct jc_exemplars *exemplars, size_t i,
                                    uint32_t category);

#endif
