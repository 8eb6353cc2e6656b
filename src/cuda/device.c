/* Which devices there are, and the sums of what was done on them. See cuda.h. */
#include <stdatomic.h>
#include <stdio.h>

#include "cuda/encoder_impl.h"
#include "cuda/memory.h"
#include "cuda/status.h"

enum { LEAST_MAJOR = 7, LEAST_MINOR = 5 };

struct jc_cuda_tallies jc_cuda_tallies;

int jc_cuda_count(void)
{
    int n = 0;
    if (cudaGetDeviceCount(&n)) {
        cudaGetLastError(); /* no driver, or one that is older than the runtime: no device for us */
        return 0;
    }
    return n;
}

jc_code jc_cuda_device_get(int index, struct jc_cuda_device *ret_device, struct jc_err *err)
{
    struct cudaDeviceProp properties;
    struct jc_cuda_device device = {.index = index};
    const int n = jc_cuda_count();
    if (index < 0 || index >= n)
        return jc_fail(err, JC_E_NOT_FOUND, "there is no GPU %d: %d can be used", index, n);
    jc_code code;
    if ((code = jc_cuda_check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties", err)) ||
        (code = jc_cuda_use(index, err)) ||
        (code = jc_cuda_check(cudaMemGetInfo(&device.free_bytes, &device.total_bytes), "cudaMemGetInfo", err)))
        return code;
    snprintf(device.name, sizeof device.name, "%.*s", (int)sizeof device.name - 1, properties.name);
    device.major = properties.major;
    device.minor = properties.minor;
    if (device.major < LEAST_MAJOR || (device.major == LEAST_MAJOR && device.minor < LEAST_MINOR))
        return jc_fail(err, JC_E_UNSUPPORTED, "GPU %d, a %s, has compute capability %d.%d, and %d.%d is needed", index,
                       device.name, device.major, device.minor, LEAST_MAJOR, LEAST_MINOR);
    *ret_device = device;
    return JC_OK;
}

const char *jc_cuda_version(void)
{
    static char text[24]; /* the same by whichever thread it is written */
    int version = 0;
    if (cudaRuntimeGetVersion(&version))
        cudaGetLastError();
    snprintf(text, sizeof text, "%d.%d", version / 1000, version % 1000 / 10);
    return text;
}

struct jc_cuda_counts jc_cuda_counts_get(void)
{
    return (struct jc_cuda_counts){.device_bytes = jc_cuda_buffers_held(),
                                   .batches = atomic_load(&jc_cuda_tallies.batches),
                                   .rows = atomic_load(&jc_cuda_tallies.rows),
                                   .batch_ns = atomic_load(&jc_cuda_tallies.batch_ns),
                                   .graph_launches = atomic_load(&jc_cuda_tallies.graph_launches),
                                   .not_finite = atomic_load(&jc_cuda_tallies.not_finite),
                                   .shrinks = atomic_load(&jc_cuda_tallies.shrinks)};
}
