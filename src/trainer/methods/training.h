/*
 * Training a head on samples by Adam, in batches that a team of threads shares. The methods softmax and contrastive say
 * what is trained and for how long; this is how.
 */
#ifndef JC_TRAINER_TRAINING_H
#define JC_TRAINER_TRAINING_H

#include "trainer/methods/curve.h"
#include "trainer/methods/method.h"
#include "trainer/methods/objective.h"

/* Borrowed. */
struct jc_training {
    struct jc_objective objective;
    const struct jc_samples *samples;
    const struct jc_samples *watched; /* the validation loss is theirs; none of them: there is none */
    size_t epochs, batch;
    size_t patience; /* so many epochs without a lower validation loss are the last, and the head is that of the lowest;
                        0: all epochs, and the head is that of the last */
    double learning_rate; /* of the embeddings, which stay on the unit sphere; it falls to 0 in a line */
    bool has_bias;        /* categories have a bias; without, and without a lexicon, a score is a cosine */
    uint64_t seed;        /* of the order and of what is dropped */
    unsigned n_threads;
};

/* What two methods of a run have in common. */
struct jc_training_plan {
    struct jc_objective objective; /* without prior */
    double prior;                  /* of the log frequencies in the objective's prior: samples.h */
    uint64_t epochs, refit_epochs; /* from scratch, and from fit->start */
    uint64_t batch, patience;
    double learning_rate; /* from scratch; a quarter of it from fit->start */
    bool has_bias;
};

/* Trains `head`, which the method has made and filled to start from, at head->sharpness. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_training_fit(const struct jc_training_plan *plan, const struct jc_fit *fit,
                                      const struct jc_samples *samples, const struct jc_samples *watched,
                                      struct jc_head *head, struct jc_err *err);

/* Trains `head` on from what is in it, at head->sharpness, and adds the epochs' losses to `curve`, unless NULL. The
 * same seed and number of threads give the same head. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_training_run(const struct jc_training *training, struct jc_head *head, struct jc_curve *curve,
                                      struct jc_err *err);

#endif
