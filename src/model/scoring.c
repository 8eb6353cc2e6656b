/* Queries, scores, and the probability of one score. See scoring.h; scoring_norm.c has all of them together. */
#include "model/scoring.h"

#include <math.h>
#include <string.h>

#include "linalg/linalg.h"
#include "model/lexicon.h"

void jc_scoring_query(const struct jc_head *head, const float *vector, const int32_t *ids, size_t n_ids,
                      float *ret_query)
{
    memcpy(ret_query, vector, head->dim * sizeof(*ret_query));
    if (!head->n_features)
        return;
    uint32_t features[JC_LEXICON_FEATURES];
    size_t n = jc_lexicon_features(ids, n_ids, head->keys, head->n_features, features);
    jc_lexicon_embed(head->lexicon, head->lexicon_dim, features, n, ret_query + head->dim);
}

void jc_scoring_scores(const struct jc_head *head, const float *queries, size_t n, float *ret_scores)
{
    jc_gemm_scores(queries, n, head->matrix, head->n_categories, jc_head_width(head), ret_scores);
    for (size_t i = 0; i < n; i++)
        jc_vec_add(ret_scores + i * head->n_categories, 1, head->bias, head->n_categories);
}

jc_code jc_scoring_run(const struct jc_head *head, const float *queries, size_t n, struct jc_vote *vote,
                       float *ret_scores, struct jc_err *err)
{
    jc_scoring_scores(head, queries, n, ret_scores);
    if (!head->exemplars.n)
        return JC_OK;
    jc_code code = jc_vote_find(vote, &head->exemplars, queries, n, jc_head_width(head), err);
    for (size_t i = 0; i < n && !code; i++)
        jc_vote_add(vote, &head->exemplars, i, ret_scores + i * head->n_categories);
    return code;
}

float jc_scoring_log_probability(const struct jc_head *head, float score, const struct jc_norm *norm)
{
    float log_q = head->sharpness * (score - norm->best) - norm->log_sum;
    float log_g = head->power * (log_q - log1pf(head->saturation * expf(log_q)) - norm->peak);
    return fminf(0, log_g - logf(norm->mass));
}

float jc_scoring_probability(const struct jc_head *head, float score, const struct jc_norm *norm)
{
    return expf(jc_scoring_log_probability(head, score, norm));
}
