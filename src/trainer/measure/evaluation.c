/* Checks the predictions, and evaluates their ranks. See evaluation.h. */
#include "trainer/measure/evaluation.h"

#include <math.h>

#include "base/own.h"
#include "trainer/measure/evaluation_impl.h"

/* A sum of a thousand float32 probabilities may end a little over 1. */
static const float PROBABILITY_MAX = 1.001f;

double jc_tally_top_1(const struct jc_tally *tally)
{
    return tally->n ? (double)tally->n_top_1 / tally->n : 0;
}

double jc_tally_top_5(const struct jc_tally *tally)
{
    return tally->n ? (double)tally->n_top_5 / tally->n : 0;
}

static bool is_probability(float p)
{
    return p >= 0 && p <= PROBABILITY_MAX; /* false for NaN */
}

static jc_code check_prediction(const struct jc_prediction *p, size_t i, size_t n_categories, struct jc_err *err)
{
    if (p->category >= n_categories || p->rank == 0 || p->rank > n_categories)
        return jc_fail(err, JC_E_INVALID, "prediction %zu: category %u at rank %u of %zu categories", i, p->category,
                       p->rank, n_categories);
    if (p->n_hits == 0 || p->n_hits > JC_PREDICTION_HITS)
        return jc_fail(err, JC_E_INVALID, "prediction %zu: %u hits", i, p->n_hits);
    for (size_t h = 0; h < p->n_hits; h++) {
        if (p->hits[h].index >= n_categories)
            return jc_fail(err, JC_E_INVALID, "prediction %zu: hit %zu is category %u of %zu", i, h, p->hits[h].index,
                           n_categories);
        if ((p->hits[h].index == p->category) != (p->rank == h + 1))
            return jc_fail(err, JC_E_INVALID, "prediction %zu: rank %u contradicts hit %zu", i, p->rank, h);
    }
    if (!is_probability(p->confidence) || !is_probability(p->right_probability) || !(p->brier >= 0) ||
        !isfinite(p->brier))
        return jc_fail(err, JC_E_INVALID, "prediction %zu: confidence %g, probability %g, Brier score %g", i,
                       (double)p->confidence, (double)p->right_probability, (double)p->brier);
    return JC_OK;
}

static jc_code check_input(const struct jc_evaluation_input *input, struct jc_err *err)
{
    if (input->n == 0 || input->n > UINT32_MAX)
        return jc_fail(err, JC_E_INVALID, "%zu predictions to evaluate", input->n);
    for (size_t i = 0; i < input->n; i++) {
        jc_code code = check_prediction(&input->predictions[i], i, input->n_categories, err);
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code add_ranks(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation, struct jc_err *err)
{
    JC_AUTO_FREE float *values = calloc(input->n, JC_BOOTSTRAP_COLUMNS * sizeof(*values));
    if (!values)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", input->n);
    size_t n_top_10 = 0;
    for (size_t i = 0; i < input->n; i++) {
        uint32_t rank = input->predictions[i].rank;
        float *row = values + i * JC_BOOTSTRAP_COLUMNS;
        row[0] = rank <= 1;
        row[1] = rank <= 3;
        row[2] = rank <= 5;
        row[3] = 1.0f / (float)rank;
        n_top_10 += rank <= 10;
    }
    struct jc_estimate means[JC_BOOTSTRAP_COLUMNS];
    jc_code code = jc_bootstrap_means(values, input->n, input->seed, means, err);
    if (code)
        return code;
    evaluation->top_1 = means[0];
    evaluation->top_3 = means[1];
    evaluation->top_5 = means[2];
    evaluation->mrr = means[3];
    evaluation->top_10 = (double)n_top_10 / (double)input->n;
    return JC_OK;
}

static jc_code add_categories(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation,
                              struct jc_err *err)
{
    evaluation->categories = calloc(input->n_categories, sizeof(*evaluation->categories));
    if (!evaluation->categories)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", input->n_categories);
    evaluation->n_categories = input->n_categories;
    for (size_t i = 0; i < input->n; i++)
        jc_tally_add(&evaluation->categories[input->predictions[i].category], input->predictions[i].rank);

    double sum = 0;
    for (size_t c = 0; c < input->n_categories; c++) {
        const struct jc_tally *tally = &evaluation->categories[c];
        struct jc_size_result *size = &evaluation->sizes[jc_size_bin_of(input->n_train[c])];
        size->n_categories++;
        size->rows.n += tally->n;
        size->rows.n_top_1 += tally->n_top_1;
        size->rows.n_top_5 += tally->n_top_5;
        evaluation->n_tested += tally->n > 0;
        sum += jc_tally_top_1(tally);
    }
    evaluation->macro_accuracy = sum / (double)evaluation->n_tested;
    return JC_OK;
}

jc_code jc_evaluation_compute(const struct jc_evaluation_input *input, struct jc_evaluation *ret_evaluation,
                              struct jc_err *err)
{
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation evaluation = {.n = input->n};
    jc_code code = check_input(input, err);
    if (code || (code = add_ranks(input, &evaluation, err)) || (code = add_categories(input, &evaluation, err)) ||
        (code = jc_evaluation_add_confidence(input, &evaluation, err)) ||
        (code = jc_evaluation_add_confusion(input, &evaluation, err)))
        return code;
    *ret_evaluation = evaluation;
    evaluation = (struct jc_evaluation){0}; /* handed over */
    return JC_OK;
}

void jc_evaluation_finish(struct jc_evaluation *evaluation)
{
    free(evaluation->categories);
    free(evaluation->groups);
    free(evaluation->group_confusion);
    *evaluation = (struct jc_evaluation){0};
}
