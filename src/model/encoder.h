/*
 * An encoder: token ids in, unit vectors out, behind one vtable. `torch` runs a TorchScript file; `dnn` runs a
 * published model.safetensors on the CPU, beside which stand encoder.json and, in 8 bits, calibration.safetensors;
 * `fake` needs no weights (a token's vector is drawn from its id, a text's is the normalised sum) and serves tests and load tests of
 * everything around the encoder. A bundle's manifest says which one it was made with.
 * Immutable after creation. Threads: any number may encode at once.
 */
#ifndef JC_MODEL_ENCODER_H
#define JC_MODEL_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"

#define JC_ENCODER_BERT "bert-torchscript"
#define JC_ENCODER_SAFETENSORS "bert-safetensors"
#define JC_ENCODER_FAKE "fake"

struct jc_encoder;

struct jc_encoder_info {
    const char *kind;          /* JC_ENCODER_... */
    const char *source_sha256; /* of the weights; "" for the fake */
    size_t dim;
    size_t vocab; /* ids are in [0, vocab); 0 = any id (the fake) */
    size_t max_tokens;
};

/* path: the encoder file (NULL for the fake, which takes any ids). Errors: NOT_FOUND, FORMAT, UNSUPPORTED (unknown
 * kind, or built without it), NOMEM. */
JC_MUST_CHECK jc_code jc_encoder_load(const char *kind, const char *path, struct jc_encoder **ret_encoder,
                                      struct jc_err *err);
void jc_encoder_destroy(struct jc_encoder *encoder);
JC_DEFINE_AUTO(jc_encoder)

const struct jc_encoder_info *jc_encoder_info(const struct jc_encoder *encoder);

/* As jc_torch_module_encode: ids packed, n_tokens[n_texts], ret_vectors [n_texts][dim]. */
JC_MUST_CHECK jc_code jc_encoder_encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                                        size_t n_texts, float *ret_vectors, struct jc_err *err);

#endif
