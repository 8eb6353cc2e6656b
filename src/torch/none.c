/* The shim of a build without libtorch: every call says so. See torch.h. */
#include "torch/torch.h"

static jc_code fail(struct jc_err *err)
{
    return jc_fail(err, JC_E_UNSUPPORTED, "this build has no libtorch (-Dtorch=disabled)");
}

void jc_torch_init(void)
{
}

const char *jc_torch_version(void)
{
    return "none";
}

jc_code jc_torch_module_create(const struct jc_bert *bert, const struct jc_tensor *tensors, size_t n_tensors,
                               struct jc_torch_module **ret_module, struct jc_err *err)
{
    (void)bert, (void)tensors, (void)n_tensors, (void)ret_module;
    return fail(err);
}

void jc_torch_module_destroy(struct jc_torch_module *module)
{
    (void)module;
}

jc_code jc_torch_module_encode(const struct jc_torch_module *module, const int32_t *ids, const uint32_t *n_tokens,
                               size_t n_texts, float *ret_vectors, struct jc_err *err)
{
    (void)module, (void)ids, (void)n_tokens, (void)n_texts, (void)ret_vectors;
    return fail(err);
}
