/* A training run: the lists of steps. */
#include "trainer/pipeline.h"

#include <string.h>

#include "base/cpu.h"
#include "base/parse.h"

struct step {
    const char *name;
    jc_code (*run)(struct jc_run *run, struct jc_err *err);
};

#define DATA_STEPS                                                            \
    {"open", jc_step_open}, {"read", jc_step_read}, {"split", jc_step_split}, \
    {                                                                         \
        "encode", jc_step_encode                                              \
    }
#define MEASURE_STEPS                                               \
    {"calibrate", jc_step_calibrate}, {"measure", jc_step_measure}, \
    {                                                               \
        "report", jc_step_report                                    \
    }

static const struct step evaluate_steps[] = {DATA_STEPS, MEASURE_STEPS, {NULL, NULL}};
static const struct step fit_steps[] = {
    DATA_STEPS,  MEASURE_STEPS, {"judge", jc_step_judge}, {"fit", jc_step_fit}, {"publish", jc_step_publish},
    {NULL, NULL}};
static const struct step compare_steps[] = {DATA_STEPS, {"compare", jc_step_compare}, {NULL, NULL}};

static const struct step *const steps_of[] = {
    [JC_RUN_EVALUATE] = evaluate_steps, [JC_RUN_FIT] = fit_steps, [JC_RUN_COMPARE] = compare_steps};

struct jc_train_data jc_run_data(const struct jc_run *run)
{
    return (struct jc_train_data){.dataset = run->dataset,
                                  .vectors = run->vectors.vectors,
                                  .rows = run->vectors.rows,
                                  .tokens = &run->tokens,
                                  .dim = jc_encoder_info(run->encoder)->dim,
                                  .n_threads = run->config->threads ? (unsigned)run->config->threads : jc_cpu_count(),
                                  .config = run->config};
}

bool jc_run_is_fake(const struct jc_run *run)
{
    return strcmp(run->config->encoder.kind, JC_ENCODER_FAKE) == 0;
}

unsigned jc_run_published_roles(const struct jc_run *run)
{
    return run->config->all_rows ? JC_ROLE_ANY : JC_ROLES_FITTED;
}

void jc_run_finish(struct jc_run *run)
{
    for (size_t i = 0; i < run->n_results; i++)
        jc_result_finish(&run->results[i]);
    free(run->n_train);
    jc_head_finish(&run->head);
    jc_vectors_finish(&run->vectors);
    jc_tokens_finish(&run->tokens);
    jc_calibration_finish(&run->calibration);
    jc_encoder_destroy(run->encoder);
    jc_tokenizer_destroy(run->tokenizer);
    jc_dataset_destroy(run->dataset);
}

/* fit has one method, evaluate the configured list. */
static jc_code choose_methods(struct jc_run *run, struct jc_err *err)
{
    const struct jc_conf_list one = {.items = &run->config->method, .n = 1};
    const struct jc_conf_list *names = run->request->kind == JC_RUN_FIT ? &one : &run->config->methods;
    if (names->n == 0 || names->n > JC_MAX_METHODS)
        return jc_fail(err, JC_E_INVALID, "methods: 1 to %d are possible", JC_MAX_METHODS);
    for (; run->n_results < names->n; run->n_results++) {
        jc_code code = jc_method_find(names->items[run->n_results], &run->results[run->n_results].method, err);
        if (code)
            return code;
    }
    return JC_OK;
}

/* What can be found wrong before anything is read, and would else be found when all is done. */
static jc_code check_request(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    run->margin = run->request->margin;
    if (*config->refuse_worse && run->request->kind == JC_RUN_FIT &&
        (jc_parse_f64(config->refuse_worse, &run->margin, err) || run->margin < 0 || run->margin > 1))
        return jc_fail(err, JC_E_INVALID, "refuse_worse: '%s' is no number from 0 to 1", config->refuse_worse);
    if (run->request->kind != JC_RUN_FIT && config->split.kind == JC_SPLIT_NONE)
        return jc_fail(err, JC_E_INVALID, "split.kind: none leaves nothing to evaluate on");
    if (*config->refuse_worse && config->split.kind == JC_SPLIT_NONE)
        return jc_fail(err, JC_E_INVALID, "refuse_worse needs test rows, and split.kind: none leaves none");
    if (*config->refuse_worse && config->all_rows && run->request->kind == JC_RUN_FIT)
        return jc_fail(
            err, JC_E_INVALID,
            "refuse_worse with all_rows: true would compare with a model that was fitted on the test rows; set "
            "all_rows: false");
    return JC_OK;
}

jc_code jc_run_execute(const struct jc_run_request *request, enum jc_verdict *ret_verdict, struct jc_err *err)
{
    __attribute__((cleanup(jc_run_finish))) struct jc_run run = {
        .request = request, .config = request->config, .verdict = JC_VERDICT_NOT_WORSE};
    jc_code code = check_request(&run, err);
    if (!code && request->kind != JC_RUN_COMPARE)
        code = choose_methods(&run, err);
    if (code)
        return code;
    for (const struct step *step = steps_of[request->kind]; step->name; step++) {
        if ((code = step->run(&run, err)))
            return jc_wrap(err, "%s", step->name);
        if (request->kind == JC_RUN_FIT && run.verdict == JC_VERDICT_WORSE)
            break;
    }
    *ret_verdict = run.verdict;
    return JC_OK;
}
