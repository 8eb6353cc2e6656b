/*
 * Calibration: makes a head's probabilities mean what they say, on rows it was not fitted on.
 *   sharpness, saturation, power: minimise the mean negative log-likelihood of the right category. Where there are few
 *              rows, or saturation and power explain them no better, sharpness alone: temperature scaling (Guo et al.
 *              2017; sharpness is 1 / temperature).
 *   min_confidence: the least confidence from which answers of at least that confidence are right often enough.
 */
#ifndef JC_TRAINER_CALIBRATE_H
#define JC_TRAINER_CALIBRATE_H

#include "trainer/methods/method.h"

/* Sets the head's sharpness, saturation, power and min_confidence from the examples of `roles`; leaves them where there
 * is none.
 * accept_precision: the share that is to be right among the accepted; where no confidence reaches it, nothing is
 * accepted (JC_HEAD_ACCEPT_NONE). Of very many examples an even part is taken. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_calibrate(const struct jc_train_data *data, unsigned roles, double accept_precision,
                                   struct jc_head *head, struct jc_err *err);

/* The scores of rows and their right categories, kept because a search goes over them many times. Free with
 * jc_scores_finish. */
struct jc_scores {
    size_t n, n_categories;
    unsigned n_threads; /* that a search may use; 0 is 1 */
    float *values;      /* [n][n_categories] */
    uint32_t *right;    /* [n] */
};

/* Of the examples of `roles`, about max_rows evenly spread at most. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_scores_collect(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                                        size_t max_rows, struct jc_scores *ret_scores, struct jc_err *err);
void jc_scores_finish(struct jc_scores *scores);

/* The sharpness with the least mean negative log-likelihood, which goes to *ret_nll; the plain softmax's. */
float jc_scores_find_sharpness(const struct jc_scores *scores, double *ret_nll);

#endif
