/*
 * Contrastive: a table of category vectors w, compared by cosine, that are pulled to their titles' vectors and pushed
 * from those of all other categories at once: InfoNCE (van den Oord et al. 2018) with every other category as a
 * negative. A title with the vector x and the category p has the loss
 *
 *     -log( e(p) / sum over c of e(c) ),   e(c) = share[c]^prior exp(SHARPNESS (cos(x, w[c]) - (c == p) margin))
 *
 * on objective.h: a title of several categories has a share of each, and share[c] is the category's of the training
 * titles. Starts from the averages; stops when the validation loss does not fall any more, with the table that had the
 * lowest.
 */
#include "base/own.h"
#include "trainer/config.h"
#include "trainer/methods/method.h"
#include "trainer/methods/training.h"

#define SHARPNESS 25.0F /* 1 / temperature */
#define REFIT_RATE 0.25 /* of the learning rate, where a head is gone on from */

static jc_code start_head(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    jc_code code = jc_method_plain_head(fit->data, head, err);
    if (code)
        return code;
    if (fit->start)
        jc_method_copy_start(fit->start, head);
    else
        jc_method_average_rows(fit->data, fit->roles, head);
    return JC_OK;
}

static jc_code fit_head(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    const struct jc_train_config *config = fit->data->config;
    const struct jc_contrastive_config *contrastive = &config->contrastive;
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0}, watched = {0};
    JC_AUTO_FREE float *prior = calloc(fit->data->dataset->n_categories + 1, sizeof(*prior));
    if (!prior)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_code code = jc_samples_collect_fit(fit, &samples, &watched, err);
    if (!code)
        code = start_head(fit, head, err);
    if (code)
        return code;
    head->sharpness = SHARPNESS;
    jc_samples_prior(&samples, head->n_categories, (float)contrastive->prior, prior);
    const struct jc_training training = {
        .objective = {.prior = prior, .margin = (float)contrastive->margin, .dropout = (float)contrastive->dropout},
        .samples = &samples,
        .watched = &watched,
        .epochs = fit->start ? contrastive->refit_epochs : contrastive->epochs,
        .batch = contrastive->batch,
        .patience = contrastive->patience,
        .learning_rate = fit->start ? REFIT_RATE * contrastive->learning_rate : contrastive->learning_rate,
        .seed = config->seed,
        .n_threads = fit->data->n_threads,
    };
    return jc_training_run(&training, head, fit->curve, err);
}

const struct jc_method jc_method_contrastive = {
    .name = "contrastive",
    .help = "a table of category vectors trained against all other categories at once, until it stops getting better",
    .sharpness = SHARPNESS,
    .fit = fit_head,
};
