/* Scoring examples. See predict.h. */
#include "trainer/measure/predict.h"

#include <math.h>
#include <stdlib.h>

#include "linalg/linalg.h"
#include "model/scoring.h"
#include "trainer/methods/team.h"

enum { CHUNK = 256 }; /* examples a matrix product */

size_t jc_predict_rank(const float *scores, size_t n_categories, size_t right)
{
    size_t rank = 1;
    for (size_t i = 0; i < n_categories; i++)
        rank += scores[i] > scores[right] || (scores[i] == scores[right] && i < right);
    return rank;
}

/* One thread's chunk: examples, and what they score. */
struct chunk {
    size_t examples[CHUNK], n;
    float *queries; /* [CHUNK][jc_head_width] */
    float *scores;  /* [CHUNK][n_categories] */
    struct jc_vote vote;
    struct jc_err err;
};

struct scoring {
    const struct jc_train_data *data;
    const struct jc_head *head;
    struct chunk *chunks; /* [n_chunks] */
    unsigned n_chunks;
};

static void scoring_finish(struct scoring *scoring)
{
    for (unsigned i = 0; scoring->chunks && i < scoring->n_chunks; i++) {
        free(scoring->chunks[i].queries);
        free(scoring->chunks[i].scores);
        jc_vote_finish(&scoring->chunks[i].vote);
    }
    free(scoring->chunks);
}

static jc_code scoring_init(struct scoring *scoring, struct jc_err *err)
{
    unsigned n = scoring->data->n_threads ? scoring->data->n_threads : 1;
    const struct jc_head *head = scoring->head;
    scoring->chunks = calloc(n, sizeof(*scoring->chunks));
    scoring->n_chunks = n;
    for (unsigned i = 0; scoring->chunks && i < n; i++) {
        scoring->chunks[i].queries = calloc(CHUNK, jc_head_width(head) * sizeof(float));
        scoring->chunks[i].scores = calloc(CHUNK, head->n_categories * sizeof(float));
        if (!scoring->chunks[i].queries || !scoring->chunks[i].scores)
            return jc_fail(err, JC_E_NOMEM, "no memory for scores");
    }
    return scoring->chunks ? JC_OK : jc_fail(err, JC_E_NOMEM, "no memory for scores");
}

static void score_chunk(void *context, struct jc_team *team, unsigned member)
{
    (void)team;
    const struct scoring *scoring = context;
    const struct jc_train_data *data = scoring->data;
    const struct jc_head *head = scoring->head;
    struct chunk *chunk = &scoring->chunks[member];
    for (size_t i = 0; i < chunk->n; i++) {
        size_t text = data->dataset->examples[chunk->examples[i]].text, n_ids = 0;
        const int32_t *ids = data->tokens ? jc_tokens_get(data->tokens, text, &n_ids) : NULL;
        jc_scoring_query(head, jc_train_vector(data, text), ids, n_ids, chunk->queries + i * jc_head_width(head));
    }
    if (chunk->n && jc_scoring_run(head, chunk->queries, chunk->n, &chunk->vote, chunk->scores, &chunk->err))
        chunk->n = 0;
}

/* Fills the chunks with the examples from *i on that have one of `roles`. Returns how many chunks have any. */
static unsigned fill_chunks(struct scoring *scoring, unsigned roles, size_t *i)
{
    const struct jc_dataset *dataset = scoring->data->dataset;
    unsigned n_filled = 0;
    for (unsigned c = 0; c < scoring->n_chunks; c++) {
        struct chunk *chunk = &scoring->chunks[c];
        for (chunk->n = 0; *i < dataset->n_examples && chunk->n < CHUNK; (*i)++)
            if ((dataset->examples[*i].role & roles) && jc_example_is_row(&dataset->examples[*i]))
                chunk->examples[chunk->n++] = *i;
        n_filled += chunk->n > 0;
    }
    return n_filled;
}

jc_code jc_predict_visit(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                         void (*visit)(void *context, size_t i_example, const float *scores), void *context,
                         struct jc_err *err)
{
    __attribute__((cleanup(scoring_finish))) struct scoring scoring = {.data = data, .head = head};
    jc_code code = scoring_init(&scoring, err);
    if (code)
        return code;
    unsigned n_filled;
    for (size_t i = 0; (n_filled = fill_chunks(&scoring, roles, &i));) {
        if ((code = jc_team_run(n_filled, score_chunk, &scoring, err)))
            return code;
        for (unsigned c = 0; c < n_filled; c++) {
            const struct chunk *chunk = &scoring.chunks[c];
            if (chunk->err.code) {
                *err = chunk->err;
                return err->code;
            }
            for (size_t j = 0; j < chunk->n; j++)
                visit(context, chunk->examples[j], chunk->scores + j * head->n_categories);
        }
    }
    return JC_OK;
}

struct predicting {
    const struct jc_head *head;
    const struct jc_dataset *dataset;
    struct jc_prediction *predictions;
    size_t n;
    float *probabilities; /* [n_categories], of one example */
};

/* sum (p - y)^2 = sum p^2 - 2 p[right] + 1 */
static float compute_brier(const float *probabilities, size_t n_categories, size_t right)
{
    double squares = 0;
    for (size_t c = 0; c < n_categories; c++)
        squares += (double)probabilities[c] * (double)probabilities[c];
    return (float)fmax(0, squares - 2 * (double)probabilities[right] + 1);
}

static void predict_example(void *context, size_t i_example, const float *scores)
{
    struct predicting *predicting = context;
    const struct jc_head *head = predicting->head;
    struct jc_prediction *prediction = &predicting->predictions[predicting->n++];
    jc_scoring_probabilities(head, scores, predicting->probabilities);
    prediction->example = (uint32_t)i_example;
    prediction->category = predicting->dataset->examples[i_example].category;
    prediction->rank = (uint32_t)jc_predict_rank(scores, head->n_categories, prediction->category);
    prediction->n_hits = (uint32_t)jc_topk(scores, head->n_categories, JC_PREDICTION_HITS, prediction->hits);
    prediction->confidence = predicting->probabilities[prediction->hits[0].index];
    prediction->right_probability = predicting->probabilities[prediction->category];
    prediction->brier = compute_brier(predicting->probabilities, head->n_categories, prediction->category);
}

jc_code jc_predict(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                   struct jc_prediction **ret_predictions, size_t *ret_n, struct jc_err *err)
{
    size_t n = jc_dataset_count(data->dataset, roles);
    JC_AUTO_FREE struct jc_prediction *predictions = calloc(n + 1, sizeof(*predictions));
    JC_AUTO_FREE float *probabilities = calloc(head->n_categories, sizeof(*probabilities));
    if (!predictions || !probabilities)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu predictions", n);
    struct predicting predicting = {
        .head = head, .dataset = data->dataset, .predictions = predictions, .probabilities = probabilities};
    jc_code code = jc_predict_visit(data, head, roles, predict_example, &predicting, err);
    if (code)
        return code;
    *ret_predictions = TAKE(predictions);
    *ret_n = predicting.n;
    return JC_OK;
}
