/* Setting up libtorch and BLAS. See runtime.h. */
#include "model/runtime.h"

#include "linalg/linalg.h"
#include "torch/torch.h"

void jc_runtime_init(void)
{
    jc_torch_init();
    jc_linalg_init();
}

const char *jc_runtime_torch_version(void)
{
    return jc_torch_version();
}
