/* The state of a training that its team shares, for the files of training. */
#ifndef JC_TRAINER_TRAINING_IMPL_H
#define JC_TRAINER_TRAINING_IMPL_H

#include "trainer/methods/part.h"
#include "trainer/methods/team.h"
#include "trainer/methods/training.h"

struct jc_training_run {
    const struct jc_training *plan;
    struct jc_head *head;
    const struct jc_sample **order; /* [n_samples]: shuffled for each epoch */
    size_t n_samples, n_steps;
    struct jc_shard *shards; /* one a member */
    unsigned n_members;

    /* Adam's moments, and for the update of a batch: */
    float *matrix_m, *matrix_v, *bias_m, *bias_v, *lexicon_m, *lexicon_v;
    float *lexicon_gradient; /* [n_features][lexicon_dim]: zero but during an update */
    uint8_t *touched;        /* [n_features]: the same */

    const struct jc_sample **watched; /* [n_watched] */
    size_t n_watched;
    double watched_weight;             /* of them all */
    double *member_losses;             /* [n_members]: sums of an epoch, by member */
    double *train_losses, *validation; /* [plan->epochs] */
    size_t n_epochs, best_epoch;       /* done; the one with the lowest validation loss */
    bool stop;                         /* after this epoch */
    float *best;                       /* the parameters of that epoch; NULL: not wanted */
};

/* Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_training_moments_init(struct jc_training_run *run, struct jc_err *err);
void jc_training_moments_finish(struct jc_training_run *run);

/* A member's share of the update by the shards' gradients for samples [begin, end) of the order; step counts from 1. */
void jc_training_update(struct jc_training_run *run, size_t begin, size_t end, unsigned member, size_t step);

#endif
