/*
 * A head: what turns a text's vector and words into a score for each category. The trainer makes it, a bundle stores it
 * (categories.safetensors), model/scoring runs it. Plain data.
 *
 *     score[c] = embeddings[c] . vector  +  lexicon_embeddings[c] . words  +  bias[c]
 *     probability = softmax over the categories of sharpness * score
 *
 * `words` is the text's lexicon vector: sum of lexicon[f] over the features f it has, divided by the square root of their
 * number; a feature is a token or a pair of neighbouring tokens (model/lexicon.h). A head without a lexicon has
 * n_features == lexicon_dim == 0; of one with unit embeddings and no bias the score is the cosine.
 */
#ifndef JC_ARTIFACT_HEAD_H
#define JC_ARTIFACT_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "artifact/safetensors.h"
#include "base/err.h"

/* More than any confidence. */
#define JC_HEAD_ACCEPT_NONE 2.0F

struct jc_head {
    size_t n_categories, dim, lexicon_dim, n_features;
    float *
        matrix; /* [n_categories][dim + lexicon_dim]: embeddings and lexicon_embeddings side by side, 64-byte aligned */
    float *bias;    /* [n_categories] */
    int64_t *keys;  /* [n_features]: which feature a row of the lexicon is, ascending */
    float *lexicon; /* [n_features][lexicon_dim] */
    float sharpness;
    float min_confidence; /* below it an answer is for a person to look at; JC_HEAD_ACCEPT_NONE: all are */
};

static inline size_t jc_head_width(const struct jc_head *head)
{
    return head->dim + head->lexicon_dim;
}

/* Allocates a head of zeros with sharpness 1 that accepts nothing. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_head_init(struct jc_head *head, size_t n_categories, size_t dim, size_t lexicon_dim,
                                   size_t n_features, struct jc_err *err);
void jc_head_finish(struct jc_head *head);

/* Reads the tensors of categories.safetensors. Errors: FORMAT (naming the tensor), MODEL (a value that is not finite,
 * a sharpness that is not positive), NOMEM. */
JC_MUST_CHECK jc_code jc_head_load(const struct jc_safetensors *file, size_t n_categories, size_t dim,
                                   struct jc_head *ret_head, struct jc_err *err);

/* Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_head_write(const struct jc_head *head, const char *path, struct jc_err *err);

#endif
