/* Memory of a device, and of the host where a device copies from and to (page-locked). Threads: any. */
#ifndef JC_CUDA_MEMORY_H
#define JC_CUDA_MEMORY_H

#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

enum jc_cuda_place { JC_CUDA_DEVICE, JC_CUDA_PINNED };

struct jc_cuda_buffer;

/* On the calling thread's device; n_bytes of 0 are taken for 1. Content: anything. Errors: NOMEM, with the figures
 * (status.h); DEVICE, INTERNAL. */
JC_MUST_CHECK jc_code jc_cuda_buffer_create(enum jc_cuda_place place, size_t n_bytes,
                                            struct jc_cuda_buffer **ret_buffer, struct jc_err *err);
void jc_cuda_buffer_destroy(struct jc_cuda_buffer *buffer);
JC_DEFINE_AUTO(jc_cuda_buffer)

/* 256-byte aligned. */
void *jc_cuda_buffer_data(const struct jc_cuda_buffer *buffer);

/* Copies to the calling thread's device, at once. Errors: DEVICE, INTERNAL. */
JC_MUST_CHECK jc_code jc_cuda_copy_in(void *to, const void *from, size_t n_bytes, struct jc_err *err);

/* Bytes of device memory that this process holds by buffers. */
size_t jc_cuda_buffers_held(void);

#endif
