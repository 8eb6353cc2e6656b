/* Forward and backward of the softmax objective. See objective.h. */
#include "trainer/methods/objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "linalg/linalg.h"

jc_code jc_shard_init(struct jc_shard *shard, const struct jc_head *head, size_t max_samples, struct jc_err *err)
{
    size_t width = jc_head_width(head), n = head->n_categories;
    *shard = (struct jc_shard){
        .queries = calloc(max_samples, width * sizeof(float)),
        .logits = calloc(max_samples, n * sizeof(float)),
        .matrix_gradient = calloc(n, width * sizeof(float)),
        .bias_gradient = calloc(n, sizeof(float)),
        .words_gradient = calloc(max_samples, (head->lexicon_dim + 1) * sizeof(float)),
        .feature_weights = calloc(max_samples, JC_LEXICON_FEATURES * sizeof(float)),
    };
    if (shard->queries && shard->logits && shard->matrix_gradient && shard->bias_gradient && shard->words_gradient &&
        shard->feature_weights)
        return JC_OK;
    jc_shard_finish(shard);
    return jc_fail(err, JC_E_NOMEM, "no memory to train %zu categories", n);
}

void jc_shard_finish(struct jc_shard *shard)
{
    free(shard->queries);
    free(shard->logits);
    free(shard->matrix_gradient);
    free(shard->bias_gradient);
    free(shard->words_gradient);
    free(shard->feature_weights);
    *shard = (struct jc_shard){0};
}

/* The vector with a share of its values dropped, at length 1 again. */
static void drop_values(const float *vector, size_t dim, float dropout, struct jc_rng *rng, float *ret_vector)
{
    if (dropout <= 0) {
        memcpy(ret_vector, vector, dim * sizeof(*vector));
        return;
    }
    for (size_t i = 0; i < dim; i++)
        ret_vector[i] = jc_rng_unit(rng) < (double)dropout ? 0 : vector[i];
    jc_vec_normalize(ret_vector, dim);
}

/* A sample's query, with what is dropped left out; weights[f] is what feature f counted for. */
static void make_query(const struct jc_objective *objective, const struct jc_head *head, const struct jc_sample *sample,
                       struct jc_rng *rng, float *ret_query, float *ret_weights)
{
    drop_values(sample->vector, head->dim, objective->dropout, rng, ret_query);
    float *words = ret_query + head->dim;
    memset(words, 0, head->lexicon_dim * sizeof(*words));
    float kept = 1 / ((1 - objective->word_dropout) * sqrtf((float)sample->n_features));
    for (uint32_t f = 0; f < sample->n_features; f++) {
        bool drop = objective->word_dropout > 0 && jc_rng_unit(rng) < (double)objective->word_dropout;
        ret_weights[f] = drop ? 0 : kept;
        if (!drop)
            jc_vec_add(words, kept, head->lexicon + sample->features[f] * head->lexicon_dim, head->lexicon_dim);
    }
}

/* Scores become logits. */
static void make_logits(const struct jc_objective *objective, const struct jc_head *head,
                        const struct jc_sample *sample, float *row)
{
    for (size_t c = 0; c < head->n_categories; c++)
        row[c] = head->sharpness * (row[c] + head->bias[c]) + (objective->prior ? objective->prior[c] : 0);
    for (uint32_t i = 0; i < sample->n_codes; i++)
        row[sample->codes[i]] -= head->sharpness * objective->margin;
}

/* Logits become softmax; returns the cross-entropy. */
static double compare_to_targets(const struct jc_sample *sample, size_t n_categories, float smoothing, float *row)
{
    float best = -INFINITY;
    for (size_t c = 0; c < n_categories; c++)
        best = row[c] > best ? row[c] : best;
    double loss = 0, all = 0, sum = 0;
    for (uint32_t i = 0; i < sample->n_codes; i++)
        loss -= (double)((1 - smoothing) * sample->shares[i]) * (double)(row[sample->codes[i]] - best);
    for (size_t c = 0; c < n_categories; c++) {
        all += (double)(row[c] - best);
        row[c] = expf(row[c] - best);
        sum += (double)row[c];
    }
    float norm = (float)(1 / sum);
    for (size_t c = 0; c < n_categories; c++)
        row[c] *= norm;
    return loss + log(sum) - (double)smoothing / (double)n_categories * all;
}

/* Softmax becomes `factor` times (softmax - targets): the gradient by the logits. */
static void differentiate(const struct jc_sample *sample, size_t n_categories, float smoothing, float factor,
                          float *row)
{
    float even = smoothing / (float)n_categories;
    for (size_t c = 0; c < n_categories; c++)
        row[c] = factor * (row[c] - even);
    for (uint32_t i = 0; i < sample->n_codes; i++)
        row[sample->codes[i]] -= factor * (1 - smoothing) * sample->shares[i];
}

static void sum_rows(const float *rows, size_t n, size_t n_columns, float *ret_sum)
{
    memset(ret_sum, 0, n_columns * sizeof(*ret_sum));
    for (size_t i = 0; i < n; i++)
        jc_vec_add(ret_sum, 1, rows + i * n_columns, n_columns);
}

/* The samples' queries and logits; `seed` draws what is dropped. */
static void run_forward(const struct jc_objective *objective, const struct jc_head *head,
                        const struct jc_sample *const *samples, size_t n, uint64_t seed, struct jc_shard *shard)
{
    size_t width = jc_head_width(head), n_categories = head->n_categories;
    struct jc_rng rng = jc_rng_seeded(seed);
    for (size_t i = 0; i < n; i++)
        make_query(objective, head, samples[i], &rng, shard->queries + i * width,
                   shard->feature_weights + i * JC_LEXICON_FEATURES);
    jc_gemm_scores(shard->queries, n, head->matrix, n_categories, width, shard->logits);
    for (size_t i = 0; i < n; i++)
        make_logits(objective, head, samples[i], shard->logits + i * n_categories);
}

double jc_objective_loss(const struct jc_objective *objective, const struct jc_head *head,
                         const struct jc_sample *const *samples, size_t n, struct jc_shard *shard)
{
    struct jc_objective whole = *objective;
    whole.dropout = whole.word_dropout = 0;
    run_forward(&whole, head, samples, n, 0, shard);
    double loss = 0;
    for (size_t i = 0; i < n; i++)
        loss += (double)samples[i]->weight * compare_to_targets(samples[i], head->n_categories, whole.smoothing,
                                                                shard->logits + i * head->n_categories);
    return loss;
}

void jc_objective_run(const struct jc_objective *objective, const struct jc_head *head,
                      const struct jc_sample *const *samples, size_t n, float factor, uint64_t seed,
                      struct jc_shard *shard)
{
    size_t width = jc_head_width(head), n_categories = head->n_categories;
    run_forward(objective, head, samples, n, seed, shard);
    shard->loss = 0;
    for (size_t i = 0; i < n; i++) {
        float *row = shard->logits + i * n_categories, scale = factor * samples[i]->weight;
        shard->loss += (double)scale * compare_to_targets(samples[i], n_categories, objective->smoothing, row);
        differentiate(samples[i], n_categories, objective->smoothing, scale * head->sharpness, row);
    }
    jc_gemm_rows_gradient(shard->logits, shard->queries, n, n_categories, width, shard->matrix_gradient);
    sum_rows(shard->logits, n, n_categories, shard->bias_gradient);
    if (head->lexicon_dim)
        jc_gemm_queries_gradient(shard->logits, head->matrix + head->dim, n, n_categories, width, head->lexicon_dim,
                                 shard->words_gradient);
}
