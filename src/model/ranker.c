/* Ranking where the vectors are. See ranker.h. */
#include "model/ranker.h"

#include "base/scratch.h"
#include "model/encoder_impl.h"
#include "model/lexicon.h"

struct jc_ranker {
    const struct jc_encoder *encoder;
    const struct jc_head *head;
    void *categories; /* the encoder's */
};

jc_code jc_ranker_create(const struct jc_encoder *encoder, const struct jc_head *head, struct jc_ranker **ret_ranker,
                         struct jc_err *err)
{
    *ret_ranker = NULL;
    if (!encoder->class->rank)
        return JC_OK;
    JC_AUTO(jc_ranker) struct jc_ranker *ranker = calloc(1, sizeof(*ranker));
    if (!ranker)
        return jc_fail(err, JC_E_NOMEM, "no memory for a ranker");
    ranker->encoder = encoder;
    ranker->head = head;
    jc_code code = encoder->class->keep_categories(encoder, head, &ranker->categories, err);
    if (code)
        return code;
    *ret_ranker = TAKE(ranker);
    return JC_OK;
}

void jc_ranker_destroy(struct jc_ranker *ranker)
{
    if (!ranker)
        return;
    if (ranker->categories)
        ranker->encoder->class->drop_categories(ranker->categories);
    free(ranker);
}

void jc_ranking_finish(struct jc_ranking *ranking)
{
    free(ranking->hits);
    free(ranking->norms);
    free(ranking->words);
    free(ranking->scores);
    jc_vote_finish(&ranking->vote);
    *ranking = (struct jc_ranking){0};
}

static void embed_words(const struct jc_head *head, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                        float *ret_words)
{
    uint32_t features[JC_LEXICON_FEATURES];
    for (size_t i = 0; i < n_texts; ids += n_tokens[i++]) {
        size_t n = jc_lexicon_features(ids, n_tokens[i], head->keys, head->n_features, features);
        jc_lexicon_embed(head->lexicon, head->lexicon_dim, features, n, ret_words + i * head->lexicon_dim);
    }
}

static jc_code prepare(const struct jc_head *head, size_t n_texts, struct jc_ranking *ranking, struct jc_err *err)
{
    const size_t n_scores = ranking->has_scores ? n_texts * head->n_categories : 0;
    if (!jc_scratch_reserve(&ranking->hits, &ranking->cap_hits, n_texts * ranking->n_hits, sizeof(*ranking->hits)) ||
        !jc_scratch_reserve(&ranking->norms, &ranking->cap_norms, n_texts, sizeof(*ranking->norms)) ||
        !jc_scratch_reserve(&ranking->words, &ranking->cap_words, n_texts * head->lexicon_dim,
                            sizeof(*ranking->words)) ||
        !jc_scratch_reserve(&ranking->scores, &ranking->cap_scores, n_scores, sizeof(*ranking->scores)))
        return jc_fail(err, JC_E_NOMEM, "no memory for the answers to %zu texts", n_texts);
    return jc_vote_prepare(&ranking->vote, &head->exemplars, n_texts, err);
}

jc_code jc_ranker_run(const struct jc_ranker *ranker, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      size_t top_n, bool wants_scores, struct jc_ranking *ranking, bool *ret_is_done,
                      struct jc_err *err)
{
    const struct jc_head *head = ranker->head;
    ranking->n_hits = top_n < head->n_categories ? top_n : head->n_categories;
    ranking->has_scores = wants_scores;
    jc_code code = prepare(head, n_texts, ranking, err);
    if (code)
        return code;
    if (head->lexicon_dim)
        embed_words(head, ids, n_tokens, n_texts, ranking->words);
    if ((code = ranker->encoder->class->rank(ranker->encoder, ranker->categories, ids, n_tokens, n_texts, ranking,
                                             ret_is_done, err)))
        return code;
    for (size_t i = 0; wants_scores && *ret_is_done && i < n_texts; i++)
        jc_vec_add(ranking->scores + i * head->n_categories, 1, head->bias, head->n_categories);
    return JC_OK;
}
