/* Running a head (artifact/head.h): queries, scores, probabilities. Threads: any. */
#ifndef JC_MODEL_SCORING_H
#define JC_MODEL_SCORING_H

#include <stdint.h>

#include "artifact/head.h"

/* A row of queries: vector [dim] and the words of ids[n_ids] ([CLS] first, [SEP] last). ret_query [jc_head_width]. */
void jc_scoring_query(const struct jc_head *head, const float *vector, const int32_t *ids, size_t n_ids,
                      float *ret_query);

/* ret_scores [n][n_categories] of queries [n][jc_head_width]. */
void jc_scoring_scores(const struct jc_head *head, const float *queries, size_t n, float *ret_scores);

/* log of the sum over the categories of exp(sharpness * score): the probability of category c is
 * exp(sharpness * scores[c] - this). */
float jc_scoring_log_norm(const float *scores, size_t n_categories, float sharpness);

static inline float jc_scoring_probability(float score, float sharpness, float log_norm)
{
    return __builtin_expf(sharpness * score - log_norm);
}

#endif
