/* The step `report`: the table, and the two files. */
#include "base/clock.h"
#include "base/file.h"
#include "trainer/measure/data_report.h"
#include "trainer/measure/mislabelled.h"
#include "trainer/pipeline.h"
#include "trainer/report/report_content.h"

/* The method with the highest top-1: what the report's details are about. */
static size_t find_best(const struct jc_run *run)
{
    size_t best = 0;
    for (size_t i = 1; i < run->n_results; i++)
        if (run->results[i].evaluation.top_1.value > run->results[best].evaluation.top_1.value)
            best = i;
    return best;
}

static jc_code describe_data(const struct jc_run *run, struct jc_data_report *ret_report, struct jc_err *err)
{
    size_t n_texts = jc_texts_count(run->dataset->texts);
    JC_AUTO_FREE uint32_t *lengths = calloc(n_texts + 1, sizeof(*lengths));
    if (!lengths)
        return jc_fail(err, JC_E_NOMEM, "no memory for the report");
    for (size_t i = 0; i < n_texts; i++)
        lengths[i] = (uint32_t)(run->tokens.offsets[i + 1] - run->tokens.offsets[i]);
    return jc_data_report_compute(run->dataset, JC_ROLE_ANY, lengths, ret_report, err);
}

/* Every other method against the best one. */
static jc_code compare_methods(const struct jc_run *run, size_t i_best, struct jc_comparison *comparisons,
                               struct jc_report_comparison *ret_pairs, size_t *ret_n, struct jc_err *err)
{
    size_t n = 0;
    const struct jc_result *best = &run->results[i_best];
    for (size_t i = 0; i < run->n_results; i++) {
        const struct jc_result *other = &run->results[i];
        if (i == i_best)
            continue;
        jc_code code = jc_comparison_compute(other->predictions, best->predictions, best->evaluation.n,
                                             run->config->seed, &comparisons[n], err);
        if (code)
            return code;
        ret_pairs[n] = (struct jc_report_comparison){
            .a = other->method->name, .b = best->method->name, .comparison = &comparisons[n]};
        n++;
    }
    *ret_n = n;
    return JC_OK;
}

static jc_code write_report(const struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    const struct jc_train_data data = jc_run_data(run);
    struct jc_data_report data_report;
    struct jc_mislabelled mislabelled;
    struct jc_comparison comparisons[JC_MAX_METHODS];
    struct jc_report_comparison pairs[JC_MAX_METHODS];
    size_t i_best = find_best(run), n_pairs;
    jc_code code;
    if ((code = describe_data(run, &data_report, err)) ||
        (code = jc_mislabelled_find(&data, JC_ROLE_ANY, &mislabelled, err)) ||
        (code = compare_methods(run, i_best, comparisons, pairs, &n_pairs, err)))
        return code;

    struct jc_report_method methods[JC_MAX_METHODS];
    for (size_t i = 0; i < run->n_results; i++) {
        const struct jc_result *result = &run->results[i];
        methods[i] = (struct jc_report_method){.name = result->method->name,
                                               .evaluation = &result->evaluation,
                                               .validation = result->validation.n ? &result->validation : NULL,
                                               .predictions = result->predictions,
                                               .fit_seconds = result->fit_seconds,
                                               .predict_seconds = result->predict_seconds,
                                               .curve = &result->curve};
    }
    char now[JC_CLOCK_TEXT];
    jc_clock_utc(now);
    const struct jc_report_content content = {.model = config->name,
                                              .data = config->data_version,
                                              .encoder = config->encoder.name,
                                              .date = now,
                                              .measured_on = "test",
                                              .attribution = config->attribution,
                                              .dataset = run->dataset,
                                              .n_train = run->n_train,
                                              .data_report = &data_report,
                                              .read = &run->read,
                                              .split = &run->split,
                                              .mislabelled = &mislabelled,
                                              .methods = methods,
                                              .n_methods = run->n_results,
                                              .i_chosen = i_best,
                                              .comparisons = pairs,
                                              .n_comparisons = n_pairs,
                                              .encode_seconds = run->encoding.seconds,
                                              .n_encoded = run->encoding.n_encoded};
    if ((code = jc_dir_create(config->report, err)) || (code = jc_report_write(config->report, &content, err)))
        return code;
    printf("report: %s/report.html\n", config->report);
    return JC_OK;
}

jc_code jc_step_report(struct jc_run *run, struct jc_err *err)
{
    if (!run->is_measured)
        return JC_OK;
    jc_report_print(run->results, run->n_results, stdout);
    puts("P@50%: precision of the surest half; n: test rows; fit s: fitting, without encoding");
    printf("encoding: %zu texts in %.1f s, %zu more from the cache\n", run->encoding.n_encoded, run->encoding.seconds,
           run->encoding.n_cached);
    return *run->config->report ? write_report(run, err) : JC_OK;
}
