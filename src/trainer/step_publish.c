/* The step `publish`: the manifest, and the bundle. */
#include <string.h>

#include "trainer/pipeline.h"
#include "trainer/publish/canaries.h"
#include "trainer/publish/publish.h"

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
    manifest->method = strdup(run->results[0].method->name);
    manifest->data_version = strdup(config->data_version);
    manifest->attribution = strdup(config->attribution);
    manifest->encoder.kind = strdup(config->encoder.kind);
    manifest->encoder.name = strdup(config->encoder.name);
    manifest->encoder.max_tokens = run->max_tokens;
    manifest->encoder.part = strdup(jc_posting_part_name(config->part));
    manifest->encoder.prefix = strdup(config->encoder.prefix);
    manifest->encoder.chunks = config->chunks;
    if (!manifest->name || !manifest->taxonomy || !manifest->method || !manifest->data_version ||
        !manifest->attribution || !manifest->encoder.kind || !manifest->encoder.name || !manifest->encoder.part ||
        !manifest->encoder.prefix)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    snprintf(manifest->encoder.source_sha256, sizeof(manifest->encoder.source_sha256), "%s",
             jc_encoder_info(run->encoder)->source_sha256);

    /* Listed in a portable bundle too, which does not hold it: assemble then takes no other vocabulary. */
    char sha256[JC_SHA256_HEX];
    jc_code code = jc_sha256_file(run->vocab_path, sha256, err);
    if (code || (code = jc_manifest_set_file(manifest, JC_BUNDLE_VOCAB, sha256, err)))
        return code;
    return run->is_measured ? add_metrics(manifest, &run->results[0].evaluation, err) : JC_OK;
}

jc_code jc_step_publish(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    struct jc_train_data data = jc_run_data(run);
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    if (!manifest)
        return jc_fail(err, JC_E_NOMEM, "no memory for the manifest");
    jc_code code = fill_manifest(run, manifest, err);
    if (code ||
        (code = jc_canaries_choose(&data, &run->head, jc_run_published_roles(run), config->canaries, manifest, err)))
        return code;
    struct jc_bundle_content content = {
        .manifest = manifest,
        .categories = run->dataset->categories,
        .head = &run->head,
        .vocab_path = config->portable ? NULL : run->vocab_path,
        .weights_path = config->portable || jc_run_is_fake(run) ? NULL : run->weights_path,
        .bert = jc_run_is_fake(run) ? NULL : &run->bert,
        .calibration = run->calibration.values,
        .n_calibration = run->calibration.n,
    };
    code = config->keep ? jc_publish_version(config->output, config->keep, &content, err)
                        : jc_publish_bundle(config->output, &content, err);
    if (code)
        return code;
    printf("%s, %zu categories, %zu canaries\npublished: %s%s\n", manifest->version, manifest->n_categories,
           manifest->n_canaries, config->output, config->keep ? "/current" : "");
    return JC_OK;
}
