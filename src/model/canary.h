/* Canaries: the titles of a model's manifest that must give their code first. A model without any is asked the titles
 * of its categories, one at a time, and any answer will do. Threads: any. */
#ifndef JC_MODEL_CANARY_H
#define JC_MODEL_CANARY_H

#include <stddef.h>

#include "base/err.h"
#include "model/classifier.h"

/* Prepares canary `number` (counted round the manifest's) as an input for one hit. n_ids is 0 where there is nothing to
 * be asked: only in a model without canaries. Free with jc_input_finish. Errors: MODEL where a canary has no usable
 * text; as jc_classifier_prepare. */
JC_MUST_CHECK jc_code jc_canary_prepare(const struct jc_classifier *classifier, size_t number, struct jc_hit *hit,
                                        struct jc_input *ret_input, struct jc_err *err);

/* Did the input that was prepared and run give its code? Errors: MODEL. */
JC_MUST_CHECK jc_code jc_canary_judge(const struct jc_classifier *classifier, size_t number,
                                      const struct jc_input *input, struct jc_err *err);

/* Asks a session each canary once. Errors: as the above, and as jc_session_run. */
JC_MUST_CHECK jc_code jc_canary_run_all(const struct jc_classifier *classifier, struct jc_session *session,
                                        struct jc_err *err);

#endif
