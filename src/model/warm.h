/* The first batches of a model on a GPU, which allocate, load kernels and record. */
#ifndef JC_MODEL_WARM_H
#define JC_MODEL_WARM_H

#include "model/classifier.h"

/* Runs batches of every bucket on every lane that the encoder holds on a GPU, by the way that ranks there and by the way
 * that brings vectors back, so that a first request pays for nothing and memory that is short is found now. On the CPU
 * there is nothing to do. Errors: as jc_session_run. Threads: nobody else uses the classifier yet. */
JC_MUST_CHECK jc_code jc_classifier_warm(const struct jc_classifier *classifier, struct jc_session *session,
                                         struct jc_err *err);

#endif
