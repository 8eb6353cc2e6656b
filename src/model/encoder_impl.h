/* Inside model/: what an encoder implementation gives to the registry in encoder.c. */
#ifndef JC_MODEL_ENCODER_IMPL_H
#define JC_MODEL_ENCODER_IMPL_H

#include "base/tensor.h"
#include "model/encoder.h"
#include "model/ranker.h"

struct jc_encoder_class {
    const char *name; /* info.backend */

    /* options: settled, so that for a GPU device is its number, from 1. tensors: those of source->weights, none for the
     * fake; they live for the call. Fills info's dim, vocab and max_tokens, as far as the source's bert does not say
     * them. */
    jc_code (*create)(const struct jc_encoder_source *source, const struct jc_tensor *tensors, size_t n_tensors,
                      const struct jc_encoder_options *options, struct jc_encoder **ret_encoder, struct jc_err *err);
    jc_code (*encode)(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err);
    jc_code (*calibrate)(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                         float **ret_calibration, size_t *ret_n, struct jc_err *err); /* may be NULL */
    void (*destroy)(struct jc_encoder *encoder);

    /* All three or none: a head's categories, and exemplars, kept where the vectors are, and texts ranked there. ranking
     * has room, n_hits, has_scores and words; scores come without the bias; see ranker.h for the rest. */
    jc_code (*keep_categories)(const struct jc_encoder *encoder, const struct jc_head *head, void **ret_categories,
                               struct jc_err *err);
    void (*drop_categories)(void *categories);
    jc_code (*rank)(const struct jc_encoder *encoder, const void *categories, const int32_t *ids,
                    const uint32_t *n_tokens, size_t n_texts, struct jc_ranking *ranking, bool *ret_is_done,
                    struct jc_err *err);

    /* As jc_encoder_each_lane; may be NULL. */
    jc_code (*each_lane)(struct jc_encoder *encoder, jc_code (*run)(void *context, struct jc_err *err), void *context,
                         struct jc_err *err);
};

/* The head of every encoder; an implementation's struct begins with it. */
struct jc_encoder {
    const struct jc_encoder_class *class;
    struct jc_encoder_info info;
};

extern const struct jc_encoder_class jc_encoder_cuda_class;
extern const struct jc_encoder_class jc_encoder_dnn_class;
extern const struct jc_encoder_class jc_encoder_fake_class;
extern const struct jc_encoder_class jc_encoder_torch_class;

#endif
