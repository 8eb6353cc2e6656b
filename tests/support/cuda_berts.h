/* Random encoders of shapes that the GPU's code takes, of both poolings. */
#ifndef JC_TESTS_CUDA_BERTS_H
#define JC_TESTS_CUDA_BERTS_H

#define RANDOM_BERT_SIZES MAX_LEN = 80, N_TEXTS = 60, MAX_HIDDEN = 136, MAX_WIDE = 256
#include "random_bert.h"

static const struct jc_bert mean_bert = {.hidden = 64,
                                         .layers = 2,
                                         .heads = 2,
                                         .intermediate = 128,
                                         .vocab = 90,
                                         .positions = MAX_LEN,
                                         .types = 2,
                                         .layer_norm_eps = 1e-12,
                                         .pooling = JC_POOLING_MEAN,
                                         .max_tokens = MAX_LEN};
static const struct jc_bert cls_bert = {.hidden = 128,
                                        .layers = 2,
                                        .heads = 2,
                                        .intermediate = 256,
                                        .vocab = 90,
                                        .positions = MAX_LEN,
                                        .types = 1,
                                        .layer_norm_eps = 1e-6,
                                        .pooling = JC_POOLING_CLS,
                                        .max_tokens = 65};

#endif
