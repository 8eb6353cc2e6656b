/* Setting up the numeric libraries. See runtime.h. */
#include "model/runtime.h"

#include <stdio.h>

#include "cuda/cuda.h"
#include "dnn/gemm.h"
#include "linalg/linalg.h"
#include "torch/torch.h"

void jc_runtime_init(void)
{
    jc_torch_init();
    jc_linalg_init();
}

jc_code jc_runtime_reserve(size_t n_threads, struct jc_err *err)
{
    return jc_linalg_reserve(n_threads, err);
}

const char *jc_runtime_versions(void)
{
    static _Thread_local char text[128];
    char dnn[32];
    jc_dnn_version(dnn);
    snprintf(text, sizeof text, "oneDNN %s, libtorch %s, CUDA %s", dnn, jc_torch_version(), jc_cuda_version());
    return text;
}
