/* A training run: the steps and the two lists of them. */
#include "trainer/pipeline.h"

#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "model/encoder.h"
#include "text/tokenizer.h"
#include "trainer/calibrate.h"
#include "trainer/canaries.h"
#include "trainer/encode.h"
#include "trainer/predict.h"
#include "trainer/publish.h"
#include "trainer/report_content.h"
#include "trainer/split.h"

static void run_finish(struct jc_run *run)
{
    for (size_t i = 0; i < run->n_results; i++)
        jc_result_finish(&run->results[i]);
    free(run->n_train);
    jc_head_finish(&run->head);
    free(run->vectors);
    jc_tokens_finish(&run->tokens);
    jc_encoder_destroy(run->encoder);
    jc_tokenizer_destroy(run->tokenizer);
    jc_dataset_destroy(run->dataset);
}

static unsigned count_threads(const struct jc_train_config *config)
{
    return config->threads ? (unsigned)config->threads : jc_cpu_count();
}

static struct jc_train_data data_of(const struct jc_run *run)
{
    return (struct jc_train_data){.dataset = run->dataset,
                                  .vectors = run->vectors,
                                  .tokens = &run->tokens,
                                  .dim = jc_encoder_info(run->encoder)->dim,
                                  .n_threads = count_threads(run->config),
                                  .config = run->config};
}

static bool is_fake(const struct jc_train_config *config)
{
    return strcmp(config->encoder.kind, JC_ENCODER_FAKE) == 0;
}

/* First of all, so that a run with a missing weight file fails before it has read anything. */
static jc_code step_open(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    jc_code code =
        jc_encoder_load(config->encoder.kind, is_fake(config) ? NULL : config->encoder.path, &run->encoder, err);
    if (code)
        return code;
    const struct jc_encoder_info *info = jc_encoder_info(run->encoder);
    run->max_tokens = config->encoder.max_tokens ? config->encoder.max_tokens : info->max_tokens;
    if (run->max_tokens > info->max_tokens)
        return jc_fail(err, JC_E_INVALID, "encoder.max_tokens is %zu, the encoder takes %zu", run->max_tokens,
                       info->max_tokens);
    if ((code = jc_tokenizer_load(config->encoder.vocab, run->max_tokens, &run->tokenizer, err)))
        return code;
    if (info->vocab && info->vocab != jc_tokenizer_vocab_size(run->tokenizer))
        return jc_fail(err, JC_E_INVALID, "%s has %zu tokens, the encoder knows %zu", config->encoder.vocab,
                       jc_tokenizer_vocab_size(run->tokenizer), info->vocab);
    return JC_OK;
}

static jc_code step_read(struct jc_run *run, struct jc_err *err)
{
    run->dataset = jc_dataset_create();
    if (!run->dataset)
        return jc_fail(err, JC_E_NOMEM, "no memory for the data");
    jc_code code = jc_dataset_read(run->dataset, run->config, err);
    if (!code)
        fprintf(stderr, "read: %zu rows of %zu categories\n", run->dataset->n_examples, run->dataset->n_categories);
    return code;
}

static jc_code step_clean(struct jc_run *run, struct jc_err *err)
{
    jc_code code = jc_dataset_clean(run->dataset, run->config->direct_text, err);
    if (!code)
        fprintf(stderr, "clean: %zu distinct texts, %zu rows without text\n", jc_texts_count(run->dataset->texts),
                run->dataset->n_empty);
    return code;
}

static jc_code step_split(struct jc_run *run, struct jc_err *err)
{
    jc_code code = jc_split_dataset(run->dataset, run->config->split, err);
    if (!code)
        code = jc_split_validation(run->dataset, run->config->validation, err);
    if (!code)
        fprintf(stderr, "split: %zu rows train, %zu validation, %zu test, %zu unused\n",
                jc_dataset_count(run->dataset, JC_ROLE_TRAIN), jc_dataset_count(run->dataset, JC_ROLE_VALIDATION),
                jc_dataset_count(run->dataset, JC_ROLE_TEST), jc_dataset_count(run->dataset, JC_ROLE_UNUSED));
    return code;
}

