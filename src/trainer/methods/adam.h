/* Adam (Kingma and Ba 2015, algorithm 1) on a run of parameters: m and v are its moments, kept by the caller. */
#ifndef JC_TRAINER_ADAM_H
#define JC_TRAINER_ADAM_H

#include <math.h>
#include <stddef.h>

#define JC_ADAM_BETA1 0.9F
#define JC_ADAM_BETA2 0.999F
#define JC_ADAM_EPSILON 1e-8F

/* Of one step, the same for all parameters: the rate and a factor of sqrt(v), corrected for the moments' bias. */
struct jc_adam_step {
    float rate, scale;
};

/* step counts from 1. */
static inline struct jc_adam_step jc_adam_step(float lr, size_t step)
{
    return (struct jc_adam_step){
        .rate = (float)((double)lr / (1 - pow((double)JC_ADAM_BETA1, (double)step))),
        .scale = (float)(1 / sqrt(1 - pow((double)JC_ADAM_BETA2, (double)step))),
    };
}

static inline void jc_adam_update(const struct jc_adam_step *step, float *restrict parameters,
                                  const float *restrict gradient, float *restrict m, float *restrict v, size_t n)
{
    const float rate = step->rate, scale = step->scale;
    for (size_t i = 0; i < n; i++) {
        m[i] = JC_ADAM_BETA1 * m[i] + (1 - JC_ADAM_BETA1) * gradient[i];
        v[i] = JC_ADAM_BETA2 * v[i] + (1 - JC_ADAM_BETA2) * gradient[i] * gradient[i];
        parameters[i] -= rate * m[i] / (sqrtf(v[i]) * scale + JC_ADAM_EPSILON);
    }
}

/* A step of a gradient of zeros: the moments fade, the parameters coast. */
static inline void jc_adam_coast(const struct jc_adam_step *step, float *restrict parameters, float *restrict m,
                                 float *restrict v, size_t n)
{
    const float rate = step->rate, scale = step->scale;
    for (size_t i = 0; i < n; i++) {
        m[i] *= JC_ADAM_BETA1;
        v[i] *= JC_ADAM_BETA2;
        parameters[i] -= rate * m[i] / (sqrtf(v[i]) * scale + JC_ADAM_EPSILON);
    }
}

/* After so many steps without a gradient, 0.9^256 = 2e-12 of m is left and no parameter moves any more: the row may
 * sleep, until jc_adam_wake makes up for the steps it slept. */
#define JC_ADAM_COAST 256

static inline void jc_adam_wake(float *restrict m, float *restrict v, size_t n, size_t n_steps)
{
    const float fade = (float)pow((double)JC_ADAM_BETA2, (double)n_steps);
    for (size_t i = 0; i < n; i++) {
        m[i] = 0;
        v[i] *= fade;
    }
}

#endif
