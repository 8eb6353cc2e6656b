/* A loss curve's memory. */
#include "trainer/methods/curve.h"

#include <stdlib.h>

jc_code jc_curve_add(struct jc_curve *curve, double train, double validation, struct jc_err *err)
{
    if (curve->n_epochs == curve->cap_epochs) {
        size_t cap = curve->cap_epochs ? 2 * curve->cap_epochs : 16;
        double *bigger = reallocarray(curve->train, cap, sizeof(*bigger));
        if (bigger)
            curve->train = bigger;
        double *other = reallocarray(curve->validation, cap, sizeof(*other));
        if (other)
            curve->validation = other;
        if (!bigger || !other)
            return jc_fail(err, JC_E_NOMEM, "no memory for a curve of %zu epochs", cap);
        curve->cap_epochs = cap;
    }
    curve->train[curve->n_epochs] = train;
    curve->validation[curve->n_epochs++] = validation;
    return JC_OK;
}

void jc_curve_finish(struct jc_curve *curve)
{
    free(curve->train);
    free(curve->validation);
    *curve = (struct jc_curve){0};
}