static jc_code step_encode(struct jc_run *run, struct jc_err *err)
{
    jc_code code = jc_tokens_make(run->tokenizer, run->dataset->texts, &run->tokens, err);
    return code ? code
                : jc_encode_texts(run->encoder, &run->tokens, jc_texts_count(run->dataset->texts),
                                  count_threads(run->config), &run->vectors, &run->encode_seconds, err);
}

/* Fits on the training rows but the validation rows, and calibrates on those. What it finds holds for the same method
 * fitted on more rows. */
static jc_code calibrate(struct jc_run *run, const struct jc_method *method, struct jc_head *head, struct jc_err *err)
{
    double seconds;
    struct jc_train_data data = data_of(run);
    jc_code code = jc_method_fit(method, &data, JC_ROLE_TRAIN, head, &seconds, err);
    return code ? code : jc_calibrate(&data, JC_ROLE_VALIDATION, run->config->accept_precision, head, err);
}

static jc_code step_calibrate(struct jc_run *run, struct jc_err *err)
{
    for (size_t i = 0; i < run->n_methods; i++) {
        JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
        jc_code code = calibrate(run, run->methods[i], &head, err);
        if (code)
            return code;
        run->sharpness[i] = head.sharpness;
        run->min_confidence[i] = head.min_confidence;
        fprintf(stderr, "calibrate: %s, sharpness %.2f, accepts from a confidence of %.2f\n", run->methods[i]->name,
                (double)head.sharpness, (double)head.min_confidence);
    }
    return JC_OK;
}

/* Method i fitted on the rows of `roles`, with the calibration that was found. */
static jc_code fit_calibrated(struct jc_run *run, size_t i, unsigned roles, struct jc_head *head, double *seconds,
                              struct jc_err *err)
{
    struct jc_train_data data = data_of(run);
    jc_code code = jc_method_fit(run->methods[i], &data, roles, head, seconds, err);
    if (code)
        return code;
    head->sharpness = run->sharpness[i];
    head->min_confidence = run->min_confidence[i];
    return JC_OK;
}

