/*
 * Encoding, scoring and ranking in one go, where the encoder can: on a GPU vectors and cosines then never leave it, and
 * scores only for texts that want more of them than the best. Texts that are cut into pieces go the long way (session.c).
 * Immutable. Threads: any number may rank at once.
 */
#ifndef JC_MODEL_RANKER_H
#define JC_MODEL_RANKER_H

#include <stdbool.h>

#include "artifact/head.h"
#include "linalg/linalg.h"
#include "model/encoder.h"
#include "model/scoring.h"

#define JC_RANKER_MAX_HITS 1024

struct jc_ranker;

/* *ret_ranker is NULL where this encoder ranks none. Both outlive it. Errors: NOMEM, DEVICE. */
JC_MUST_CHECK jc_code jc_ranker_create(const struct jc_encoder *encoder, const struct jc_head *head,
                                       struct jc_ranker **ret_ranker, struct jc_err *err);
void jc_ranker_destroy(struct jc_ranker *ranker);
JC_DEFINE_AUTO(jc_ranker)

/* A caller's memory, which grows to the largest call. Zero-initialise; free with jc_ranking_finish. */
struct jc_ranking {
    size_t n_hits;         /* of each text of the last run */
    struct jc_hit *hits;   /* [n_texts][n_hits], best first, of equal scores the lower category */
    struct jc_norm *norms; /* [n_texts] */
    float *words;          /* [n_texts][lexicon_dim] */
    bool has_scores;       /* the last run was asked for them */
    float *scores;         /* [n_texts][n_categories] */
    struct jc_vote vote;   /* the texts' neighbours, where the head has exemplars */
    size_t cap_hits, cap_norms, cap_words, cap_scores;
};
void jc_ranking_finish(struct jc_ranking *ranking);

/* ids, n_tokens: as jc_encoder_encode has them; top_n: 1 to JC_RANKER_MAX_HITS; wants_scores: all of the texts' scores,
 * too. *ret_is_done: false where a text's vector is not finite in the encoder's precision: then nothing was ranked, and
 * the long way has it. Errors: as jc_encoder_encode. */
JC_MUST_CHECK jc_code jc_ranker_run(const struct jc_ranker *ranker, const int32_t *ids, const uint32_t *n_tokens,
                                    size_t n_texts, size_t top_n, bool wants_scores, struct jc_ranking *ranking,
                                    bool *ret_is_done, struct jc_err *err);

#endif
