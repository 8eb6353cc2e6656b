/* A training run: the steps and the two lists of them. */
#include "trainer/pipeline.h"

#include <string.h>

#include "base/cpu.h"
#include "model/encoder.h"
#include "text/tokenizer.h"
#include "trainer/canaries.h"
#include "trainer/encode.h"
#include "trainer/publish.h"
#include "trainer/split.h"

static void run_finish(struct jc_run *run)
{
    free(run->embeddings);
    free(run->vectors);
    jc_encoder_destroy(run->encoder);
    jc_tokenizer_destroy(run->tokenizer);
    jc_dataset_destroy(run->dataset);
}

static struct jc_train_data data_of(const struct jc_run *run)
{
    return (struct jc_train_data){
        .dataset = run->dataset, .vectors = run->vectors, .dim = jc_encoder_info(run->encoder)->dim};
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
        fprintf(stderr, "split: %zu rows train, %zu test, %zu unused\n", jc_dataset_count(run->dataset, JC_ROLE_TRAIN),
                jc_dataset_count(run->dataset, JC_ROLE_TEST), jc_dataset_count(run->dataset, JC_ROLE_UNUSED));
    return code;
}

static jc_code step_encode(struct jc_run *run, struct jc_err *err)
{
    unsigned n_threads = run->config->threads ? (unsigned)run->config->threads : jc_cpu_count();
    return jc_encode_texts(run->encoder, run->tokenizer, run->dataset->texts, n_threads, &run->vectors,
                           &run->encode_seconds, err);
}

static jc_code step_evaluate(struct jc_run *run, struct jc_err *err)
{
    if (jc_dataset_count(run->dataset, JC_ROLE_TEST) == 0)
        return JC_OK;
    struct jc_train_data data = data_of(run);
    for (size_t i = 0; i < run->n_methods; i++) {
        struct jc_result result = {.method = run->methods[i]};
        JC_AUTO_FREE float *embeddings = NULL;
        jc_code code = jc_method_fit(run->methods[i], &data, JC_ROLE_TRAIN, &embeddings, &result.fit_seconds, err);
        if (code || (code = jc_metrics_measure(&data, embeddings, JC_ROLE_TEST, &result.metrics, err)))
            return code;
        run->results[run->n_results++] = result;
    }
    return JC_OK;
}

static jc_code step_report(struct jc_run *run, struct jc_err *err)
{
    (void)err;
    if (run->n_results)
        jc_report_print(run->results, run->n_results, run->encode_seconds, jc_texts_count(run->dataset->texts), stdout);
    return JC_OK;
}

/* On every row: what was held out has been measured with. */
static jc_code step_fit(struct jc_run *run, struct jc_err *err)
{
    double seconds = 0;
    struct jc_train_data data = data_of(run);
    jc_code code = jc_method_fit(run->methods[0], &data, JC_ROLE_ANY, &run->embeddings, &seconds, err);
    if (!code)
        fprintf(stderr, "fit: %s on %zu rows in %.2f s\n", run->methods[0]->name, run->dataset->n_examples, seconds);
    return code;
}

static jc_code add_metrics(struct jc_manifest *manifest, const struct jc_metrics *metrics, struct jc_err *err)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"top_1", metrics->top_1},
                {"top_3", metrics->top_3},
                {"top_5", metrics->top_5},
                {"mrr", metrics->mrr},
                {"n_test", (double)metrics->n}};
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
    return run->n_results ? add_metrics(manifest, &run->results[0].metrics, err) : JC_OK;
}

static jc_code step_publish(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    struct jc_train_data data = data_of(run);
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    if (!manifest)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    jc_code code = fill_manifest(run, manifest, err);
    if (code || (code = jc_canaries_choose(&data, run->embeddings, config->canaries, manifest, err)))
        return code;
    struct jc_bundle_content content = {
        .manifest = manifest,
        .categories = run->dataset->categories,
        .n_categories = run->dataset->n_categories,
        .embeddings = run->embeddings,
        .dim = data.dim,
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
    {"open", step_open},     {"read", step_read},         {"clean", step_clean},   {"split", step_split},
    {"encode", step_encode}, {"evaluate", step_evaluate}, {"report", step_report}, {NULL, NULL},
};

static const struct step fit_steps[] = {
    {"open", step_open},       {"read", step_read},
    {"clean", step_clean},     {"split", step_split},
    {"encode", step_encode},   {"evaluate", step_evaluate},
    {"report", step_report},   {"fit", step_fit},
    {"publish", step_publish}, {NULL, NULL},
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
