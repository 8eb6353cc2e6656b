/* Loading a model with its workers' sessions. See model.h. */
#include "server/life/model.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "model/canary.h"
#include "model/warm.h"

jc_code jc_model_identify(const char *folder, char ret_identity[JC_SHA256_HEX], struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof path, folder, JC_BUNDLE_MANIFEST, err);
    return code ? code : jc_sha256_file(path, ret_identity, err);
}

/* What was read is known for certain only where the manifest is the same before and after. */
static jc_code load_classifier(const char *folder, const struct jc_encoder_options *options, size_t n_sessions,
                               struct jc_model *model, struct jc_err *err)
{
    char before[JC_SHA256_HEX], after[JC_SHA256_HEX];
    struct jc_err ignored;
    struct jc_encoder_options own = options ? *options : (struct jc_encoder_options){0};
    own.n_callers = n_sessions;
    bool known = jc_model_identify(folder, before, &ignored) == JC_OK;
    jc_code code = jc_classifier_load(folder, &own, &model->classifier, err);
    if (code)
        return code;
    const char *resolved = jc_bundle_folder(jc_classifier_bundle(model->classifier));
    if (known && jc_model_identify(resolved, after, &ignored) == JC_OK && strcmp(before, after) == 0)
        memcpy(model->identity, after, sizeof after);
    return JC_OK;
}

jc_code jc_model_load(const char *folder, const struct jc_encoder_options *options, size_t n_sessions,
                      struct jc_model **ret_model, struct jc_err *err)
{
    JC_AUTO(jc_model) struct jc_model *model = calloc(1, sizeof *model);
    if (!model || !(model->sessions = calloc(n_sessions, sizeof(*model->sessions))))
        return jc_fail(err, JC_E_NOMEM, "no memory for a model of %zu sessions", n_sessions);
    jc_code code = load_classifier(folder, options, n_sessions, model, err);
    for (size_t i = 0; i < n_sessions && !code; i++) {
        code = jc_session_create(model->classifier, &model->sessions[i], err);
        model->n_sessions += !code;
    }
    if (!code && (code = jc_classifier_warm(model->classifier, model->sessions[0], err)))
        code = jc_wrap(err, "model '%s'", folder);
    for (size_t i = 0; i < n_sessions && !code; i++)
        code = jc_canary_run_all(model->classifier, model->sessions[i], err);
    if (code)
        return code;
    *ret_model = TAKE(model);
    return JC_OK;
}

void jc_model_destroy(struct jc_model *model)
{
    if (!model)
        return;
    for (size_t i = 0; i < model->n_sessions; i++)
        jc_session_destroy(model->sessions[i]);
    free(model->sessions);
    jc_classifier_destroy(model->classifier);
    free(model);
}

const char *jc_model_version(const struct jc_model *model)
{
    return jc_bundle_manifest(jc_classifier_bundle(model->classifier))->version;
}
