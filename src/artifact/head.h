/*
 * A head: what turns a text's vector and words into a score for each category. The trainer makes it, a bundle stores it
 * (categories.safetensors), model/scoring runs it. Plain data.
 *
 *     score[c] = embeddings[c] . vector  +  lexicon_embeddings[c] . words  +  bias[c]  +  weight * vote[c]
 *
 *     q = softmax over the categories of sharpness * score
 *     g[c] = (q[c] / (1 + saturation * q[c])) ^ power,   probability[c] = g[c] / sum of g
 *
 * The probability grows with the score. Saturation 0 and power 1 are temperature scaling (Guo et al. 2017). With a
 * saturation, q / (1 / saturation + q), the logistic function of log q, says of each category by itself whether it
 * applies: a text may have several.
 *
 * `words` is the text's lexicon vector: sum of lexicon[f] over the features f it has, divided by the square root of
 * their number; a feature is a token or a pair of neighbouring tokens (model/lexicon.h). A head without a lexicon has
 * n_features == lexicon_dim == 0; of one with unit embeddings and no bias the score is the cosine.
 *
 * The vote is that of the k exemplars (exemplars.h) nearest to the vector, cos_1 the nearest one's cosine; of equal
 * cosines the lower text comes first. It sums to 1 over the categories; a head without exemplars has none:
 *
 *     vote[c] = sum over i of exp(vote_sharpness * (cos_i - cos_1)) * code_weight[i][c]
 *             / sum over i of exp(vote_sharpness * (cos_i - cos_1)) * (sum of code_weight[i])
 */
#ifndef JC_ARTIFACT_HEAD_H
#define JC_ARTIFACT_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "artifact/exemplars.h"
#include "artifact/safetensors.h"
#include "base/err.h"

/* More than any confidence. */
#define JC_HEAD_ACCEPT_NONE 2.0F

struct jc_head {
    size_t n_categories, dim, lexicon_dim, n_features;
    float *
        matrix; /* [n_categories][dim + lexicon_dim]: embeddings and lexicon_embeddings side by side, 64-byte aligned */
    float *bias;                   /* [n_categories] */
    int64_t *keys;                 /* [n_features]: which feature a row of the lexicon is, ascending */
    float *lexicon;                /* [n_features][lexicon_dim] */
    float sharpness;               /* > 0 */
    float saturation;              /* >= 0 */
    float power;                   /* > 0 */
    float min_confidence;          /* below it an answer is for a person to look at; JC_HEAD_ACCEPT_NONE: all are */
    struct jc_exemplars exemplars; /* its dim is the head's; n == 0: none */
};

static inline size_t jc_head_width(const struct jc_head *head)
{
    return head->dim + head->lexicon_dim;
}

/* Allocates a head of zeros without exemplars, with sharpness 1, saturation 0 and power 1, that accepts nothing.
 * Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_head_init(struct jc_head *head, size_t n_categories, size_t dim, size_t lexicon_dim,
                                   size_t n_features, struct jc_err *err);
void jc_head_finish(struct jc_head *head);

/* What makes confidences of scores, and the least that is accepted: a head that was fitted anew keeps them. */
void jc_head_copy_calibration(const struct jc_head *from, struct jc_head *to);

/* Reads the tensors of categories.safetensors: all but the exemplars. Errors: FORMAT (naming the tensor), MODEL (a
 * value that is not finite, or a calibration out of its range), NOMEM. */
JC_MUST_CHECK jc_code jc_head_load(const struct jc_safetensors *file, size_t n_categories, size_t dim,
                                   struct jc_head *ret_head, struct jc_err *err);

/* The same tensors. Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_head_write(const struct jc_head *head, const char *path, struct jc_err *err);

#endif
