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
    const struct jc_contrastive_config *contrastive = &fit->data->config->contrastive;
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0}, watched = {0};
    jc_code code = jc_samples_collect_fit(fit, &samples, &watched, err);
    if (code || (code = start_head(fit, head, err)))
        return code;
    head->sharpness = SHARPNESS;
    const struct jc_training_plan plan = {
        .objective = {.margin = (float)contrastive->margin, .dropout = (float)contrastive->dropout},
        .prior = contrastive->prior,
        .epochs = contrastive->epochs,
        .refit_epochs = contrastive->refit_epochs,
        .batch = contrastive->batch,
        .patience = contrastive->patience,
        .learning_rate = contrastive->learning_rate,
    };
    return jc_training_fit(&plan, fit, &samples, &watched, head, err);
}

const struct jc_method jc_method_contrastive = {
    .name = "contrastive",
    .help = "a table of category vectors trained against all other categories at once, until it stops getting better",
    .sharpness = SHARPNESS,
    .fit = fit_head,
};
