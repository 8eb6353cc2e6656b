/*
 * What the CUDA libraries answer, as errors of ours. Codes say what the caller does:
 *     NOMEM     the device has no memory left: ask for less
 *     DEVICE    the device's context is lost (an illegal address, a failed memory, a driver that went away): every later
 *               call fails too, and only a new process helps
 *     NOT_FOUND there is no device, or no driver for this runtime
 *     INTERNAL  the call was wrong
 * Threads: any.
 */
#ifndef JC_CUDA_STATUS_H
#define JC_CUDA_STATUS_H

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include "base/err.h"

/* The code of a CUDA status; JC_OK of cudaSuccess. */
jc_code jc_cuda_status_code(cudaError_t status);

/* what: the call, for the text. */
JC_MUST_CHECK jc_code jc_cuda_check(cudaError_t status, const char *what, struct jc_err *err);
JC_MUST_CHECK jc_code jc_cuda_check_blas(cublasStatus_t status, const char *what, struct jc_err *err);

/* What a device is asked for that has no room for it. */
struct jc_cuda_fill {
    int device;
    size_t wanted_bytes, free_bytes, total_bytes;
    size_t held_bytes; /* by this process */
};

/* NOMEM, with the figures. */
jc_code jc_cuda_fail_full(const struct jc_cuda_fill *fill, struct jc_err *err);

#endif
