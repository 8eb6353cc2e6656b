/* Scoring examples. See predict.h. */
#include "trainer/predict.h"

#include <math.h>
#include <stdlib.h>

#include <string.h>

#include "linalg/linalg.h"
#include "model/scoring.h"

enum { CHUNK = 256 }; /* examples a matrix product */

size_t jc_predict_rank(const float *scores, size_t n_categories, size_t right)
{
    size_t rank = 1;
    for (size_t i = 0; i < n_categories; i++)
        rank += scores[i] > scores[right] || (scores[i] == scores[right] && i < right);
    return rank;
}

/* The scores of the `n` examples chosen[], one row each. */
static void score_chunk(const struct jc_train_data *data, const struct jc_head *head, const size_t *chosen, size_t n,
                        float *queries, float *ret_scores)
{
    for (size_t i = 0; i < n; i++) {
        size_t text = data->dataset->examples[chosen[i]].text, n_ids = 0;
        const int32_t *ids = data->tokens ? jc_tokens_get(data->tokens, text, &n_ids) : NULL;
        jc_scoring_query(head, data->vectors + text * data->dim, ids, n_ids, queries + i * jc_head_width(head));
    }
    jc_scoring_scores(head, queries, n, ret_scores);
}

jc_code jc_predict_visit(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                         void (*visit)(void *context, size_t i_example, const float *scores), void *context,
                         struct jc_err *err)
{
    const struct jc_dataset *dataset = data->dataset;
    JC_AUTO_FREE float *queries = calloc(CHUNK, jc_head_width(head) * sizeof(*queries));
    JC_AUTO_FREE float *scores = calloc(CHUNK, dataset->n_categories * sizeof(*scores));
    if (!queries || !scores)
        return jc_fail(err, JC_E_NOMEM, "no memory for scores");
    for (size_t i = 0; i < dataset->n_examples;) {
        size_t chosen[CHUNK], n = 0;
        for (; i < dataset->n_examples && n < CHUNK; i++)
            if (dataset->examples[i].role & roles)
                chosen[n++] = i;
        if (n)
            score_chunk(data, head, chosen, n, queries, scores);
        for (size_t j = 0; j < n; j++)
            visit(context, chosen[j], scores + j * dataset->n_categories);
    }
    return JC_OK;
}

struct predicting {
    const struct jc_head *head;
    const struct jc_dataset *dataset;
    struct jc_prediction *predictions;
    size_t n;
};

/* sum (p - y)^2 = sum p^2 - 2 p[right] + 1 */
static float compute_brier(const struct jc_head *head, const float *scores, float log_norm, float right_probability)
{
    double squares = 0;
    for (size_t c = 0; c < head->n_categories; c++) {
        double probability = (double)jc_scoring_probability(scores[c], head->sharpness, log_norm);
        squares += probability * probability;
    }
    return (float)fmax(0, squares - 2 * (double)right_probability + 1);
}

static void predict_example(void *context, size_t i_example, const float *scores)
{
    struct predicting *predicting = context;
    const struct jc_head *head = predicting->head;
    struct jc_prediction *prediction = &predicting->predictions[predicting->n++];
    float log_norm = jc_scoring_log_norm(scores, head->n_categories, head->sharpness);
    prediction->example = (uint32_t)i_example;
    prediction->category = predicting->dataset->examples[i_example].category;
    prediction->rank = (uint32_t)jc_predict_rank(scores, head->n_categories, prediction->category);
    prediction->n_hits = (uint32_t)jc_topk(scores, head->n_categories, JC_PREDICTION_HITS, prediction->hits);
    prediction->confidence = jc_scoring_probability(prediction->hits[0].score, head->sharpness, log_norm);
    prediction->right_probability = jc_scoring_probability(scores[prediction->category], head->sharpness, log_norm);
    prediction->brier = compute_brier(head, scores, log_norm, prediction->right_probability);
}

jc_code jc_predict(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                   struct jc_prediction **ret_predictions, size_t *ret_n, struct jc_err *err)
{
    size_t n = jc_dataset_count(data->dataset, roles);
    JC_AUTO_FREE struct jc_prediction *predictions = calloc(n + 1, sizeof(*predictions));
    if (!predictions)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu predictions", n);
    struct predicting predicting = {.head = head, .dataset = data->dataset, .predictions = predictions};
    jc_code code = jc_predict_visit(data, head, roles, predict_example, &predicting, err);
    if (code)
        return code;
    *ret_predictions = TAKE(predictions);
    *ret_n = predicting.n;
    return JC_OK;
}
