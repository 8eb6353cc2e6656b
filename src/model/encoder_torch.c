/* The BERT encoder: a TorchScript file run by libtorch. */
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

static jc_code load(const char *path, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    if (!path)
        return jc_fail(err, JC_E_INVALID, "an encoder of kind '" JC_ENCODER_BERT "' needs a file");
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = calloc(1, sizeof(struct torch_encoder));
    if (!encoder)
        return jc_fail(err, JC_E_NOMEM, "no memory for the encoder");
    encoder->class = &jc_encoder_torch_class;
    struct torch_encoder *self = (struct torch_encoder *)encoder;
    jc_code code = jc_torch_module_load(path, &self->module, err);
    if (code)
        return code;

    const struct jc_bert *bert = jc_torch_module_bert(self->module);
    encoder->info = (struct jc_encoder_info){.kind = JC_ENCODER_BERT,
                                             .source_sha256 = bert->source_sha256,
                                             .dim = bert->hidden,
                                             .vocab = bert->vocab,
                                             .max_tokens = bert->max_tokens};
    *ret_encoder = TAKE(encoder);
    return JC_OK;
}

const struct jc_encoder_class jc_encoder_torch_class = {
    .kind = JC_ENCODER_BERT, .load = load, .encode = encode, .destroy = destroy};
