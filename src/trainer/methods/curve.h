/* A loss curve: mean losses of a training after each epoch. Plain data; free with jc_curve_finish. */
#ifndef JC_TRAINER_CURVE_H
#define JC_TRAINER_CURVE_H

#include <stddef.h>

#include "base/err.h"

struct jc_curve {
    size_t n_epochs, cap_epochs;
    double *train;      /* [n_epochs], of the batches as they were trained, dropout included */
    double *validation; /* [n_epochs], without dropout; NaN where no rows were watched */
};

/* Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_curve_add(struct jc_curve *curve, double train, double validation, struct jc_err *err);
void jc_curve_finish(struct jc_curve *curve);

#endif
