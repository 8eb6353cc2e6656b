/* Matrix products on the CPU, by CBLAS. */
#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <string.h>

#include "linalg/linalg.h"

/* Up to here a product per query is faster: a matrix product first packs all rows, which costs as much as five. */
#define FEW_QUERIES 5

void jc_linalg_init(void)
{
#ifdef OPENBLAS_VERSION
    openblas_set_num_threads(1);
#endif
}

void jc_gemm_scores(const float *queries, size_t n_queries, const float *rows, size_t n_rows, size_t dim,
                    float *ret_scores)
{
    assert(n_queries <= INT_MAX && n_rows <= INT_MAX && dim <= INT_MAX);
    if (n_queries == 0 || n_rows == 0)
        return;
    if (dim == 0) { /* the empty sum; CBLAS refuses a leading dimension of 0 */
        memset(ret_scores, 0, n_queries * n_rows * sizeof(*ret_scores));
        return;
    }
    if (n_queries <= FEW_QUERIES) {
        for (size_t i = 0; i < n_queries; i++)
            cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)n_rows, (int)dim, 1.0f, rows, (int)dim, queries + i * dim, 1,
                        0.0f, ret_scores + i * n_rows, 1);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n_queries, (int)n_rows, (int)dim, 1.0f, queries, (int)dim,
                rows, (int)dim, 0.0f, ret_scores, (int)n_rows);
}

void jc_gemm_rows_gradient(const float *gradient, const float *queries, size_t n_queries, size_t n_rows, size_t dim,
                           float *ret_rows_gradient)
{
    assert(n_queries <= INT_MAX && n_rows <= INT_MAX && dim <= INT_MAX && n_rows && dim);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n_rows, (int)dim, (int)n_queries, 1.0f, gradient,
                (int)n_rows, queries, (int)dim, 0.0f, ret_rows_gradient, (int)dim);
}

void jc_gemm_queries_gradient(const float *gradient, const float *rows, size_t n_queries, size_t n_rows, size_t dim,
                              size_t n_columns, float *ret_queries_gradient)
{
    assert(n_queries <= INT_MAX && n_rows <= INT_MAX && dim <= INT_MAX && n_rows && n_columns && n_columns <= dim);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n_queries, (int)n_columns, (int)n_rows, 1.0f, gradient,
                (int)n_rows, rows, (int)dim, 0.0f, ret_queries_gradient, (int)n_columns);
}
