/* Asking a model its canaries. See canary.h. */
#include "model/canary.h"

#include <string.h>

enum { BATCH = 64 }; /* canaries that are asked together */

static const struct jc_manifest *manifest_of(const struct jc_classifier *classifier)
{
    return jc_bundle_manifest(jc_classifier_bundle(classifier));
}

static const char *title_of(const struct jc_classifier *classifier, size_t number)
{
    const struct jc_manifest *manifest = manifest_of(classifier);
    if (manifest->n_canaries)
        return manifest->canaries[number % manifest->n_canaries].title;
    size_t n;
    const struct jc_category *categories = jc_bundle_categories(jc_classifier_bundle(classifier), &n);
    return categories[number % n].title;
}

jc_code jc_canary_prepare(const struct jc_classifier *classifier, size_t number, struct jc_hit *hit,
                          struct jc_input *ret_input, struct jc_err *err)
{
    const char *title = title_of(classifier, number);
    const struct jc_posting posting = {.title = title, .n_title = strlen(title)};
    *ret_input = (struct jc_input){.top_n = 1, .hits = hit};
    jc_code code = jc_classifier_prepare(classifier, &posting, ret_input, err);
    if (code)
        return jc_wrap(err, "canary '%s'", title);
    if (ret_input->n_ids == 0 && manifest_of(classifier)->n_canaries > 0)
        return jc_fail(err, JC_E_MODEL, "canary '%s' has no usable text", title);
    return JC_OK;
}

jc_code jc_canary_judge(const struct jc_classifier *classifier, size_t number, const struct jc_input *input,
                        struct jc_err *err)
{
    const struct jc_manifest *manifest = manifest_of(classifier);
    const char *title = title_of(classifier, number);
    if (input->n_hits == 0)
        return jc_fail(err, JC_E_MODEL, "canary '%s' gives nothing", title);
    if (manifest->n_canaries == 0)
        return JC_OK;
    size_t n;
    const char *wanted = manifest->canaries[number % manifest->n_canaries].code;
    const struct jc_category *found = &jc_bundle_categories(jc_classifier_bundle(classifier), &n)[input->hits[0].index];
    if (strcmp(found->code, wanted) != 0)
        return jc_fail(err, JC_E_MODEL, "canary '%s' gives %s (%s), not %s", title, found->code, found->title, wanted);
    return JC_OK;
}

struct batch {
    struct jc_hit hits[BATCH];
    struct jc_input inputs[BATCH];
    struct jc_input *pointers[BATCH];
};

static void batch_finish(struct batch *batch)
{
    for (size_t i = 0; i < BATCH; i++)
        jc_input_finish(&batch->inputs[i]);
}

/* Asks the canaries [first, first + n). */
static jc_code run_batch(const struct jc_classifier *classifier, struct jc_session *session, size_t first, size_t n,
                         struct jc_err *err)
{
    JC_AUTO_FINISH(batch) struct batch batch = {0};
    for (size_t i = 0; i < n; i++) {
        jc_code code = jc_canary_prepare(classifier, first + i, &batch.hits[i], &batch.inputs[i], err);
        if (code || batch.inputs[i].n_ids == 0)
            return code;
        batch.pointers[i] = &batch.inputs[i];
    }
    struct jc_run_stats stats;
    jc_code code = jc_session_run(session, batch.pointers, n, &stats, err);
    for (size_t i = 0; i < n && !code; i++)
        code = jc_canary_judge(classifier, first + i, &batch.inputs[i], err);
    return code;
}

jc_code jc_canary_run_all(const struct jc_classifier *classifier, struct jc_session *session, struct jc_err *err)
{
    size_t n = manifest_of(classifier)->n_canaries;
    n = n ? n : 1;
    jc_code code = JC_OK;
    for (size_t first = 0; first < n && !code; first += BATCH)
        code = run_batch(classifier, session, first, n - first < BATCH ? n - first : BATCH, err);
    return code ? jc_wrap(err, "model '%s'", jc_bundle_folder(jc_classifier_bundle(classifier))) : JC_OK;
}
