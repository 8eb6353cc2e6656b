/* A BERT encoder's shape: what a checkpoint's configuration says and every implementation of the encoder takes. */
#ifndef JC_BASE_BERT_H
#define JC_BASE_BERT_H

#include <stddef.h>

enum jc_pooling { JC_POOLING_MEAN, JC_POOLING_CLS };

/* Of the matrix products: float32, or 8-bit weights and activations. */
enum jc_precision { JC_PRECISION_F32, JC_PRECISION_INT8 };

struct jc_bert {
    size_t hidden, layers, heads, intermediate, vocab, positions, types;
    double layer_norm_eps;
    enum jc_pooling pooling;
    size_t max_tokens;      /* the context the encoder is used with: at most `positions` */
    char source_sha256[65]; /* of the model.safetensors it was made from */
};

#endif
