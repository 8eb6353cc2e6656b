/* A published model on the rows of a run. See baseline.h. */
#include "trainer/measure/baseline.h"

#include <string.h>

#include "trainer/measure/predict.h"

/* Below every score that a category of the model can have. */
#define NEVER (-1e6F)

/* map [of the bundle's categories]: the run's category of the same code, or a number of its own behind them. Returns
 * how many categories there are in all. */
static size_t match_categories(const struct jc_dataset *dataset, const struct jc_category *categories, size_t n,
                               uint32_t *ret_map)
{
    size_t n_all = dataset->n_categories;
    for (size_t i = 0; i < n; i++)
        if (!jc_dataset_find_category(dataset, categories[i].code, &ret_map[i]))
            ret_map[i] = (uint32_t)n_all++;
    return n_all;
}

static jc_code copy_exemplars(const struct jc_exemplars *from, const uint32_t *map, struct jc_exemplars *to,
                              struct jc_err *err)
{
    if (from->n == 0)
        return JC_OK;
    size_t n_codes = from->code_begins[from->n];
    jc_code code = jc_exemplars_init(to, from->n, from->dim, n_codes, 1, err);
    if (code)
        return code;
    memcpy(to->vectors, from->vectors, from->n * from->dim * sizeof(*to->vectors));
    memcpy(to->code_begins, from->code_begins, (from->n + 1) * sizeof(*to->code_begins));
    memcpy(to->code_weights, from->code_weights, n_codes * sizeof(*to->code_weights));
    for (size_t i = 0; i < n_codes; i++)
        to->codes[i] = map[from->codes[i]];
    to->k = from->k;
    to->sharpness = from->sharpness;
    to->weight = from->weight;
    return JC_OK;
}

/* The head with its categories in the run's order; one that it does not have is never answered. */
static jc_code arrange(const struct jc_head *from, const uint32_t *map, size_t n_categories, struct jc_head *to,
                       struct jc_err *err)
{
    size_t width = jc_head_width(from);
    jc_code code = jc_head_init(to, n_categories, from->dim, from->lexicon_dim, from->n_features, err);
    if (code)
        return code;
    for (size_t i = 0; i < n_categories; i++)
        to->bias[i] = NEVER;
    for (size_t i = 0; i < from->n_categories; i++) {
        memcpy(to->matrix + map[i] * width, from->matrix + i * width, width * sizeof(*to->matrix));
        to->bias[map[i]] = from->bias[i];
    }
    if (from->n_features) {
        memcpy(to->keys, from->keys, from->n_features * sizeof(*to->keys));
        memcpy(to->lexicon, from->lexicon, from->n_features * from->lexicon_dim * sizeof(*to->lexicon));
    }
    jc_head_copy_calibration(from, to);
    return copy_exemplars(&from->exemplars, map, &to->exemplars, err);
}

static jc_code check_encoder(const struct jc_run *run, const struct jc_manifest *manifest, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    const char *source = jc_encoder_info(run->encoder)->source_sha256;
    if (strcmp(manifest->encoder.kind, config->encoder.kind) != 0 ||
        strcmp(manifest->encoder.source_sha256, source) != 0 || manifest->encoder.max_tokens != run->max_tokens)
        return jc_fail(err, JC_E_INVALID, "it was made for another encoder (%s, %zu tokens)", manifest->encoder.name,
                       manifest->encoder.max_tokens);
    if (strcmp(manifest->encoder.prefix, config->encoder.prefix) != 0)
        return jc_fail(err, JC_E_INVALID, "it was made for another encoder.prefix ('%s')", manifest->encoder.prefix);
    if (strcmp(manifest->encoder.part, jc_posting_part_name(config->part)) != 0 ||
        manifest->encoder.chunks != config->chunks)
        return jc_fail(err, JC_E_INVALID, "it was made for another part of a posting (text.part, text.chunks)");
    const struct jc_manifest_file *vocab = jc_manifest_find_file(manifest, JC_BUNDLE_VOCAB);
    char sha256[JC_SHA256_HEX];
    jc_code code = jc_sha256_file(run->vocab_path, sha256, err);
    if (code)
        return code;
    if (vocab && strcmp(vocab->sha256, sha256) != 0)
        return jc_fail(err, JC_E_INVALID, "it was made for another vocabulary");
    return JC_OK;
}

/* A category that the model does not have is right nowhere, however few the model's own are. */
static void refuse_missing(const struct jc_head *head, struct jc_prediction *predictions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (head->bias[predictions[i].category] <= NEVER)
            predictions[i].rank = JC_RANK_NONE;
}

jc_code jc_baseline_predict(const struct jc_run *run, const char *folder, char **ret_version,
                            struct jc_prediction **ret_predictions, struct jc_err *err)
{
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    jc_code code = jc_bundle_load(folder, JC_BUNDLE_PORTABLE, &bundle, err);
    if (code)
        return code;
    if ((code = check_encoder(run, jc_bundle_manifest(bundle), err)))
        return jc_wrap(err, "%s", folder);
    size_t n, n_predictions;
    const struct jc_category *categories = jc_bundle_categories(bundle, &n);
    JC_AUTO_FREE uint32_t *map = calloc(n, sizeof(*map));
    JC_AUTO_FREE char *version = strdup(jc_bundle_manifest(bundle)->version);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    if (!map || !version)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", n);
    size_t n_all = match_categories(run->dataset, categories, n, map);
    const struct jc_train_data data = jc_run_data(run);
    if ((code = arrange(jc_bundle_head(bundle), map, n_all, &head, err)) ||
        (code = jc_predict(&data, &head, JC_ROLE_TEST, ret_predictions, &n_predictions, err)))
        return code;
    refuse_missing(&head, *ret_predictions, n_predictions);
    *ret_version = TAKE(version);
    return JC_OK;
}
