/* Which of CUDA's statuses means what: needs the library, and no device. */
#include "check.h"
#include "cuda/status.h"

int main(void)
{
    struct jc_err err;
    CHECK(jc_cuda_check(cudaSuccess, "nothing", &err) == JC_OK);
    CHECK_FAILS(jc_cuda_check(cudaErrorMemoryAllocation, "cudaMalloc", &err), JC_E_NOMEM, "cudaMalloc: out of memory");
    CHECK_FAILS(jc_cuda_check(cudaErrorNoDevice, "count", &err), JC_E_NOT_FOUND, "count: ");
    CHECK_FAILS(jc_cuda_check(cudaErrorNoKernelImageForDevice, "launch", &err), JC_E_UNSUPPORTED, "launch: ");
    CHECK_FAILS(jc_cuda_check(cudaErrorInvalidConfiguration, "launch", &err), JC_E_INTERNAL, "launch: ");
    CHECK_FAILS(jc_cuda_check_blas(CUBLAS_STATUS_ALLOC_FAILED, "gemm", &err), JC_E_NOMEM, "gemm: ");
    CHECK_FAILS(jc_cuda_check_blas(CUBLAS_STATUS_INVALID_VALUE, "gemm", &err), JC_E_INTERNAL, "gemm: ");
    CHECK_FAILS(jc_cuda_check(cudaErrorIllegalAddress, "wait", &err), JC_E_DEVICE, "wait: ");
    CHECK(jc_cuda_status_code(cudaErrorECCUncorrectable) == JC_E_DEVICE);
    CHECK(jc_cuda_status_code(cudaErrorLaunchTimeout) == JC_E_DEVICE);
    const struct jc_cuda_fill fill = {
        .device = 3, .wanted_bytes = 5000, .free_bytes = 400, .total_bytes = 16000, .held_bytes = 9000};
    CHECK_FAILS(jc_cuda_fail_full(&fill, &err), JC_E_NOMEM,
                "GPU 3 has no room for 5000 bytes: of its 16000, 400 are free and 9000 held by this process");
    return check_finish();
}
