/* Running a head (artifact/head.h): queries, scores, probabilities. Threads: any. */
#ifndef JC_MODEL_SCORING_H
#define JC_MODEL_SCORING_H

#include <stdint.h>

#include "artifact/head.h"
#include "model/vote.h"

/* A row of queries: vector [dim] and the words of ids[n_ids] ([CLS] first, [SEP] last). ret_query [jc_head_width]. */
void jc_scoring_query(const struct jc_head *head, const float *vector, const int32_t *ids, size_t n_ids,
                      float *ret_query);

/* ret_scores [n][n_categories] of queries [n][jc_head_width]; `vote` is the caller's and afterwards has the neighbours,
 * where the head has exemplars. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_scoring_run(const struct jc_head *head, const float *queries, size_t n, struct jc_vote *vote,
                                     float *ret_scores, struct jc_err *err);

/* The same without the exemplars' vote. */
void jc_scoring_scores(const struct jc_head *head, const float *queries, size_t n, float *ret_scores);

/* What one text's scores have in common: with it each score alone gives its probability. */
struct jc_norm {
    float best;    /* the highest score */
    float log_sum; /* log of the sum of exp(sharpness * (score - best)): log q of the best is -log_sum */
    float peak;    /* log(q / (1 + saturation * q)) of the best */
    float mass;    /* sum of g, in units of the best's */
};

/* Of scores [n_categories], which are finite. */
struct jc_norm jc_scoring_norm(const struct jc_head *head, const float *scores);

/* The probability of a category with this score, and its logarithm, which is finite where the former vanishes. */
float jc_scoring_probability(const struct jc_head *head, float score, const struct jc_norm *norm);
float jc_scoring_log_probability(const struct jc_head *head, float score, const struct jc_norm *norm);

/* ret_probabilities [n_categories]: of all categories. */
void jc_scoring_probabilities(const struct jc_head *head, const float *scores, float *ret_probabilities);

/* The plain softmax: log of the sum over the categories of exp(sharpness * score). */
float jc_scoring_log_norm(const float *scores, size_t n_categories, float sharpness);

#endif
