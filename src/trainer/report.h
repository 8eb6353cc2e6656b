/* What a run found, as a table for a person. */
#ifndef JC_TRAINER_REPORT_H
#define JC_TRAINER_REPORT_H

#include <stdio.h>

#include "trainer/evaluation.h"
#include "trainer/method.h"

/* A method on the examples that were held out. */
struct jc_result {
    const struct jc_method *method;
    struct jc_prediction *predictions; /* [evaluation.n] */
    struct jc_evaluation evaluation;
    double fit_seconds, predict_seconds;
};

void jc_result_finish(struct jc_result *result);

void jc_report_print(const struct jc_result *results, size_t n_results, double encode_seconds, size_t n_texts,
                     FILE *out);

#endif
