/*
 * Blend: softmax and the soft vote of the nearest training texts, added (artifact/head.h). The vote's weight is the one
 * with the least negative log-likelihood on the watched rows, each weight with its own best sharpness. Softmax knows
 * the categories, the vote remembers the unusual titles; together they beat both.
 */
#include "trainer/config.h"
#include "trainer/measure/calibrate.h"
#include "trainer/measure/golden.h"
#include "trainer/methods/exemplar.h"

#define DEFAULT_WEIGHT 0.3F
enum { WEIGHT_STEPS = 10, WEIGHT_ROWS = 2048 };

/* The two parts of the watched rows' scores. */
struct parts {
    struct jc_scores head, vote; /* vote: without weight */
    struct jc_scores sum;        /* values: [n][n_categories] to mix them in */
};

static void parts_finish(struct parts *parts)
{
    jc_scores_finish(&parts->head);
    jc_scores_finish(&parts->vote);
    free(parts->sum.values);
}

/* head: its exemplars vote with weight 1. */
static jc_code collect_parts(const struct jc_fit *fit, const struct jc_head *head, struct parts *parts,
                             struct jc_err *err)
{
    struct jc_head alone = *head; /* borrows all but the vote, which is dear */
    alone.exemplars = (struct jc_exemplars){0};
    jc_code code = jc_scores_collect(fit->data, &alone, fit->watch, WEIGHT_ROWS, &parts->head, err);
    if (code || (code = jc_scores_collect(fit->data, head, fit->watch, WEIGHT_ROWS, &parts->vote, err)))
        return code;
    size_t n = parts->head.n * head->n_categories;
    parts->sum = parts->head;
    parts->sum.values = calloc(n, sizeof(float));
    if (!parts->sum.values)
        return jc_fail(err, JC_E_NOMEM, "no memory to choose the weight");
    for (size_t i = 0; i < n; i++)
        parts->vote.values[i] -= parts->head.values[i];
    return JC_OK;
}

static double measure(void *context, double weight)
{
    struct parts *parts = context;
    double nll;
    for (size_t i = 0; i < parts->sum.n * parts->sum.n_categories; i++)
        parts->sum.values[i] = parts->head.values[i] + (float)weight * parts->vote.values[i];
    jc_scores_find_sharpness(&parts->sum, &nll);
    return nll;
}

static jc_code fit_blend(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    const struct jc_exemplar_config *config = &fit->data->config->exemplar;
    jc_code code = jc_method_softmax.fit(fit, head, err);
    if (code || (code = jc_exemplars_make(fit->data, fit->roles, (uint32_t)config->k, (float)config->sharpness,
                                          &head->exemplars, err)))
        return code;
    float weight = fit->start ? fit->start->exemplars.weight : DEFAULT_WEIGHT;
    __attribute__((cleanup(parts_finish))) struct parts parts = {0};
    if (fit->watch && (code = collect_parts(fit, head, &parts, err)))
        return code;
    double nll;
    if (parts.head.n)
        weight = (float)jc_golden_search(measure, &parts, 0, 1, WEIGHT_STEPS, &nll);
    head->exemplars.weight = weight;
    return JC_OK;
}

const struct jc_method jc_method_blend = {
    .name = "blend", .help = "softmax and exemplar together", .sharpness = 25, .fit = fit_blend};
