/*
 * Calibration: makes a head's probabilities mean what they say, on rows it was not fitted on.
 *   sharpness: minimises the mean negative log-likelihood of the right category (temperature scaling, Guo et al. 2017;
 *              sharpness is 1 / temperature).
 *   min_confidence: the least confidence from which answers of at least that confidence are right often enough.
 */
#ifndef JC_TRAINER_CALIBRATE_H
#define JC_TRAINER_CALIBRATE_H

#include "trainer/method.h"

/* Sets head->sharpness and head->min_confidence from the examples of `roles`; leaves them where there is none.
 * accept_precision: the share that is to be right among the accepted; where no confidence reaches it, nothing is
 * accepted (JC_HEAD_ACCEPT_NONE). Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_calibrate(const struct jc_train_data *data, unsigned roles, double accept_precision,
                                   struct jc_head *head, struct jc_err *err);

#endif
