/* The paired tests. See compare.h. */
#include "trainer/measure/compare.h"

#include <math.h>

#include "base/own.h"

static double log_factorial(double n)
{
    int sign;
    return lgamma_r(n + 1, &sign);
}

double jc_mcnemar_exact(size_t b, size_t c)
{
    size_t k = b < c ? b : c;
    double n = (double)b + (double)c, sum = 0;
    for (size_t i = 0; i <= k; i++) {
        double x = (double)i;
        sum += exp(log_factorial(n) - log_factorial(x) - log_factorial(n - x) - n * log(2));
    }
    return fmin(1, 2 * sum);
}

/* The bootstrap of the rows' differences is the paired bootstrap: both models are redrawn with the same rows. */
jc_code jc_comparison_compute(const struct jc_prediction *a, const struct jc_prediction *b, size_t n, uint64_t seed,
                              struct jc_comparison *ret_comparison, struct jc_err *err)
{
    if (n == 0)
        return jc_fail(err, JC_E_INVALID, "no rows to compare");
    JC_AUTO_FREE float *differences = calloc(n, JC_BOOTSTRAP_COLUMNS * sizeof(*differences));
    if (!differences)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", n);
    struct jc_comparison comparison = {.n = n};
    for (size_t i = 0; i < n; i++) {
        if (a[i].example != b[i].example || a[i].category != b[i].category || a[i].rank == 0 || b[i].rank == 0)
            return jc_fail(err, JC_E_INVALID, "prediction %zu: the two models were not asked the same", i);
        float *row = differences + i * JC_BOOTSTRAP_COLUMNS;
        static const uint32_t cuts[] = {1, 3, 5};
        for (size_t k = 0; k < JC_COUNT(cuts); k++)
            row[k] = (float)(b[i].rank <= cuts[k]) - (float)(a[i].rank <= cuts[k]);
        row[3] = 1.0f / (float)b[i].rank - 1.0f / (float)a[i].rank;
        comparison.n_only_a += a[i].rank == 1 && b[i].rank != 1;
        comparison.n_only_b += b[i].rank == 1 && a[i].rank != 1;
    }
    struct jc_estimate means[JC_BOOTSTRAP_COLUMNS];
    jc_code code = jc_bootstrap_means(differences, n, seed, means, err);
    if (code)
        return code;
    comparison.top_1 = means[0];
    comparison.top_3 = means[1];
    comparison.top_5 = means[2];
    comparison.mrr = means[3];
    comparison.p_value = jc_mcnemar_exact(comparison.n_only_a, comparison.n_only_b);
    *ret_comparison = comparison;
    return JC_OK;
}

enum jc_verdict jc_comparison_judge(const struct jc_estimate *difference, double margin)
{
    if (difference->upper < -margin)
        return JC_VERDICT_WORSE;
    return difference->lower >= -margin ? JC_VERDICT_NOT_WORSE : JC_VERDICT_INCONCLUSIVE;
}

const char *jc_verdict_name(enum jc_verdict verdict)
{
    static const char *const names[] = {"not worse", "inconclusive", "worse"};
    return names[verdict];
}
