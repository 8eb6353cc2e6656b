/*
 * A queue of work for a device, with cuBLAS on it. What is queued runs in order; what goes wrong there is told by
 * jc_cuda_stream_wait at the latest. Work can be recorded and launched again as one (a CUDA graph).
 * Threads: one at a time; each use by a new thread begins with jc_cuda_use.
 */
#ifndef JC_CUDA_STREAM_H
#define JC_CUDA_STREAM_H

#include <cuda_runtime_api.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/own.h"
#include "cuda/weights.h"

/* Makes a device the calling thread's. Errors: as jc_cuda_check. */
JC_MUST_CHECK jc_code jc_cuda_use(int device, struct jc_err *err);

struct jc_cuda_stream;

/* On the calling thread's device, of that compute capability (major): cuBLAS gets the workspace it wants there.
 * Errors: NOMEM, DEVICE, INTERNAL. */
JC_MUST_CHECK jc_code jc_cuda_stream_create(int major, struct jc_cuda_stream **ret_stream, struct jc_err *err);
void jc_cuda_stream_destroy(struct jc_cuda_stream *stream);
JC_DEFINE_AUTO(jc_cuda_stream)

cudaStream_t jc_cuda_stream_handle(const struct jc_cuda_stream *stream);

/* Queues a copy, in the direction that the pointers say. The host's side is page-locked. */
JC_MUST_CHECK jc_code jc_cuda_stream_copy(struct jc_cuda_stream *stream, void *to, const void *from, size_t n_bytes,
                                          struct jc_err *err);

/* Queues c [rows][n_out] = a [rows][n_in] . matrix [n_out][n_in]^T with float32 sums. a and matrix are stored as `wide`
 * says, c as `wide_c` does. */
struct jc_cuda_gemm {
    const void *matrix, *a;
    void *c;
    size_t rows, n_in, n_out;
    size_t step; /* numbers from a row of a to the next; 0: n_in */
    int wide, wide_c;
};
JC_MUST_CHECK jc_code jc_cuda_stream_multiply(struct jc_cuda_stream *stream, const struct jc_cuda_gemm *gemm,
                                              struct jc_err *err);

/* Between the two, what is queued is recorded and not run. After a failure in between, call stop all the same: it fails
 * too, and the stream is as before. */
JC_MUST_CHECK jc_code jc_cuda_stream_record(struct jc_cuda_stream *stream, struct jc_err *err);
JC_MUST_CHECK jc_code jc_cuda_stream_stop(struct jc_cuda_stream *stream, cudaGraphExec_t *ret_graph,
                                          struct jc_err *err);
JC_MUST_CHECK jc_code jc_cuda_stream_launch(struct jc_cuda_stream *stream, cudaGraphExec_t graph, struct jc_err *err);

/* Until all that is queued has run. */
JC_MUST_CHECK jc_code jc_cuda_stream_wait(struct jc_cuda_stream *stream, struct jc_err *err);

#endif
