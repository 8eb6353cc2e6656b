/* Memory of the device and for it. See memory.h. */
#include "cuda/memory.h"

#include <stdatomic.h>

#include "cuda/status.h"

static atomic_size_t held;

struct jc_cuda_buffer {
    enum jc_cuda_place place;
    size_t n_bytes;
    void *data;
};

static jc_code fail_full(size_t n_bytes, struct jc_err *err)
{
    struct jc_cuda_fill fill = {.wanted_bytes = n_bytes, .held_bytes = atomic_load(&held)};
    if (cudaGetDevice(&fill.device) || cudaMemGetInfo(&fill.free_bytes, &fill.total_bytes))
        cudaGetLastError();
    return jc_cuda_fail_full(&fill, err);
}

jc_code jc_cuda_buffer_create(enum jc_cuda_place place, size_t n_bytes, struct jc_cuda_buffer **ret_buffer,
                              struct jc_err *err)
{
    JC_AUTO(jc_cuda_buffer) struct jc_cuda_buffer *buffer = calloc(1, sizeof(*buffer));
    if (!buffer)
        return jc_fail(err, JC_E_NOMEM, "no memory for a buffer");
    const size_t n = n_bytes ? n_bytes : 1;
    buffer->place = place;
    const cudaError_t status =
        place == JC_CUDA_DEVICE ? cudaMalloc(&buffer->data, n) : cudaHostAlloc(&buffer->data, n, cudaHostAllocDefault);
    jc_code code = jc_cuda_check(status, "cudaMalloc", err);
    if (code == JC_E_NOMEM)
        return place == JC_CUDA_DEVICE ? fail_full(n, err)
                                       : jc_fail(err, code, "no page-locked memory for %zu bytes", n);
    if (code)
        return code;
    if (place == JC_CUDA_DEVICE) {
        buffer->n_bytes = n;
        atomic_fetch_add(&held, n);
    }
    *ret_buffer = TAKE(buffer);
    return JC_OK;
}

void jc_cuda_buffer_destroy(struct jc_cuda_buffer *buffer)
{
    if (!buffer)
        return;
    if (buffer->data) /* a lost device has freed it already, and says so: nothing is to be done */
        (void)(buffer->place == JC_CUDA_DEVICE ? cudaFree(buffer->data) : cudaFreeHost(buffer->data));
    atomic_fetch_sub(&held, buffer->n_bytes);
    free(buffer);
}

void *jc_cuda_buffer_data(const struct jc_cuda_buffer *buffer)
{
    return buffer->data;
}

jc_code jc_cuda_copy_in(void *to, const void *from, size_t n_bytes, struct jc_err *err)
{
    return jc_cuda_check(cudaMemcpy(to, from, n_bytes, cudaMemcpyHostToDevice), "cudaMemcpy", err);
}

size_t jc_cuda_buffers_held(void)
{
    return atomic_load(&held);
}
