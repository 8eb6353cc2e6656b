/* The steps that set models against each other: compare (two published ones), judge (the new and the present one). */
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "trainer/measure/baseline.h"

static void print_difference(const char *name, const struct jc_estimate *difference)
{
    printf("%-6s %+.4f  (%+.4f to %+.4f)\n", name, difference->value, difference->low, difference->high);
}

static void print_comparison(const char *a, const char *b, const struct jc_comparison *comparison, double margin,
                             enum jc_verdict verdict)
{
    printf("A: %s\nB: %s\nB - A on %zu test rows, with 95 %% intervals (paired bootstrap):\n", a, b, comparison->n);
    print_difference("top-1", &comparison->top_1);
    print_difference("top-3", &comparison->top_3);
    print_difference("top-5", &comparison->top_5);
    print_difference("MRR", &comparison->mrr);
    printf("right only in A %zu, only in B %zu: p = %.2g (McNemar, exact)\n", comparison->n_only_a,
           comparison->n_only_b, comparison->p_value);
    printf("verdict on B: %s, with a margin of %g%s\n", jc_verdict_name(verdict), margin,
           verdict == JC_VERDICT_INCONCLUSIVE ? " (the rows are too few to tell)" : "");
}

static jc_code compare(struct jc_run *run, const char *a_name, const struct jc_prediction *a, const char *b_name,
                       const struct jc_prediction *b, struct jc_err *err)
{
    struct jc_comparison comparison;
    jc_code code = jc_comparison_compute(a, b, run->split.n_test, run->config->seed, &comparison, err);
    if (code)
        return code;
    run->verdict = jc_comparison_judge(&comparison.top_1, run->margin);
    print_comparison(a_name, b_name, &comparison, run->margin, run->verdict);
    return JC_OK;
}

jc_code jc_step_compare(struct jc_run *run, struct jc_err *err)
{
    const struct jc_run_request *request = run->request;
    JC_AUTO_FREE char *a_version = NULL, *b_version = NULL;
    JC_AUTO_FREE struct jc_prediction *a = NULL, *b = NULL;
    jc_code code;
    if ((code = jc_baseline_predict(run, request->a, &a_version, &a, err)) ||
        (code = jc_baseline_predict(run, request->b, &b_version, &b, err)))
        return code;
    return compare(run, a_version, a, b_version, b, err);
}

/* The new model against the one that it would replace, on the same test rows. */
jc_code jc_step_judge(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    char folder[PATH_MAX], manifest[PATH_MAX];
    jc_code code = JC_OK;
    if (!*config->refuse_worse)
        return JC_OK;
    if (config->keep)
        code = jc_path_join(folder, sizeof(folder), config->output, "current", err);
    else
        snprintf(folder, sizeof(folder), "%s", config->output);
    if (code || (code = jc_path_join(manifest, sizeof(manifest), folder, JC_BUNDLE_MANIFEST, err)))
        return code;
    if (!jc_file_exists(manifest)) {
        fprintf(stderr, "judge: no model in %s to compare with\n", folder);
        return JC_OK;
    }
    if (config->split.kind == JC_SPLIT_STRATIFIED)
        fputs(
            "judge: a stratified split moves titles as rows are added: the present model may know some of the test's\n",
            stderr);
    JC_AUTO_FREE char *version = NULL;
    JC_AUTO_FREE struct jc_prediction *present = NULL;
    if ((code = jc_baseline_predict(run, folder, &version, &present, err)))
        return jc_wrap(err, "cannot compare with the model in place (refuse_worse: \"\" publishes without)");
    code = compare(run, version, present, "the new model", run->results[0].predictions, err);
    if (!code && run->verdict == JC_VERDICT_WORSE)
        printf("refused: %s stays as it is (refuse_worse: %s)\n", folder, config->refuse_worse);
    return code;
}
