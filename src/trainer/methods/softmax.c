/*
 * Softmax: a linear layer over the frozen vector and a small lexicon of tokens and token pairs, trained with Adam on
 * objective.h. The vectors know what a title means; the lexicon learns the words that decide between neighbours. A
 * title of several codes is one sample with several targets. Starts from the averages, or goes on from a head. The same
 * seed and number of threads give the same head.
 */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/rng.h"
#include "model/lexicon.h"
#include "trainer/config.h"
#include "trainer/methods/method.h"
#include "trainer/methods/training.h"

#define FEATURE_TEXTS 3 /* a feature of fewer training texts says nothing of new ones */
#define SHARPNESS 25.0F
#define SPREAD 0.1F /* of the first lexicon_embeddings, in logits */

/* Keeps each key that stands at least FEATURE_TEXTS times in the sorted list, once. Returns how many. */
static size_t keep_common(int64_t *keys, size_t n)
{
    size_t n_kept = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && keys[end] == keys[begin]; end++)
            ;
        if (end - begin >= FEATURE_TEXTS)
            keys[n_kept++] = keys[begin];
    }
    return n_kept;
}

/* The head, with the features that enough of the texts have. */
static jc_code init_head(const struct jc_train_data *data, const struct jc_samples *samples, struct jc_head *head,
                         struct jc_err *err)
{
    size_t n_dim = data->config->softmax.lexicon;
    if (n_dim == 0)
        return jc_method_plain_head(data, head, err);
    JC_AUTO_FREE int64_t *keys = calloc(samples->n + 1, JC_LEXICON_FEATURES * sizeof(*keys));
    if (!keys)
        return jc_fail(err, JC_E_NOMEM, "no memory for the words of %zu texts", samples->n);
    size_t n_keys = 0;
    for (size_t i = 0; i < samples->n; i++) {
        size_t n_ids;
        const int32_t *ids = jc_tokens_get(data->tokens, samples->items[i].text, &n_ids);
        n_keys += jc_lexicon_keys(ids, n_ids, keys + n_keys);
    }
    qsort(keys, n_keys, sizeof(*keys), jc_lexicon_compare);
    size_t n_features = keep_common(keys, n_keys);
    jc_code code = jc_head_init(head, data->dataset->n_categories, data->dim, n_features ? n_dim : 0, n_features, err);
    if (!code)
        memcpy(head->keys, keys, n_features * sizeof(*keys));
    return code;
}

/* Averages for the embeddings, small noise for the lexicon's columns (its rows start at zero); or what is known. */
static jc_code start_head(const struct jc_fit *fit, const struct jc_samples *samples, struct jc_head *head,
                          struct jc_err *err)
{
    jc_code code = init_head(fit->data, samples, head, err);
    if (code)
        return code;
    struct jc_rng rng = jc_rng_seeded(fit->data->config->seed);
    jc_method_average_rows(fit->data, fit->roles, head);
    for (size_t c = 0; c < head->n_categories; c++)
        for (size_t i = head->dim; i < jc_head_width(head); i++) {
            /* Three uniforms sum to a variance of 1/4: close enough to normal. */
            double sum = jc_rng_unit(&rng) + jc_rng_unit(&rng) + jc_rng_unit(&rng) - 1.5;
            head->matrix[c * jc_head_width(head) + i] = 2 * (float)sum * SPREAD / SHARPNESS;
        }
    if (fit->start)
        jc_method_copy_start(fit->start, head);
    return JC_OK;
}

static jc_code fit_head(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    const struct jc_softmax_config *softmax = &fit->data->config->softmax;
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0}, watched = {0};
    jc_code code;
    if ((code = jc_samples_collect_fit(fit, &samples, &watched, err)) ||
        (code = start_head(fit, &samples, head, err)) ||
        (code = jc_samples_add_features(&samples, fit->data->tokens, head, err)) ||
        (code = jc_samples_add_features(&watched, fit->data->tokens, head, err)))
        return code;
    head->sharpness = SHARPNESS;
    const struct jc_training_plan plan = {
        .objective = {.margin = (float)softmax->margin,
                      .smoothing = (float)softmax->smoothing,
                      .dropout = (float)softmax->dropout,
                      .word_dropout = (float)softmax->word_dropout},
        .prior = softmax->prior,
        .epochs = softmax->epochs,
        .refit_epochs = softmax->refit_epochs,
        .batch = softmax->batch,
        .learning_rate = softmax->learning_rate,
        .has_bias = true,
    };
    return jc_training_fit(&plan, fit, &samples, &watched, head, err);
}

const struct jc_method jc_method_softmax = {.name = "softmax",
                                            .help = "a linear layer on the vector and a lexicon of the words",
                                            .sharpness = SHARPNESS,
                                            .fit = fit_head};
