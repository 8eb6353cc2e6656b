/*
 * The little linear algebra the project needs, over CBLAS. Matrices are row-major float32, dense, without gaps.
 * Threads: any; the caller runs one thread per core and BLAS itself is single-threaded (jc_linalg_init).
 */
#ifndef JC_LINALG_LINALG_H
#define JC_LINALG_LINALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Makes BLAS single-threaded. Call once, before threads start. */
void jc_linalg_init(void);

/* Memory for so many threads to be in BLAS at once, kept for good. OpenBLAS takes it where it is first needed, and where
 * there is none tries again for ever. Errors: NOMEM. Call before those threads start. */
JC_MUST_CHECK jc_code jc_linalg_reserve(size_t n_threads, struct jc_err *err);

/* scores [n_queries][n_rows] = queries [n_queries][dim] . rows [n_rows][dim]^T; no number is over INT_MAX. How many
 * queries there are may change the last bits of a score. */
void jc_gemm_scores(const float *queries, size_t n_queries, const float *rows, size_t n_rows, size_t dim,
                    float *ret_scores);

/* The two products of a linear layer's gradients, for scores = queries . rows^T and their gradient [n_queries][n_rows]:
 * rows_gradient [n_rows][dim] = gradient^T . queries; queries_gradient [n_queries][n_columns] = gradient . rows, of the
 * n_columns columns that start at `rows`, whose rows are dim floats apart. */
void jc_gemm_rows_gradient(const float *gradient, const float *queries, size_t n_queries, size_t n_rows, size_t dim,
                           float *ret_rows_gradient);
void jc_gemm_queries_gradient(const float *gradient, const float *rows, size_t n_queries, size_t n_rows, size_t dim,
                              size_t n_columns, float *ret_queries_gradient);

float jc_vec_dot(const float *a, const float *b, size_t n);

/* sum[i] += factor * x[i] */
void jc_vec_add(float *sum, float factor, const float *x, size_t n);

/* Scales x to length 1 and returns its length before; a zero vector stays zero. Values that are not finite give a
 * vector that is not. */
float jc_vec_normalize(float *x, size_t n);

bool jc_vec_is_finite(const float *x, size_t n);

struct jc_hit {
    uint32_t index;
    float score;
};

/* The k best of scores[n], best first; of equal scores the lower index first. A NaN stands behind every number, -inf
 * included. Returns how many: min(k, n); n is at most UINT32_MAX. */
size_t jc_topk(const float *scores, size_t n, size_t k, struct jc_hit *ret_hits);

/* The same over a row that comes in parts: offers scores[n], whose first has the index `first`, to hits[*n_hits], the k
 * best of the parts before (*n_hits = 0 at first) in an order of its own. A NaN is left out. jc_topk_sort then puts the
 * hits into order. */
void jc_topk_push(const float *scores, size_t n, uint32_t first, size_t k, struct jc_hit *hits, size_t *n_hits);
void jc_topk_sort(struct jc_hit *hits, size_t n_hits);

#endif
