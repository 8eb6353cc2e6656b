/*
 * Scores to probabilities (artifact/head.h has the formula). See scoring.h. Every text that is ranked passes here with
 * all its categories, so the loops are made for vectors: the build compiles this file with -ffast-math, with which gcc
 * takes glibc's exponentials and logarithms of 4 to 16 numbers at once (libmvec), and every processor gets its width.
 */
#include <math.h>

#include "model/scoring.h"

/* The sanitizers are not yet there when the choice between the clones is made. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define EVERY_WIDTH __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define EVERY_WIDTH
#endif
/* Inside a clone, to be made for it. */
#define INSIDE static inline __attribute__((always_inline))

INSIDE float find_best(const float *scores, size_t n)
{
    float best = scores[0];
    for (size_t i = 1; i < n; i++)
        best = scores[i] > best ? scores[i] : best;
    return best;
}

/* In double: of a million categories none is lost. */
INSIDE double sum_exponentials(const float *scores, size_t n, float sharpness, float best)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)expf(sharpness * (scores[i] - best));
    return sum;
}

/* log(q / (1 + saturation * q)) of log q. */
INSIDE float saturate(float log_q, float saturation)
{
    return log_q - logf(1 + saturation * expf(log_q));
}

/* ret_powers: NULL, or [n_categories] for g of each category over g of the best. */
INSIDE struct jc_norm compute(const struct jc_head *head, const float *scores, float *ret_powers)
{
    size_t n = head->n_categories;
    float sharpness = head->sharpness, saturation = head->saturation, power = head->power;
    float best = find_best(scores, n);
    float log_sum = (float)log(sum_exponentials(scores, n, sharpness, best));
    float peak = saturate(-log_sum, saturation);
    double mass = 0;
    for (size_t i = 0; i < n; i++) {
        float g = expf(power * (saturate(sharpness * (scores[i] - best) - log_sum, saturation) - peak));
        mass += (double)g;
        if (ret_powers)
            ret_powers[i] = g;
    }
    return (struct jc_norm){.best = best, .log_sum = log_sum, .peak = peak, .mass = (float)mass};
}

EVERY_WIDTH struct jc_norm jc_scoring_norm(const struct jc_head *head, const float *scores)
{
    return compute(head, scores, NULL);
}

EVERY_WIDTH void jc_scoring_probabilities(const struct jc_head *head, const float *scores, float *ret_probabilities)
{
    struct jc_norm norm = compute(head, scores, ret_probabilities);
    for (size_t i = 0; i < head->n_categories; i++)
        ret_probabilities[i] /= norm.mass;
}

EVERY_WIDTH float jc_scoring_log_norm(const float *scores, size_t n_categories, float sharpness)
{
    float best = find_best(scores, n_categories);
    return sharpness * best + (float)log(sum_exponentials(scores, n_categories, sharpness, best));
}
