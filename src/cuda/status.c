/* From CUDA's statuses to errors. See status.h. */
#include "cuda/status.h"

/* What is not named here is taken for the loss of the context: a restart is the safe answer to what is not known. */
jc_code jc_cuda_status_code(cudaError_t status)
{
    switch (status) {
    case cudaSuccess:
        return JC_OK;
    case cudaErrorMemoryAllocation:
        return JC_E_NOMEM;
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
        return JC_E_NOT_FOUND;
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorNotSupported:
        return JC_E_UNSUPPORTED;
    case cudaErrorInvalidValue:
    case cudaErrorInvalidConfiguration:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorInvalidResourceHandle:
    case cudaErrorInvalidMemcpyDirection:
    case cudaErrorLaunchOutOfResources:
    case cudaErrorNotReady:
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorStreamCaptureMerge:
    case cudaErrorStreamCaptureUnmatched:
    case cudaErrorStreamCaptureUnjoined:
    case cudaErrorStreamCaptureIsolation:
    case cudaErrorStreamCaptureImplicit:
    case cudaErrorStreamCaptureWrongThread:
        return JC_E_INTERNAL;
    default:
        return JC_E_DEVICE;
    }
}

jc_code jc_cuda_check(cudaError_t status, const char *what, struct jc_err *err)
{
    const jc_code code = jc_cuda_status_code(status);
    if (!code)
        return JC_OK;
    cudaGetLastError(); /* an error that passes must not be found by the next launch */
    return jc_fail(err, code, "%s: %s (%s)", what, cudaGetErrorString(status), cudaGetErrorName(status));
}

jc_code jc_cuda_check_blas(cublasStatus_t status, const char *what, struct jc_err *err)
{
    if (status == CUBLAS_STATUS_SUCCESS)
        return JC_OK;
    if (status == CUBLAS_STATUS_ALLOC_FAILED)
        return jc_fail(err, JC_E_NOMEM, "%s: cuBLAS has no memory", what);
    /* The library's status says little of why; the runtime may know. */
    const cudaError_t under = cudaPeekAtLastError();
    const jc_code code = jc_cuda_status_code(under);
    if (code == JC_E_DEVICE || code == JC_E_NOMEM)
        return jc_cuda_check(under, what, err);
    return jc_fail(err, JC_E_INTERNAL, "%s: %s", what, cublasGetStatusString(status));
}

jc_code jc_cuda_fail_full(const struct jc_cuda_fill *fill, struct jc_err *err)
{
    return jc_fail(err, JC_E_NOMEM,
                   "GPU %d has no room for %zu bytes: of its %zu, %zu are free and %zu held by this process",
                   fill->device, fill->wanted_bytes, fill->total_bytes, fill->free_bytes, fill->held_bytes);
}
