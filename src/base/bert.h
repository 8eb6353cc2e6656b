/* A BERT encoder's shape: what a checkpoint's configuration says and every implementation of the encoder takes. */
#ifndef JC_BASE_BERT_H
#define JC_BASE_BERT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"

JC_C_BEGIN

enum jc_pooling { JC_POOLING_MEAN, JC_POOLING_CLS };

/* Of the matrix products: float32; 8-bit weights and activations (the CPU's); halves (a GPU's). */
enum jc_precision { JC_PRECISION_F32, JC_PRECISION_INT8, JC_PRECISION_F16 };

struct jc_bert {
    size_t hidden, layers, heads, intermediate, vocab, positions, types;
    double layer_norm_eps;
    enum jc_pooling pooling;
    size_t max_tokens;                 /* the context the encoder is used with: at most `positions` */
    char source_sha256[JC_SHA256_HEX]; /* of the model.safetensors it is made from */
};

/* Do the sizes go together? Errors: FORMAT, saying which do not. */
JC_MUST_CHECK jc_code jc_bert_check(const struct jc_bert *bert, struct jc_err *err);

/* Are these texts such as the encoder takes: ids, one text behind the other, in [0, vocab), of 1 to max_tokens tokens
 * each? Errors: INVALID, naming the text or the id. */
JC_MUST_CHECK jc_code jc_bert_check_texts(const struct jc_bert *bert, const int32_t *ids, const uint32_t *n_tokens,
                                          size_t n_texts, struct jc_err *err);

/* Floats of a calibration: two for each input of each linear layer (dnn/dnn.h). */
size_t jc_bert_calibration_size(const struct jc_bert *bert);

JC_C_END

#endif
