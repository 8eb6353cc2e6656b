/* Scores by BLAS against sums in double, for shapes around every switch of the implementation. */
#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

static void fill_random(struct jc_rng *rng, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(jc_rng_unit(rng) * 2 - 1);
}

static void check_shape(struct jc_rng *rng, size_t n_queries, size_t n_rows, size_t dim)
{
    JC_AUTO_FREE float *queries = calloc(n_queries * dim + 1, sizeof(float));
    JC_AUTO_FREE float *rows = calloc(n_rows * dim + 1, sizeof(float));
    JC_AUTO_FREE float *scores = calloc(n_queries * n_rows + 1, sizeof(float));
    REQUIRE(queries && rows && scores);
    fill_random(rng, queries, n_queries * dim);
    fill_random(rng, rows, n_rows * dim);
    for (size_t i = 0; i < n_queries * n_rows; i++)
        scores[i] = NAN; /* what was there must not matter */
    scores[n_queries * n_rows] = 12345;

    jc_gemm_scores(queries, n_queries, rows, n_rows, dim, scores);
    double worst = 0;
    for (size_t q = 0; q < n_queries; q++) {
        for (size_t r = 0; r < n_rows; r++) {
            double want = 0;
            for (size_t i = 0; i < dim; i++)
                want += (double)queries[q * dim + i] * (double)rows[r * dim + i];
            double difference = fabs(want - (double)scores[q * n_rows + r]);
            if (!(difference <= worst)) /* a NaN stays */
                worst = difference;
        }
    }
    check_report(worst <= 1e-5 * ((double)dim + 1), __FILE__, __LINE__, "%zu x %zu x %zu: off by %g", n_queries, n_rows,
                 dim, worst);
    CHECK(scores[n_queries * n_rows] == 12345.0f);
}

int main(void)
{
    static const size_t queries[] = {0, 1, 2, 5, 6, 33}, rows[] = {0, 1, 7, 1016}, dims[] = {0, 1, 3, 384};
    struct jc_rng rng = jc_rng_seeded(1);
    jc_linalg_init();
    for (size_t q = 0; q < JC_COUNT(queries); q++)
        for (size_t r = 0; r < JC_COUNT(rows); r++)
            for (size_t d = 0; d < JC_COUNT(dims); d++)
                check_shape(&rng, queries[q], rows[r], dims[d]);
    return check_finish();
}
