/* Asking a model its canaries. See canary.h. */
#include "server/life/canary.h"

#include <string.h>

#define MAX_AT_ONCE 64

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
    return code ? jc_wrap(err, "canary '%s'", title) : JC_OK;
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
        return jc_fail(err, JC_E_MODEL, "canary '%s' gives %s, not %s", title, found->code, wanted);
    return JC_OK;
}

struct asked {
    size_t n;
    struct jc_hit hits[MAX_AT_ONCE];
    struct jc_input inputs[MAX_AT_ONCE];
    struct jc_input *pointers[MAX_AT_ONCE]; /* [n] */
    size_t numbers[MAX_AT_ONCE];            /* [n] */
};

static void asked_finish(struct asked *asked)
{
    for (size_t i = 0; i < MAX_AT_ONCE; i++)
        jc_input_finish(&asked->inputs[i]);
}

jc_code jc_canary_run_all(const struct jc_classifier *classifier, struct jc_session *session, struct jc_err *err)
{
    JC_AUTO_FINISH(asked) struct asked asked = {0};
    size_t n = manifest_of(classifier)->n_canaries;
    n = n == 0 ? 1 : n < MAX_AT_ONCE ? n : MAX_AT_ONCE;
    for (size_t i = 0; i < n; i++) {
        jc_code code = jc_canary_prepare(classifier, i, &asked.hits[i], &asked.inputs[i], err);
        if (code)
            return code;
        if (asked.inputs[i].n_ids == 0)
            continue;
        asked.numbers[asked.n] = i;
        asked.pointers[asked.n++] = &asked.inputs[i];
    }
    if (asked.n == 0)
        return JC_OK;
    struct jc_run_stats stats;
    jc_code code = jc_session_run(session, asked.pointers, asked.n, &stats, err);
    for (size_t i = 0; i < asked.n && !code; i++)
        code = jc_canary_judge(classifier, asked.numbers[i], asked.pointers[i], err);
    return code;
}
