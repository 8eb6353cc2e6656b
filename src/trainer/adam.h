/* Adam (Kingma and Ba 2015, algorithm 1) on a run of parameters: m and v are its moments, kept by the caller. */
#ifndef JC_TRAINER_ADAM_H
#define JC_TRAINER_ADAM_H

#include <math.h>
#include <stddef.h>

#define JC_ADAM_BETA1 0.9F
#define JC_ADAM_BETA2 0.999F
#define JC_ADAM_EPSILON 1e-8F

/* Of one step, the same for all parameters: lr and the corrections of the moments' bias. */
struct jc_adam_step {
    float lr, correction1, correction2;
};

/* step counts from 1. */
static inline struct jc_adam_step jc_adam_step(float lr, size_t step)
{
    return (struct jc_adam_step){.lr = lr,
                                 .correction1 = 1 - powf(JC_ADAM_BETA1, (float)step),
                                 .correction2 = 1 - powf(JC_ADAM_BETA2, (float)step)};
}

static inline void jc_adam_update(const struct jc_adam_step *step, float *parameters, const float *gradient, float *m,
                                  float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = JC_ADAM_BETA1 * m[i] + (1 - JC_ADAM_BETA1) * gradient[i];
        v[i] = JC_ADAM_BETA2 * v[i] + (1 - JC_ADAM_BETA2) * gradient[i] * gradient[i];
        parameters[i] -= step->lr * (m[i] / step->correction1) / (sqrtf(v[i] / step->correction2) + JC_ADAM_EPSILON);
    }
}

#endif