/* Fits method i and predicts the held-out rows. */
static jc_code measure(struct jc_run *run, size_t i, struct jc_result *result, struct jc_err *err)
{
    struct jc_train_data data = data_of(run);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    size_t n;
    result->method = run->methods[i];
    jc_code code = fit_calibrated(run, i, JC_ROLE_TRAIN | JC_ROLE_VALIDATION, &head, &result->fit_seconds, err);
    if (code)
        return code;
    uint64_t start_ns = jc_clock_ns();
    if ((code = jc_predict(&data, &head, JC_ROLE_TEST, &result->predictions, &n, err)))
        return code;
    result->predict_seconds = (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S;
    const struct jc_evaluation_input input = {.predictions = result->predictions,
                                              .n = n,
                                              .categories = run->dataset->categories,
                                              .n_train = run->n_train,
                                              .n_categories = run->dataset->n_categories,
                                              .seed = run->config->softmax.seed};
    return jc_evaluation_compute(&input, &result->evaluation, err);
}

static jc_code step_evaluate(struct jc_run *run, struct jc_err *err)
{
    if (jc_dataset_count(run->dataset, JC_ROLE_TEST) == 0)
        return JC_OK;
    run->n_train = calloc(run->dataset->n_categories + 1, sizeof(*run->n_train));
    if (!run->n_train)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_data_report_count(run->dataset, JC_ROLE_TRAIN | JC_ROLE_VALIDATION, run->n_train);
    for (size_t i = 0; i < run->n_methods; i++) {
        struct jc_result *result = &run->results[run->n_results++];
        jc_code code = measure(run, i, result, err);
        if (code)
            return code;
    }
    return JC_OK;
}

/* The method with the highest top-1: what the report's details are about. */
static size_t find_best(const struct jc_run *run)
{
    size_t best = 0;
    for (size_t i = 1; i < run->n_results; i++)
        if (run->results[i].evaluation.top_1.value > run->results[best].evaluation.top_1.value)
            best = i;
    return best;
}

static jc_code write_report(const struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    struct jc_data_report data_report;
    size_t n_texts = jc_texts_count(run->dataset->texts);
    JC_AUTO_FREE uint32_t *lengths = calloc(n_texts + 1, sizeof(*lengths));
    if (!lengths)
        return jc_fail(err, JC_E_NOMEM, "no memory for the report");
    for (size_t i = 0; i < n_texts; i++)
        lengths[i] = (uint32_t)(run->tokens.offsets[i + 1] - run->tokens.offsets[i]);
    jc_code code = jc_data_report_compute(run->dataset, JC_ROLE_ANY, lengths, &data_report, err);
    if (code)
        return code;

    struct jc_report_method methods[JC_MAX_METHODS];
    for (size_t i = 0; i < run->n_results; i++)
        methods[i] = (struct jc_report_method){.name = run->results[i].method->name,
                                               .evaluation = &run->results[i].evaluation,
                                               .predictions = run->results[i].predictions,
                                               .fit_seconds = run->results[i].fit_seconds,
                                               .predict_seconds = run->results[i].predict_seconds};
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
                                              .methods = methods,
                                              .n_methods = run->n_results,
                                              .i_chosen = find_best(run),
                                              .encode_seconds = run->encode_seconds,
                                              .n_encoded = n_texts};
    code = jc_dir_create(config->report, err);
    if (!code)
        code = jc_report_write(config->report, &content, err);
    if (!code)
        printf("report: %s/report.html\n", config->report);
    return code;
}

static jc_code step_report(struct jc_run *run, struct jc_err *err)
{
    if (!run->n_results)
        return JC_OK;
    jc_report_print(run->results, run->n_results, run->encode_seconds, jc_texts_count(run->dataset->texts), stdout);
    return run->config->report[0] ? write_report(run, err) : JC_OK;
}

/* On every row: what was held out has been measured with. */
static jc_code step_fit(struct jc_run *run, struct jc_err *err)
{
    double seconds = 0;
    jc_code code = fit_calibrated(run, 0, JC_ROLE_ANY, &run->head, &seconds, err);
    if (!code)
        fprintf(stderr, "fit: %s on %zu rows in %.2f s\n", run->methods[0]->name, run->dataset->n_examples, seconds);
    return code;
}

static jc_code add_metrics(struct jc_manifest *manifest, const struct jc_evaluation *evaluation, struct jc_err *err)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"top_1", evaluation->top_1.value},
                {"top_1_low", evaluation->top_1.low},
                {"top_1_high", evaluation->top_1.high},
                {"top_3", evaluation->top_3.value},
                {"top_5", evaluation->top_5.value},
                {"mrr", evaluation->mrr.value},
                {"ece", evaluation->ece},
                {"n_test", (double)evaluation->n}};
    manifest->metrics = calloc(JC_COUNT(rows), sizeof(*manifest->metrics));
    if (!manifest->metrics)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        manifest->metrics[i] = (struct jc_manifest_metric){.name = strdup(rows[i].name), .value = rows[i].value};
        manifest->n_metrics++;
        if (!manifest->metrics[i].name)
            return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    }
    return JC_OK;
}

