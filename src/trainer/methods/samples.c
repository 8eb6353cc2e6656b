/* Examples sorted by their texts become samples. See samples.h. */
#include "trainer/methods/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "model/lexicon.h"

enum { WATCHED = 4096 }; /* enough to see a loss rise; costs less than a tenth of an epoch of 40,000 */

/* A row's text, category and weight, sorted to bring a text's together. */
struct row {
    uint32_t text, category;
    float weight;
};

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->text != b->text)
        return a->text < b->text ? -1 : 1;
    if (a->category != b->category)
        return a->category < b->category ? -1 : 1;
    return (a->weight > b->weight) - (a->weight < b->weight); /* sums do not depend on the sort */
}

static size_t sort_rows(const struct jc_dataset *dataset, unsigned roles, bool with_cut, struct row *ret_rows)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if ((example->role & roles) && (with_cut || jc_example_is_row(example)))
            ret_rows[n++] =
                (struct row){.text = example->text, .category = example->category, .weight = example->weight};
    }
    qsort(ret_rows, n, sizeof(*ret_rows), compare_rows);
    return n;
}

/* The sample of rows[n], all of one text. codes and shares have room for n. */
static void fill_sample(const struct jc_train_data *data, const struct row *rows, size_t n, uint32_t *codes,
                        float *shares, struct jc_sample *ret_sample)
{
    *ret_sample = (struct jc_sample){
        .vector = jc_train_vector(data, rows->text), .codes = codes, .shares = shares, .text = rows->text};
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || rows[i].category != rows[i - 1].category) {
            codes[ret_sample->n_codes] = rows[i].category;
            shares[ret_sample->n_codes++] = 0;
        }
        shares[ret_sample->n_codes - 1] += rows[i].weight;
        sum += rows[i].weight;
    }
    for (uint32_t i = 0; i < ret_sample->n_codes; i++) {
        ret_sample->weight = fmaxf(ret_sample->weight, shares[i]);
        shares[i] /= sum;
    }
}

static jc_code collect(const struct jc_train_data *data, unsigned roles, bool with_cut, struct jc_samples *ret_samples,
                       struct jc_err *err)
{
    size_t n_rows = jc_dataset_count(data->dataset, roles);
    JC_AUTO_FREE struct row *rows = calloc(n_rows + 1, sizeof(*rows));
    JC_AUTO_FINISH(jc_samples)
    struct jc_samples samples = {
        .items = calloc(n_rows + 1, sizeof(*samples.items)),
        .codes = calloc(n_rows + 1, sizeof(*samples.codes)),
        .shares = calloc(n_rows + 1, sizeof(*samples.shares)),
    };
    if (!rows || !samples.items || !samples.codes || !samples.shares)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu training rows", n_rows);
    n_rows = sort_rows(data->dataset, roles, with_cut, rows);
    double weight = 0;
    for (size_t begin = 0, end; begin < n_rows; begin = end) {
        for (end = begin + 1; end < n_rows && rows[end].text == rows[begin].text; end++)
            ;
        fill_sample(data, rows + begin, end - begin, samples.codes + begin, samples.shares + begin,
                    &samples.items[samples.n]);
        weight += (double)samples.items[samples.n++].weight;
    }
    for (size_t i = 0; i < samples.n; i++)
        samples.items[i].weight = (float)((double)samples.items[i].weight * (double)samples.n / weight);
    *ret_samples = samples;
    samples = (struct jc_samples){0};
    return JC_OK;
}

jc_code jc_samples_collect(const struct jc_train_data *data, unsigned roles, struct jc_samples *ret_samples,
                           struct jc_err *err)
{
    return collect(data, roles, true, ret_samples, err);
}

/* Leaves `max` of them at most, evenly spread. */
static void thin(struct jc_samples *samples, size_t max)
{
    if (samples->n <= max)
        return;
    for (size_t i = 0; i < max; i++)
        samples->items[i] = samples->items[i * samples->n / max];
    samples->n = max;
}

jc_code jc_samples_collect_fit(const struct jc_fit *fit, struct jc_samples *ret_samples, struct jc_samples *ret_watched,
                               struct jc_err *err)
{
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0};
    jc_code code = jc_samples_collect(fit->data, fit->roles, &samples, err);
    if (!code && samples.n == 0)
        code = jc_fail(err, JC_E_INVALID, "there is no training row");
    if (!code)
        code = collect(fit->data, fit->watch, false, ret_watched, err);
    if (code)
        return code;
    thin(ret_watched, WATCHED);
    *ret_samples = samples;
    samples = (struct jc_samples){0};
    return JC_OK;
}

void jc_samples_finish(struct jc_samples *samples)
{
    free(samples->items);
    free(samples->codes);
    free(samples->shares);
    free(samples->features);
    *samples = (struct jc_samples){0};
}

jc_code jc_samples_add_features(struct jc_samples *samples, const struct jc_tokens *tokens, const struct jc_head *head,
                                struct jc_err *err)
{
    if (head->n_features == 0)
        return JC_OK;
    uint32_t *features = samples->features = calloc(samples->n + 1, JC_LEXICON_FEATURES * sizeof(*features));
    if (!features)
        return jc_fail(err, JC_E_NOMEM, "no memory for the words of %zu texts", samples->n);
    for (size_t i = 0; i < samples->n; i++) {
        struct jc_sample *sample = &samples->items[i];
        size_t n_ids;
        const int32_t *ids = jc_tokens_get(tokens, sample->text, &n_ids);
        sample->features = features;
        sample->n_features = (uint32_t)jc_lexicon_features(ids, n_ids, head->keys, head->n_features, features);
        features += sample->n_features;
    }
    return JC_OK;
}

void jc_samples_prior(const struct jc_samples *samples, size_t n_categories, float weight, float *ret_prior)
{
    memset(ret_prior, 0, n_categories * sizeof(*ret_prior));
    for (size_t i = 0; i < samples->n; i++)
        for (uint32_t j = 0; j < samples->items[i].n_codes; j++)
            ret_prior[samples->items[i].codes[j]] += samples->items[i].weight * samples->items[i].shares[j];
    for (size_t c = 0; c < n_categories; c++) /* a category without rows counts as half of one */
        ret_prior[c] = weight * logf(fmaxf(ret_prior[c], 0.5F) / (float)samples->n);
}
