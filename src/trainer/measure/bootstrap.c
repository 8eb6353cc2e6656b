/* Redrawing rows, and the quantiles of what comes out. See bootstrap.h. */
#include "trainer/measure/bootstrap.h"

#include <math.h>
#include <string.h>

#include "base/own.h"
#include "base/rng.h"

enum { COLUMNS = JC_BOOTSTRAP_COLUMNS, RESAMPLES = JC_BOOTSTRAP_RESAMPLES };

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the two neighbours, as numpy.quantile does by default. */
static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)floor(at);
    double next = i + 1 < n ? sorted[i + 1] : sorted[i];
    return sorted[i] + (at - (double)i) * (next - sorted[i]);
}

static void draw_means(const float *values, size_t n, struct jc_rng *rng, double ret_means[COLUMNS])
{
    double sums[COLUMNS] = {0};
    for (size_t i = 0; i < n; i++) {
        const float *row = values + (size_t)(jc_rng_unit(rng) * (double)n) * COLUMNS;
        for (size_t c = 0; c < COLUMNS; c++)
            sums[c] += (double)row[c];
    }
    for (size_t c = 0; c < COLUMNS; c++)
        ret_means[c] = sums[c] / (double)n;
}

jc_code jc_bootstrap_means(const float *values, size_t n, uint64_t seed, struct jc_estimate ret_means[COLUMNS],
                           struct jc_err *err)
{
    JC_AUTO_FREE double *drawn = calloc((size_t)COLUMNS * RESAMPLES, sizeof(*drawn)); /* [COLUMNS][RESAMPLES] */
    if (!drawn)
        return jc_fail(err, JC_E_NOMEM, "no memory for the bootstrap");
    struct jc_rng rng = jc_rng_seeded(seed);
    for (size_t r = 0; r < RESAMPLES; r++) {
        double means[COLUMNS];
        draw_means(values, n, &rng, means);
        for (size_t c = 0; c < COLUMNS; c++)
            drawn[c * RESAMPLES + r] = means[c];
    }
    for (size_t c = 0; c < COLUMNS; c++) {
        double *column = drawn + c * RESAMPLES, sum = 0;
        qsort(column, RESAMPLES, sizeof(*column), compare_doubles);
        for (size_t i = 0; i < n; i++)
            sum += (double)values[i * COLUMNS + c];
        ret_means[c] = (struct jc_estimate){.value = sum / (double)n,
                                            .low = quantile(column, RESAMPLES, .025),
                                            .high = quantile(column, RESAMPLES, .975),
                                            .lower = quantile(column, RESAMPLES, .05),
                                            .upper = quantile(column, RESAMPLES, .95)};
    }
    return JC_OK;
}