static jc_code fill_manifest(const struct jc_run *run, struct jc_manifest *manifest, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    manifest->name = strdup(config->name);
    manifest->taxonomy = strdup(config->taxonomy);
    manifest->method = strdup(run->methods[0]->name);
    manifest->data_version = strdup(config->data_version);
    manifest->attribution = strdup(config->attribution);
    manifest->encoder.kind = strdup(config->encoder.kind);
    manifest->encoder.name = strdup(config->encoder.name);
    manifest->encoder.max_tokens = run->max_tokens;
    if (!manifest->name || !manifest->taxonomy || !manifest->method || !manifest->data_version ||
        !manifest->attribution || !manifest->encoder.kind || !manifest->encoder.name)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    snprintf(manifest->encoder.source_sha256, sizeof(manifest->encoder.source_sha256), "%s",
             jc_encoder_info(run->encoder)->source_sha256);

    /* Listed in a portable bundle too, which does not hold it: assemble then takes no other vocabulary. */
    char sha256[JC_SHA256_HEX];
    jc_code code = jc_sha256_file(config->encoder.vocab, sha256, err);
    if (code || (code = jc_manifest_set_file(manifest, JC_BUNDLE_VOCAB, sha256, err)))
        return code;
    return run->n_results ? add_metrics(manifest, &run->results[0].evaluation, err) : JC_OK;
}

static jc_code step_publish(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    struct jc_train_data data = data_of(run);
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    if (!manifest)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    jc_code code = fill_manifest(run, manifest, err);
    if (code || (code = jc_canaries_choose(&data, &run->head, config->canaries, manifest, err)))
        return code;
    struct jc_bundle_content content = {
        .manifest = manifest,
        .categories = run->dataset->categories,
        .head = &run->head,
        .vocab_path = config->portable ? NULL : config->encoder.vocab,
        .encoder_path = config->portable || is_fake(config) ? NULL : config->encoder.path,
    };
    if ((code = jc_publish_bundle(config->output, &content, err)))
        return code;
    printf("%s: %s, %zu categories, %zu canaries\n", config->output, manifest->version, manifest->n_categories,
           manifest->n_canaries);
    return JC_OK;
}

struct step {
    const char *name;
    jc_code (*run)(struct jc_run *run, struct jc_err *err);
};

static const struct step evaluate_steps[] = {
    {"open", step_open},         {"read", step_read},     {"clean", step_clean},
    {"split", step_split},       {"encode", step_encode}, {"calibrate", step_calibrate},
    {"evaluate", step_evaluate}, {"report", step_report}, {NULL, NULL},
};

static const struct step fit_steps[] = {
    {"open", step_open},
    {"read", step_read},
    {"clean", step_clean},
    {"split", step_split},
    {"encode", step_encode},
    {"calibrate", step_calibrate},
    {"evaluate", step_evaluate},
    {"report", step_report},
    {"fit", step_fit},
    {"publish", step_publish},
    {NULL, NULL},
};

/* fit has one method, evaluate the configured list. */
static jc_code choose_methods(struct jc_run *run, enum jc_run_kind kind, struct jc_err *err)
{
    const struct jc_conf_list one = {.items = &run->config->method, .n = 1};
    const struct jc_conf_list *names = kind == JC_RUN_FIT ? &one : &run->config->methods;
    if (names->n == 0 || names->n > JC_MAX_METHODS)
        return jc_fail(err, JC_E_INVALID, "methods: 1 to %d are possible", JC_MAX_METHODS);
    for (; run->n_methods < names->n; run->n_methods++) {
        jc_code code = jc_method_find(names->items[run->n_methods], &run->methods[run->n_methods], err);
        if (code)
            return code;
    }
    if (kind == JC_RUN_EVALUATE && run->config->split == JC_SPLIT_NONE)
        return jc_fail(err, JC_E_INVALID, "split: none leaves nothing to evaluate on; set split: postings");
    return JC_OK;
}

jc_code jc_run_execute(const struct jc_train_config *config, enum jc_run_kind kind, struct jc_err *err)
{
    __attribute__((cleanup(run_finish))) struct jc_run run = {.config = config};
    jc_code code = choose_methods(&run, kind, err);
    if (code)
        return code;
    for (const struct step *step = kind == JC_RUN_FIT ? fit_steps : evaluate_steps; step->name; step++)
        if ((code = step->run(&run, err)))
            return jc_wrap(err, "%s", step->name);
    return JC_OK;
}
