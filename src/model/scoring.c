/* Scores and their normalisation. See scoring.h. */
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

float jc_scoring_log_norm(const float *scores, size_t n_categories, float sharpness)
{
    float best = -INFINITY;
    for (size_t i = 0; i < n_categories; i++)
        best = scores[i] > best ? scores[i] : best;
    double sum = 0;
    for (size_t i = 0; i < n_categories; i++)
        sum += expf(sharpness * (scores[i] - best));
    return sharpness * best + (float)log(sum);
}
