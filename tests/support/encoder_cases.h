/* What the CPU's encoders are tested with alike: two shapes, of either pooling, and checkpoints to be refused. */
#ifndef JC_TESTS_ENCODER_CASES_H
#define JC_TESTS_ENCODER_CASES_H

#include "random_bert.h"

static const struct jc_bert cls_bert = {.hidden = 32,
                                        .layers = 3,
                                        .heads = 4,
                                        .intermediate = 64,
                                        .vocab = 50,
                                        .positions = 24,
                                        .types = 2,
                                        .layer_norm_eps = 1e-12,
                                        .pooling = JC_POOLING_CLS,
                                        .max_tokens = 24};
static const struct jc_bert mean_bert = {.hidden = 21,
                                         .layers = 2,
                                         .heads = 3,
                                         .intermediate = 50,
                                         .vocab = 33,
                                         .positions = 30,
                                         .types = 1,
                                         .layer_norm_eps = 1e-3,
                                         .pooling = JC_POOLING_MEAN,
                                         .max_tokens = 20};

/* A checkpoint of cls_bert that is not what its configuration says: the tensor is named. not_finite: the code for that. */
static inline void check_refusals(struct checkpoint *c, jc_code not_finite,
                                  void (*check_refused)(const struct checkpoint *c, const struct jc_bert *bert,
                                                        jc_code want, const char *text))
{
    struct jc_tensor *tensor = find_tensor(c, "encoder.layer.1.", "attention.self.key.weight"), kept = *tensor;
    tensor->name = "another";
    check_refused(c, &c->bert, JC_E_FORMAT, "'encoder.layer.1.attention.self.key.weight' is missing");
    *tensor = kept;
    tensor->shape[0]--;
    check_refused(c, &c->bert, JC_E_FORMAT, "encoder.layer.1.attention.self.key.weight' is [31, 32], not [32, 32]");
    *tensor = kept;
    tensor->rank = 1;
    check_refused(c, &c->bert, JC_E_FORMAT, "self.key.weight");
    *tensor = kept;
    tensor->dtype = JC_DTYPE_F16;
    check_refused(c, &c->bert, JC_E_FORMAT, "not float32");
    *tensor = kept;
    tensor->n_bytes -= 4;
    check_refused(c, &c->bert, JC_E_FORMAT, "self.key.weight");
    *tensor = kept;
    float *values = (float *)(uintptr_t)find_values(c, "encoder.layer.1.", "output.dense.bias"), value = values[3];
    values[3] = NAN;
    check_refused(c, &c->bert, not_finite, "not finite");
    values[3] = value;
    struct jc_bert bert = c->bert;
    bert.heads = 5;
    check_refused(c, &bert, JC_E_FORMAT, "5 heads");
    bert = c->bert;
    bert.max_tokens = bert.positions + 1;
    check_refused(c, &bert, JC_E_FORMAT, "positions");
    bert = c->bert;
    bert.layers++;
    check_refused(c, &bert, JC_E_FORMAT, "encoder.layer.3.");
    bert = c->bert;
    bert.vocab++;
    check_refused(c, &bert, JC_E_FORMAT, "word_embeddings");
    bert = c->bert;
    bert.layers = 0;
    check_refused(c, &bert, JC_E_FORMAT, "size of 0");
    bert = c->bert;
    bert.intermediate = SIZE_MAX;
    check_refused(c, &bert, JC_E_FORMAT, "over");
}

#endif
