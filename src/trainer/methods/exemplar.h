/* Making a head's exemplars from training texts: for the methods exemplar, nearest and blend. */
#ifndef JC_TRAINER_EXEMPLAR_H
#define JC_TRAINER_EXEMPLAR_H

#include "trainer/methods/method.h"

/* The distinct texts of the examples that have one of `roles`, with their codes; a text's vote weighs what the text
 * weighs as a sample (samples.h), parted by its codes' shares. k and sharpness as in artifact/exemplars.h, weight 1.
 * Errors: INVALID (no texts), NOMEM. */
JC_MUST_CHECK jc_code jc_exemplars_make(const struct jc_train_data *data, unsigned roles, uint32_t k, float sharpness,
                                        struct jc_exemplars *ret_exemplars, struct jc_err *err);

#endif
