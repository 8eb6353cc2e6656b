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

/* The two products of a linear layer's gradients. */
static void check_gradients(struct jc_rng *rng, size_t n_queries, size_t n_rows, size_t dim, size_t first,
                            size_t n_columns)
{
    JC_AUTO_FREE float *gradient = calloc(n_queries * n_rows, sizeof(float));
    JC_AUTO_FREE float *queries = calloc(n_queries * dim, sizeof(float));
    JC_AUTO_FREE float *rows = calloc(n_rows * dim, sizeof(float));
    JC_AUTO_FREE float *of_rows = calloc(n_rows * dim, sizeof(float));
    JC_AUTO_FREE float *of_queries = calloc(n_queries * n_columns, sizeof(float));
    REQUIRE(gradient && queries && rows && of_rows && of_queries);
    fill_random(rng, gradient, n_queries * n_rows);
    fill_random(rng, queries, n_queries * dim);
    fill_random(rng, rows, n_rows * dim);
    for (size_t i = 0; i < n_rows * dim; i++)
        of_rows[i] = NAN;
    for (size_t i = 0; i < n_queries * n_columns; i++)
        of_queries[i] = NAN;

    jc_gemm_rows_gradient(gradient, queries, n_queries, n_rows, dim, of_rows);
    for (size_t r = 0; r < n_rows; r++)
        for (size_t d = 0; d < dim; d++) {
            double want = 0;
            for (size_t q = 0; q < n_queries; q++)
                want += (double)gradient[q * n_rows + r] * (double)queries[q * dim + d];
            CHECK_NEAR(of_rows[r * dim + d], want, 1e-5 * (double)(n_queries + 1));
        }
    jc_gemm_queries_gradient(gradient, rows + first, n_queries, n_rows, dim, n_columns, of_queries);
    for (size_t q = 0; q < n_queries; q++)
        for (size_t c = 0; c < n_columns; c++) {
            double want = 0;
            for (size_t r = 0; r < n_rows; r++)
                want += (double)gradient[q * n_rows + r] * (double)rows[r * dim + first + c];
            CHECK_NEAR(of_queries[q * n_columns + c], want, 1e-5 * (double)(n_rows + 1));
        }
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
    check_gradients(&rng, 1, 1, 1, 0, 1);
    check_gradients(&rng, 3, 7, 5, 0, 5);
    check_gradients(&rng, 33, 101, 20, 16, 4); /* the last columns */
    check_gradients(&rng, 7, 50, 37, 11, 13);  /* some in the middle */
    return check_finish();
}
