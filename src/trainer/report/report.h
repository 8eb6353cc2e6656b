/* What a run found, as a table for a person. */
#ifndef JC_TRAINER_REPORT_H
#define JC_TRAINER_REPORT_H

#include <stdio.h>

#include "trainer/measure/evaluation.h"
#include "trainer/methods/method.h"

/* What became of a method in a run. */
struct jc_result {
    const struct jc_method *method;
    struct jc_head measured;           /* of the evaluation: the head below, gone on with the validation rows */
    struct jc_head head;               /* the latest fit, calibrated */
    struct jc_curve curve;             /* of the fit that was calibrated */
    struct jc_evaluation validation;   /* of that fit; n == 0: no rows */
    struct jc_prediction *predictions; /* [evaluation.n], of the test rows */
    struct jc_evaluation evaluation;
    double fit_seconds; /* of all fits so far */
    double predict_seconds;
};

void jc_result_finish(struct jc_result *result);

void jc_report_print(const struct jc_result *results, size_t n_results, FILE *out);

#endif
