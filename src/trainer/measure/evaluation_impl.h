/* The parts of an evaluation. Each fills its members of a zeroed struct jc_evaluation; the predictions are checked. */
#ifndef JC_TRAINER_EVALUATION_IMPL_H
#define JC_TRAINER_EVALUATION_IMPL_H

#include "trainer/measure/evaluation.h"

/* bins, ece, brier, coverage, thresholds, precision_at_half */
JC_MUST_CHECK jc_code jc_evaluation_add_confidence(const struct jc_evaluation_input *input,
                                                   struct jc_evaluation *evaluation, struct jc_err *err);

/* groups, group_confusion, pairs */
JC_MUST_CHECK jc_code jc_evaluation_add_confusion(const struct jc_evaluation_input *input,
                                                  struct jc_evaluation *evaluation, struct jc_err *err);

static inline void jc_tally_add(struct jc_tally *tally, uint32_t rank)
{
    tally->n++;
    tally->n_top_1 += rank <= 1;
    tally->n_top_5 += rank <= 5;
}

#endif
