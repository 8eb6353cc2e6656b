/*
 * The contrastive table as first published, to compare with: random start, the margin loss against the one hardest
 * wrong category (hinge.h), and these constants. The publication leaves open what follows; this reading comes within a
 * point of the figures measured for it. The table starts as torch.nn.Embedding does, from N(0, 1); the hardest category
 * is sought among all, those of the same title left out; a batch's loss is the mean. It has no use for a head to go on
 * from: it always starts anew.
 */
#include <math.h>
#include <stdlib.h>

#include "base/own.h"
#include "base/rng.h"
#include "linalg/linalg.h"
#include "trainer/config.h"
#include "trainer/methods/hinge.h"
#include "trainer/methods/method.h"

#define MARGIN 0.2F
#define DROPOUT 0.2F
#define LEARNING_RATE 5e-3F
enum { EPOCHS = 5, BATCH = 32 };

#define SHARPNESS 35.0F
#define TWO_PI 6.283185307179586

/* Normal numbers (Box and Muller 1958). */
static void fill_normal(float *x, size_t n, uint64_t seed)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    for (size_t i = 0; i < n; i++) {
        double radius = sqrt(-2 * log(1 - jc_rng_unit(&rng)));
        x[i] = (float)(radius * cos(TWO_PI * jc_rng_unit(&rng)));
    }
}

static int compare_texts(const void *key, const void *item)
{
    const uint32_t *text = key;
    const struct jc_sample *sample = item;
    return (*text > sample->text) - (*text < sample->text);
}

/* A row for each example whose text is among the samples; weights as they are. */
static jc_code collect_rows(const struct jc_train_data *data, unsigned roles, const struct jc_samples *samples,
                            struct jc_hinge_row **ret_rows, size_t *ret_n, struct jc_err *err)
{
    size_t n = 0;
    struct jc_hinge_row *rows = calloc(jc_dataset_count(data->dataset, roles) + 1, sizeof(*rows));
    if (!rows)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < data->dataset->n_examples; i++) {
        const struct jc_example *example = &data->dataset->examples[i];
        const struct jc_sample *sample =
            example->role & roles ? bsearch(&example->text, samples->items, samples->n, sizeof(*sample), compare_texts)
                                  : NULL;
        if (sample) /* NULL: the sample was left out as one too many */
            rows[n++] =
                (struct jc_hinge_row){.sample = sample, .category = example->category, .weight = example->weight};
    }
    *ret_rows = rows;
    *ret_n = n;
    return JC_OK;
}

/* Adam takes loss and gradient alike at any scale, but rows of one batch are to count in proportion: a mean of 1. */
static void scale_weights(struct jc_hinge_row *rows, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)rows[i].weight;
    for (size_t i = 0; i < n; i++)
        rows[i].weight = (float)((double)rows[i].weight * (double)n / sum);
}

static jc_code fit_head(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    const struct jc_train_data *data = fit->data;
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0}, watched = {0};
    JC_AUTO_FREE struct jc_hinge_row *rows = NULL, *watched_rows = NULL;
    struct jc_hinge hinge = {.n_categories = data->dataset->n_categories,
                             .dim = data->dim,
                             .epochs = EPOCHS,
                             .batch = BATCH,
                             .margin = MARGIN,
                             .dropout = DROPOUT,
                             .learning_rate = LEARNING_RATE,
                             .is_shuffled = true,
                             .seed = data->config->seed,
                             .n_threads = data->n_threads};
    jc_code code = jc_samples_collect_fit(fit, &samples, &watched, err);
    if (!code)
        code = collect_rows(data, fit->roles, &samples, &rows, &hinge.n_rows, err);
    if (!code)
        code = collect_rows(data, fit->watch, &watched, &watched_rows, &hinge.n_watched, err);
    if (!code)
        code = jc_method_plain_head(data, head, err);
    if (code)
        return code;
    scale_weights(rows, hinge.n_rows);
    hinge.rows = rows;
    hinge.watched = watched_rows;
    fill_normal(head->matrix, head->n_categories * head->dim, data->config->seed);
    code = jc_hinge_train(&hinge, head->matrix, fit->curve, err);
    for (size_t c = 0; c < head->n_categories; c++)
        jc_vec_normalize(head->matrix + c * head->dim, head->dim);
    return code;
}

const struct jc_method jc_method_contrastive_published = {
    .name = "contrastive_published",
    .help = "the contrastive table as first published: random start, one hardest negative, margin 0.2",
    .sharpness = SHARPNESS,
    .fit = fit_head,
};
