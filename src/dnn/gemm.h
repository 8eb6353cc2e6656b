/*
 * Matrix products by oneDNN: C [rows][n_out] = A [rows][n_in] . W^T, W [n_out][n_in] packed once into the layout the
 * processor likes best. float32, or u8 . s8 with int32 sums. A product's kernels are made for every row count up to
 * JC_DNN_CHUNK when it is created (some row counts share the next larger one), so that running makes none.
 * Threads: products and matrices are immutable and shared; a queue belongs to one thread.
 */
#ifndef JC_DNN_GEMM_H
#define JC_DNN_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bert.h"
#include "base/err.h"
#include "base/own.h"

#define JC_DNN_CHUNK 64 /* the most rows of one product */

struct jc_dnn_gemms;
struct jc_dnn_matrix;
struct jc_dnn_queue;

/* Makes oneDNN run in the calling thread alone. Once a thread, before its first call; cheap after that. */
void jc_dnn_single_thread(void);

/* Do 8-bit products add up exactly whatever the values? Where not (no VNNI), pairs of u8 . s8 saturate at 16 bits, and
 * weights have to stay within -64..64. */
bool jc_dnn_has_vnni(void);

/* "2.6.3" */
void jc_dnn_version(char ret_version[32]);

/* What a product is: A [rows][n_in], W [n_out][n_in]. */
struct jc_dnn_shape {
    enum jc_precision precision;
    size_t n_in, n_out;
};

/* The products an encoder needs; from here on one is called by its number.
 * Errors: NOMEM, UNSUPPORTED, INTERNAL. */
JC_MUST_CHECK jc_code jc_dnn_gemms_create(const struct jc_dnn_shape *shapes, size_t n_shapes,
                                          struct jc_dnn_gemms **ret_gemms, struct jc_err *err);
void jc_dnn_gemms_destroy(struct jc_dnn_gemms *gemms);
JC_DEFINE_AUTO(jc_dnn_gemms)

/* How many rows of A and C a product of `rows` touches: those behind `rows` may hold anything. */
size_t jc_dnn_gemms_rows(size_t rows);

/* weights [n_out][n_in], float or int8_t; they are copied. Errors: NOMEM, UNSUPPORTED, INTERNAL. */
JC_MUST_CHECK jc_code jc_dnn_matrix_create(const struct jc_dnn_gemms *gemms, size_t gemm, const void *weights,
                                           struct jc_dnn_matrix **ret_matrix, struct jc_err *err);
void jc_dnn_matrix_destroy(struct jc_dnn_matrix *matrix);
JC_DEFINE_AUTO(jc_dnn_matrix)

/* A thread's side of the products, which outlive it. Errors: NOMEM, UNSUPPORTED, INTERNAL. */
JC_MUST_CHECK jc_code jc_dnn_queue_create(const struct jc_dnn_gemms *gemms, struct jc_dnn_queue **ret_queue,
                                          struct jc_err *err);
void jc_dnn_queue_destroy(struct jc_dnn_queue *queue);
JC_DEFINE_AUTO(jc_dnn_queue)

/* matrix: made for that gemm. rows: 1 to JC_DNN_CHUNK. a: float or uint8_t; c: float or int32_t.
 * Errors: INTERNAL, NOMEM, UNSUPPORTED. */
JC_MUST_CHECK jc_code jc_dnn_queue_run(struct jc_dnn_queue *queue, size_t gemm, const struct jc_dnn_matrix *matrix,
                                       const void *a, size_t rows, void *c, struct jc_err *err);

#endif
