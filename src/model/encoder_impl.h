/* Inside model/: what an encoder implementation gives to the registry in encoder.c. */
#ifndef JC_MODEL_ENCODER_IMPL_H
#define JC_MODEL_ENCODER_IMPL_H

#include "model/encoder.h"

struct jc_encoder_class {
    const char *kind;
    jc_code (*load)(const char *path, struct jc_encoder **ret_encoder, struct jc_err *err);
    jc_code (*encode)(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err);
    void (*destroy)(struct jc_encoder *encoder);
};

/* The head of every encoder; an implementation's struct begins with it. */
struct jc_encoder {
    const struct jc_encoder_class *class;
    struct jc_encoder_info info;
};

extern const struct jc_encoder_class jc_encoder_dnn_class;
extern const struct jc_encoder_class jc_encoder_fake_class;
extern const struct jc_encoder_class jc_encoder_torch_class;

#endif
