/* The bert encoder run by libtorch as TorchScript. */
#include "model/encoder_impl.h"
#include "torch/torch.h"

struct torch_encoder {
    struct jc_encoder base;
    struct jc_torch_module *module;
};

static jc_code encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err)
{
    const struct torch_encoder *self = (const struct torch_encoder *)encoder;
    return jc_torch_module_encode(self->module, ids, n_tokens, n_texts, ret_vectors, err);
}

static void destroy(struct jc_encoder *encoder)
{
    struct torch_encoder *self = (struct torch_encoder *)encoder;
    jc_torch_module_destroy(self->module);
    free(self);
}

static jc_code create(const struct jc_encoder_source *source, const struct jc_tensor *tensors, size_t n_tensors,
                      const struct jc_encoder_options *options, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    (void)options; /* f32 */
    struct jc_torch_module *module;
    jc_code code = jc_torch_module_create(source->bert, tensors, n_tensors, &module, err);
    if (code)
        return code;
    struct torch_encoder *self = calloc(1, sizeof(*self));
    if (!self) {
        jc_torch_module_destroy(module);
        return jc_fail(err, JC_E_NOMEM, "no memory for the encoder");
    }
    self->module = module;
    self->base.class = &jc_encoder_torch_class;
    *ret_encoder = &self->base;
    return JC_OK;
}

const struct jc_encoder_class jc_encoder_torch_class = {
    .name = "torch", .create = create, .encode = encode, .destroy = destroy};
