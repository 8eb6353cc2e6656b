/*
 * Exemplars of a head: training texts whose vectors are kept. The k nearest of them to a text vote for their
 * categories (head.h has the formula, model/vote.h runs it), and the nearest is the evidence for an answer. The trainer
 * makes them, a bundle stores them (exemplars.safetensors, exemplars.txt). Plain data.
 */
#ifndef JC_ARTIFACT_EXEMPLARS_H
#define JC_ARTIFACT_EXEMPLARS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define JC_EXEMPLARS_MAX_K 1000

struct jc_exemplars {
    size_t n, dim;       /* n == 0: none, and nothing below is set */
    float *vectors;      /* [n][dim] unit rows, 64-byte aligned */
    size_t *code_begins; /* [n + 1]: the codes of text i stand at code_begins[i] up to code_begins[i + 1] */
    uint32_t *codes;     /* categories, of each text at least one and ascending */
    float
        *code_weights; /* parallel to codes: a text's vote is divided so; none negative, and some of each text not 0 */
    char *text_data;   /* cleaned texts, each ended by a NUL */
    size_t *text_begins; /* [n + 1]: text i begins at text_data + text_begins[i] */
    uint32_t k;          /* how many vote, 1 to JC_EXEMPLARS_MAX_K; all where there are fewer */
    float sharpness;     /* how much more the nearer ones count; >= 0 */
    float weight;        /* of the vote in the score; >= 0 */
};

static inline const char *jc_exemplars_text(const struct jc_exemplars *exemplars, size_t i)
{
    return exemplars->text_data + exemplars->text_begins[i];
}

/* Allocates n > 0 exemplars of zeros with room for n_codes codes in all and n_text_bytes of text, NULs included; k, the
 * sharpness and the weight are 1. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_exemplars_init(struct jc_exemplars *exemplars, size_t n, size_t dim, size_t n_codes,
                                        size_t n_text_bytes, struct jc_err *err);
void jc_exemplars_finish(struct jc_exemplars *exemplars);

/* Reads the two files and checks everything that is said above; categories are below n_categories. Errors: NOT_FOUND,
 * IO, FORMAT and MODEL (a number that is not one, or out of its range), naming file and tensor or line; NOMEM. */
JC_MUST_CHECK jc_code jc_exemplars_load(const char *vectors_path, const char *texts_path, size_t n_categories,
                                        size_t dim, struct jc_exemplars *ret_exemplars, struct jc_err *err);

/* A control character of a text, which cleaning may have left, is written as a space. Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_exemplars_write(const struct jc_exemplars *exemplars, const char *vectors_path,
                                         const char *texts_path, struct jc_err *err);

#endif
