/* The distinct texts of a set of examples, as training sees them: what is in a text, what it should answer, and how
 * much it counts. */
#ifndef JC_TRAINER_SAMPLES_H
#define JC_TRAINER_SAMPLES_H

#include "artifact/head.h"
#include "trainer/data/dataset.h"
#include "trainer/methods/method.h"

/* A text. */
struct jc_sample {
    const float *vector;      /* [dim] */
    const uint32_t *codes;    /* [n_codes], distinct categories, ascending */
    const float *shares;      /* [n_codes], of the text's target; they sum to 1 */
    const uint32_t *features; /* [n_features] of the lexicon */
    uint32_t text, n_codes, n_features;
    float weight; /* its loss counts so often */
};

struct jc_samples {
    struct jc_sample *items; /* [n], by text ascending */
    size_t n;
    uint32_t *codes; /* of all, one after another */
    float *shares;   /* the same */
    uint32_t *features;
};

/* The texts of the examples that have one of `roles`, without features: shares in proportion to the weights of a text's
 * examples; a text weighs what the examples of its commonest category do (one that stands under many teaches no more
 * for that), scaled for a mean of 1 over the samples. Free with jc_samples_finish. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_samples_collect(const struct jc_train_data *data, unsigned roles,
                                         struct jc_samples *ret_samples, struct jc_err *err);

/* What a fit trains on, and of the rows that it watches (not what is cut from bodies) 4,096 texts at most, evenly
 * spread. Errors: INVALID (nothing to train
 * on), NOMEM. */
JC_MUST_CHECK jc_code jc_samples_collect_fit(const struct jc_fit *fit, struct jc_samples *ret_samples,
                                             struct jc_samples *ret_watched, struct jc_err *err);
void jc_samples_finish(struct jc_samples *samples);

/* Gives the samples those features that the head's lexicon has. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_samples_add_features(struct jc_samples *samples, const struct jc_tokens *tokens,
                                              const struct jc_head *head, struct jc_err *err);

/* ret_prior [n_categories] = weight * log of each category's share of the targets. */
void jc_samples_prior(const struct jc_samples *samples, size_t n_categories, float weight, float *ret_prior);

#endif
