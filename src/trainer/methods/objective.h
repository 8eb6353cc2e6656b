/*
 * The softmax objective of a head on one shard of a batch, and its gradients. A head's score s[c] (artifact/head.h)
 * gives the logit z[c] = sharpness s[c] + prior[c], less sharpness margin where c is a code of the text; the loss of a
 * text is its weight times the cross-entropy of softmax(z) against its targets: 1 - smoothing in shares for its codes,
 * the rest spread over all categories.
 * `prior` (a share of the log frequencies of the training rows: Menon et al. 2021, logit adjustment) stands in the loss
 * alone, so that what is learned leans less towards categories that merely have many rows. So does
 * `margin`, by which a right score must lead (Wang et al. 2018, CosFace).
 */
#ifndef JC_TRAINER_OBJECTIVE_H
#define JC_TRAINER_OBJECTIVE_H

#include <stdint.h>

#include "artifact/head.h"
#include "model/lexicon.h"
#include "trainer/methods/samples.h"

/* What regularises; all zero = none. */
struct jc_objective {
    const float *prior; /* [n_categories], or NULL */
    float margin;       /* of scores */
    float smoothing;
    float dropout;      /* of the vector's values */
    float word_dropout; /* of the lexical features */
};

/* One shard's memory, for up to max_samples. Gradients are of the sum over the shard's samples times `factor`. */
struct jc_shard {
    float *queries;         /* [max_samples][width] */
    float *logits;          /* [max_samples][n_categories]; becomes their gradient */
    float *matrix_gradient; /* [n_categories][width] */
    float *bias_gradient;   /* [n_categories] */
    float *words_gradient;  /* [max_samples][lexicon_dim]: of each sample's words */
    float *feature_weights; /* [max_samples][JC_LEXICON_FEATURES]: what each feature counted for in the words */
    double loss;
};

JC_MUST_CHECK jc_code jc_shard_init(struct jc_shard *shard, const struct jc_head *head, size_t max_samples,
                                    struct jc_err *err);
void jc_shard_finish(struct jc_shard *shard);

/* The sum over samples[n], n > 0, of their losses with nothing dropped. Leaves the gradients as they are. */
double jc_objective_loss(const struct jc_objective *objective, const struct jc_head *head,
                         const struct jc_sample *const *samples, size_t n, struct jc_shard *shard);

/* Computes shard->loss and the gradients for samples[n], n > 0. `seed` draws what is dropped: the same seed and samples
 * give the same. */
void jc_objective_run(const struct jc_objective *objective, const struct jc_head *head,
                      const struct jc_sample *const *samples, size_t n, float factor, uint64_t seed,
                      struct jc_shard *shard);

#endif
