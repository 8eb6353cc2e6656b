/* The registry of encoders: a kind's name to its implementation. */
#include "model/encoder.h"

#include <string.h>

#include "model/encoder_impl.h"

static const struct jc_encoder_class *const classes[] = {&jc_encoder_torch_class, &jc_encoder_dnn_class,
                                                         &jc_encoder_fake_class};

jc_code jc_encoder_load(const char *kind, const char *path, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    for (size_t i = 0; i < JC_COUNT(classes); i++)
        if (strcmp(classes[i]->kind, kind) == 0)
            return classes[i]->load(path, ret_encoder, err);
    return jc_fail(err, JC_E_UNSUPPORTED,
                   "encoder kind '%s' is unknown: '" JC_ENCODER_BERT "', '" JC_ENCODER_SAFETENSORS
                   "' or '" JC_ENCODER_FAKE "'",
                   kind);
}

void jc_encoder_destroy(struct jc_encoder *encoder)
{
    if (encoder)
        encoder->class->destroy(encoder);
}

const struct jc_encoder_info *jc_encoder_info(const struct jc_encoder *encoder)
{
    return &encoder->info;
}

jc_code jc_encoder_encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                          size_t n_texts, float *ret_vectors, struct jc_err *err)
{
    if (n_texts == 0)
        return JC_OK;
    return encoder->class->encode(encoder, ids, n_tokens, n_texts, ret_vectors, err);
}
