/* Setting up the numeric libraries. See runtime.h. */
#include "model/runtime.h"

#include <stdio.h>

#include "dnn/gemm.h"
#include "linalg/linalg.h"
#include "torch/torch.h"

void jc_runtime_init(void)
{
    jc_torch_init();
    jc_linalg_init();
}

const char *jc_runtime_versions(void)
{
    static _Thread_local char text[96];
    char dnn[32];
    jc_dnn_version(dnn);
    snprintf(text, sizeof text, "oneDNN %s, libtorch %s", dnn, jc_torch_version());
    return text;
}
