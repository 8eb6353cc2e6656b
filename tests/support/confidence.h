/* The probabilities of a text's categories by the definition (artifact/head.h), in double. */
#ifndef JC_TESTS_CONFIDENCE_H
#define JC_TESTS_CONFIDENCE_H

#include <math.h>
#include <stddef.h>

/* ret_probabilities [n]. */
static inline void confidence_compute(const float *scores, size_t n, double sharpness, double saturation, double power,
                                      double *ret_probabilities)
{
    double best = -INFINITY, sum = 0, highest = -INFINITY, mass = 0;
    for (size_t c = 0; c < n; c++)
        best = fmax(best, sharpness * (double)scores[c]);
    for (size_t c = 0; c < n; c++)
        sum += exp(sharpness * (double)scores[c] - best);
    for (size_t c = 0; c < n; c++) {
        double log_q = sharpness * (double)scores[c] - best - log(sum);
        ret_probabilities[c] = power * (log_q - log1p(saturation * exp(log_q))); /* log g */
        highest = fmax(highest, ret_probabilities[c]);
    }
    for (size_t c = 0; c < n; c++)
        mass += exp(ret_probabilities[c] - highest);
    for (size_t c = 0; c < n; c++)
        ret_probabilities[c] = exp(ret_probabilities[c] - highest) / mass;
}

#endif
