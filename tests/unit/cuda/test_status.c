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
    return check_finish();
}
