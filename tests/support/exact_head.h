/*
 * Numbers whose products and sums of products float32 and halves hold exactly, in whatever order they are added: what is
 * computed of them on different ways is the same to the bit, and many of the sums are equal.
 */
#ifndef JC_TESTS_EXACT_HEAD_H
#define JC_TESTS_EXACT_HEAD_H

#include "artifact/head.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"
#include "model/vote.h"

/* Eighths from -1/2 to 1/2. */
static inline void exact_fill(struct jc_rng *rng, float *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        numbers[i] = (float)(int)(jc_rng_next(rng) % 9) / 8 - 0.5F;
}

/* n texts with one to four codes; every third text is one of the first ten again. */
static inline void exact_exemplars_make(struct jc_rng *rng, size_t n, size_t dim, size_t n_categories, uint32_t k,
                                        struct jc_exemplars *exemplars)
{
    struct jc_err err;
    REQUIRE_OK(jc_exemplars_init(exemplars, n, dim, n * 4, 0, &err));
    exact_fill(rng, exemplars->vectors, n * dim);
    for (size_t i = 0; i < n; i++) {
        if (i % 3 == 2)
            memmove(exemplars->vectors + i * dim, exemplars->vectors + i % 10 * dim, dim * sizeof(float));
        size_t at = exemplars->code_begins[i];
        uint32_t code = (uint32_t)(jc_rng_next(rng) % (n_categories / 4));
        for (size_t left = 1 + jc_rng_next(rng) % 4; left > 0; left--) {
            exemplars->codes[at] = code;
            exemplars->code_weights[at++] = (float)(jc_rng_unit(rng) + 0.1);
            code += 1 + (uint32_t)(jc_rng_next(rng) % (n_categories / 4 - 1));
        }
        exemplars->code_begins[i + 1] = at;
    }
    exemplars->k = k;
    exemplars->sharpness = 2.5F;
    exemplars->weight = 0.75F;
}

#endif
