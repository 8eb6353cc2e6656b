/* The steps that fit: calibrate, measure, fit. */
#include <string.h>

#include "base/clock.h"
#include "trainer/measure/calibrate.h"
#include "trainer/measure/data_report.h"
#include "trainer/measure/predict.h"
#include "trainer/pipeline.h"

static double seconds_since(uint64_t start_ns)
{
    return (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S;
}

/* Fits a head on `roles`, going on from the result's calibrated one, whose calibration it keeps. */
static jc_code refit(struct jc_run *run, struct jc_result *result, unsigned roles, struct jc_head *ret_head,
                     struct jc_err *err)
{
    double seconds;
    struct jc_train_data data = jc_run_data(run);
    const struct jc_fit fit = {.data = &data, .roles = roles, .start = result->head.matrix ? &result->head : NULL};
    jc_code code = jc_method_fit(result->method, &fit, ret_head, &seconds, err);
    if (code)
        return code;
    if (fit.start)
        jc_head_copy_calibration(fit.start, ret_head);
    result->fit_seconds += seconds;
    return JC_OK;
}

static jc_code evaluate(const struct jc_run *run, const struct jc_head *head, unsigned roles,
                        struct jc_prediction **ret_predictions, struct jc_evaluation *ret_evaluation,
                        struct jc_err *err)
{
    struct jc_train_data data = jc_run_data(run);
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n;
    jc_code code = jc_predict(&data, head, roles, &predictions, &n, err);
    if (code)
        return code;
    const struct jc_evaluation_input input = {.predictions = predictions,
                                              .n = n,
                                              .categories = run->dataset->categories,
                                              .n_train = run->n_train,
                                              .n_categories = run->dataset->n_categories,
                                              .seed = run->config->seed};
    if ((code = jc_evaluation_compute(&input, ret_evaluation, err)))
        return code;
    *ret_predictions = TAKE(predictions);
    return JC_OK;
}

/* On the training rows but the validation rows, which then calibrate. What is found holds for the same method fitted on
 * more rows. */
static jc_code calibrate(struct jc_run *run, struct jc_result *result, struct jc_err *err)
{
    struct jc_train_data data = jc_run_data(run);
    const struct jc_fit fit = {
        .data = &data, .roles = JC_ROLE_TRAIN, .watch = JC_ROLE_VALIDATION, .curve = &result->curve};
    jc_code code = jc_method_fit(result->method, &fit, &result->head, &result->fit_seconds, err);
    if (!code)
        code = jc_calibrate(&data, JC_ROLE_VALIDATION, run->config->accept_precision, &result->head, err);
    if (code)
        return code;
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    return evaluate(run, &result->head, JC_ROLE_VALIDATION, &predictions, &result->validation, err);
}

static void print_calibration(const struct jc_result *result)
{
    const struct jc_evaluation *validation = &result->validation;
    fprintf(stderr, "calibrate: %s in %.1f s, top-1 %.4f and ECE %.4f on %zu validation rows, ", result->method->name,
            result->fit_seconds, validation->top_1.value, validation->ece, validation->n);
    if (result->head.min_confidence < JC_HEAD_ACCEPT_NONE)
        fprintf(stderr, "accepts from a confidence of %.2f\n", (double)result->head.min_confidence);
    else
        fputs("accepts none: they are too few or too often wrong for calibration.accept_precision\n", stderr);
}

jc_code jc_step_calibrate(struct jc_run *run, struct jc_err *err)
{
    run->n_train = calloc(run->dataset->n_categories, sizeof(*run->n_train));
    if (!run->n_train)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", run->dataset->n_categories);
    jc_data_report_count(run->dataset, JC_ROLES_FITTED, run->n_train);
    if (run->config->validation > 0 && run->split.n_validation == 0)
        fputs("calibrate: there is no title that could be held out: confidence is not calibrated, and no answer "
              "accepted\n",
              stderr);
    for (size_t i = 0; i < run->n_results && run->split.n_validation; i++) {
        struct jc_result *result = &run->results[i];
        jc_code code = calibrate(run, result, err);
        if (code)
            return code;
        print_calibration(result);
    }
    return JC_OK;
}

jc_code jc_step_measure(struct jc_run *run, struct jc_err *err)
{
    for (size_t i = 0; i < run->n_results && run->split.n_test; i++) {
        struct jc_result *result = &run->results[i];
        jc_code code = refit(run, result, JC_ROLES_FITTED, &result->measured, err);
        if (code)
            return code;
        uint64_t start_ns = jc_clock_ns();
        if ((code = evaluate(run, &result->measured, JC_ROLE_TEST, &result->predictions, &result->evaluation, err)))
            return code;
        result->predict_seconds = seconds_since(start_ns);
    }
    run->is_measured = run->split.n_test > 0;
    return JC_OK;
}

/* What is published goes on from the calibrated head once, as what was measured did; or is what was measured. */
jc_code jc_step_fit(struct jc_run *run, struct jc_err *err)
{
    struct jc_result *result = &run->results[0];
    unsigned roles = jc_run_published_roles(run);
    jc_code code = JC_OK;
    if (run->is_measured && !run->config->all_rows) {
        run->head = result->measured;
        result->measured = (struct jc_head){0};
    } else {
        code = refit(run, result, roles, &run->head, err);
    }
    if (!code)
        fprintf(stderr, "fit: %s on %zu examples, %.2f s in all\n", result->method->name,
                jc_dataset_count(run->dataset, roles), result->fit_seconds);
    return code;
}
