/*
 * A training run: its state, and its steps in order. Each step takes what the ones before it left in the struct jc_run.
 *     evaluate: read, clean, split, encode, calibrate, evaluate, report
 *     fit:      the same for one method where a split is configured, then fit on all rows, publish
 */
#ifndef JC_TRAINER_PIPELINE_H
#define JC_TRAINER_PIPELINE_H

#include "trainer/config.h"
#include "trainer/report.h"

enum { JC_MAX_METHODS = 16 };

struct jc_run {
    const struct jc_train_config *config;
    struct jc_dataset *dataset;
    struct jc_tokenizer *tokenizer;
    struct jc_encoder *encoder;
    size_t max_tokens;
    struct jc_tokens tokens;
    float *vectors; /* [texts][dim] */
    double encode_seconds;
    const struct jc_method *methods[JC_MAX_METHODS]; /* to evaluate; fit publishes the first */
    size_t n_methods;
    uint32_t *n_train; /* [n_categories]: rows that the measured methods were fitted on */
    struct jc_result results[JC_MAX_METHODS];
    size_t n_results;
    float sharpness[JC_MAX_METHODS], min_confidence[JC_MAX_METHODS]; /* of each method, calibrated */
    struct jc_head head;                                             /* to publish */
};

enum jc_run_kind { JC_RUN_EVALUATE, JC_RUN_FIT };

/* Errors: those of the steps, with the step's name in front. Says on standard error what it does. */
JC_MUST_CHECK jc_code jc_run_execute(const struct jc_train_config *config, enum jc_run_kind kind, struct jc_err *err);

#endif
