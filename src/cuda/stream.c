/* Queues of work for a device. See stream.h. */
#include "cuda/stream.h"

#include "cuda/memory.h"
#include "cuda/status.h"

enum { WORKSPACE = 8 << 20, HOPPER = 9, HOPPER_WORKSPACE = 32 << 20 };

struct jc_cuda_stream {
    cudaStream_t stream;
    cublasHandle_t blas;
    struct jc_cuda_buffer *workspace; /* cuBLAS would allocate its own, which a recording does not allow */
};

jc_code jc_cuda_use(int device, struct jc_err *err)
{
    return jc_cuda_check(cudaSetDevice(device), "cudaSetDevice", err);
}

jc_code jc_cuda_stream_create(int major, struct jc_cuda_stream **ret_stream, struct jc_err *err)
{
    const size_t n = major >= HOPPER ? HOPPER_WORKSPACE : WORKSPACE;
    JC_AUTO(jc_cuda_stream) struct jc_cuda_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return jc_fail(err, JC_E_NOMEM, "no memory for a stream");
    jc_code code;
    if ((code = jc_cuda_buffer_create(JC_CUDA_DEVICE, n, &stream->workspace, err)) ||
        (code = jc_cuda_check(cudaStreamCreateWithFlags(&stream->stream, cudaStreamNonBlocking), "cudaStreamCreate",
                              err)) ||
        (code = jc_cuda_check_blas(cublasCreate(&stream->blas), "cublasCreate", err)) ||
        /* Setting the stream takes the workspace away: it goes first. */
        (code = jc_cuda_check_blas(cublasSetStream(stream->blas, stream->stream), "cublasSetStream", err)) ||
        (code = jc_cuda_check_blas(cublasSetWorkspace(stream->blas, jc_cuda_buffer_data(stream->workspace), n),
                                   "cublasSetWorkspace", err)) ||
        (code = jc_cuda_check_blas(
             cublasSetMathMode(stream->blas, CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION),
             "cublasSetMathMode", err)))
        return code;
    *ret_stream = TAKE(stream);
    return JC_OK;
}

void jc_cuda_stream_destroy(struct jc_cuda_stream *stream)
{
    if (!stream)
        return;
    if (stream->blas)
        cublasDestroy(stream->blas);
    if (stream->stream)
        cudaStreamDestroy(stream->stream);
    jc_cuda_buffer_destroy(stream->workspace);
    free(stream);
}

cudaStream_t jc_cuda_stream_handle(const struct jc_cuda_stream *stream)
{
    return stream->stream;
}

jc_code jc_cuda_stream_copy(struct jc_cuda_stream *stream, void *to, const void *from, size_t n_bytes,
                            struct jc_err *err)
{
    return jc_cuda_check(cudaMemcpyAsync(to, from, n_bytes, cudaMemcpyDefault, stream->stream), "cudaMemcpyAsync", err);
}

/* cuBLAS has columns first: it computes c^T [n_out][rows] = (matrix^T)^T . a^T. */
jc_code jc_cuda_stream_multiply(struct jc_cuda_stream *stream, const struct jc_cuda_gemm *gemm, struct jc_err *err)
{
    static const float one = 1, zero = 0;
    const cudaDataType_t type = gemm->wide ? CUDA_R_32F : CUDA_R_16F, type_c = gemm->wide_c ? CUDA_R_32F : CUDA_R_16F;
    const int n_in = (int)gemm->n_in, n_out = (int)gemm->n_out, step = gemm->step ? (int)gemm->step : n_in;
    return jc_cuda_check_blas(cublasGemmEx(stream->blas, CUBLAS_OP_T, CUBLAS_OP_N, n_out, (int)gemm->rows, n_in, &one,
                                           gemm->matrix, type, n_in, gemm->a, type, step, &zero, gemm->c, type_c, n_out,
                                           CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
                              "cublasGemmEx", err);
}

jc_code jc_cuda_stream_record(struct jc_cuda_stream *stream, struct jc_err *err)
{
    return jc_cuda_check(cudaStreamBeginCapture(stream->stream, cudaStreamCaptureModeThreadLocal),
                         "cudaStreamBeginCapture", err);
}

jc_code jc_cuda_stream_stop(struct jc_cuda_stream *stream, cudaGraphExec_t *ret_graph, struct jc_err *err)
{
    cudaGraph_t graph = NULL;
    jc_code code = jc_cuda_check(cudaStreamEndCapture(stream->stream, &graph), "cudaStreamEndCapture", err);
    if (!code)
        code = jc_cuda_check(cudaGraphInstantiateWithFlags(ret_graph, graph, 0), "cudaGraphInstantiate", err);
    if (graph)
        cudaGraphDestroy(graph);
    return code;
}

jc_code jc_cuda_stream_launch(struct jc_cuda_stream *stream, cudaGraphExec_t graph, struct jc_err *err)
{
    return jc_cuda_check(cudaGraphLaunch(graph, stream->stream), "cudaGraphLaunch", err);
}

jc_code jc_cuda_stream_wait(struct jc_cuda_stream *stream, struct jc_err *err)
{
    return jc_cuda_check(cudaStreamSynchronize(stream->stream), "cudaStreamSynchronize", err);
}
