/* Inside torch/: from checkpoint tensors to a TorchScript module. */
#ifndef JC_TORCH_BUILD_H
#define JC_TORCH_BUILD_H

#include <torch/script.h>

#include "torch/torch.h"

/* Throws what libtorch throws. Errors: as jc_torch_module_create. */
jc_code jc_torch_build(const struct jc_bert &bert, const struct jc_tensor *tensors, size_t n_tensors,
                       torch::jit::Module &ret_module, struct jc_err *err);

#endif
