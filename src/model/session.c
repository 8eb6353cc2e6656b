/*
 * A session: one worker's scratch memory and the run of a batch: find the distinct texts, encode each once, score it
 * against all categories, rank. Scratch grows to the largest batch seen and is kept: a steady load allocates nothing.
 */
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/scratch.h"
#include "model/chunks.h"
#include "model/classifier_impl.h"
#include "model/scoring.h"

enum {
    CHUNK_TEXTS = 1024,         /* at most so many texts between encoder and ranking */
    CHUNK_SCORES = 4 * 1 << 20, /* at most so many scores: 16 MiB */
};

#define NONE UINT32_MAX

/* A distinct text of the batch. */
struct unique {
    uint64_t hash;
    uint32_t first; /* the inputs that have it are a list: this one, then next[first], ... */
};

struct jc_session {
    const struct jc_classifier *classifier;
    uint64_t seed; /* of the hash: a client cannot choose texts that collide */
    const struct jc_head *head;
    size_t chunk;

    size_t cap_inputs; /* a power of two; of uniques, next, n_tokens; slots has twice as many */
    struct unique *uniques;
    uint32_t *next, *slots, *n_tokens;

    size_t cap_ids;
    int32_t *ids; /* the distinct texts' tokens, packed */

    size_t cap_rows;
    float *vectors; /* [cap_rows][dim] */
    float *queries; /* [cap_rows][jc_head_width] */
    float *scores;  /* [cap_rows][n_categories] */
    struct jc_vote vote;
    struct jc_ranking ranking;

    size_t cap_pieces; /* where the model cuts long texts into pieces (model/chunks.h) */
    uint32_t *piece_tokens;
    float *piece_vectors; /* [cap_pieces][dim] */

    /* Of the text being ranked; [n_categories], of which sums and bests use the groups of a level. */
    float *probabilities, *sums;
    uint32_t *bests;
};

jc_code jc_session_create(const struct jc_classifier *classifier, struct jc_session **ret_session, struct jc_err *err)
{
    JC_AUTO(jc_session) struct jc_session *session = calloc(1, sizeof(*session));
    if (!session)
        return jc_fail(err, JC_E_NOMEM, "no memory for a session");
    session->classifier = classifier;
    session->head = jc_bundle_head(classifier->bundle);
    session->seed = jc_random_u64();
    session->chunk = CHUNK_SCORES / session->head->n_categories;
    if (session->chunk > CHUNK_TEXTS)
        session->chunk = CHUNK_TEXTS;
    size_t n = session->head->n_categories;
    session->probabilities = calloc(n, sizeof(*session->probabilities));
    session->sums = calloc(n, sizeof(*session->sums));
    session->bests = calloc(n, sizeof(*session->bests));
    if (!session->probabilities || !session->sums || !session->bests)
        return jc_fail(err, JC_E_NOMEM, "no memory for the probabilities of %zu categories", n);
    *ret_session = TAKE(session);
    return JC_OK;
}

size_t jc_session_chunk(const struct jc_session *session)
{
    return session->chunk;
}

void jc_session_destroy(struct jc_session *session)
{
    if (!session)
        return;
    free(session->uniques);
    free(session->next);
    free(session->slots);
    free(session->n_tokens);
    free(session->ids);
    free(session->piece_tokens);
    free(session->piece_vectors);
    free(session->vectors);
    free(session->queries);
    free(session->scores);
    jc_vote_finish(&session->vote);
    jc_ranking_finish(&session->ranking);
    free(session->probabilities);
    free(session->sums);
    free(session->bests);
    free(session);
}

static jc_code reserve_inputs(struct jc_session *session, size_t n, struct jc_err *err)
{
    if (n <= session->cap_inputs)
        return JC_OK;
    size_t cap = 64;
    while (cap < n)
        cap *= 2;
    session->cap_inputs = 0;
    if (!jc_scratch_remake(&session->uniques, cap, sizeof(*session->uniques)) ||
        !jc_scratch_remake(&session->next, cap, sizeof(*session->next)) ||
        !jc_scratch_remake(&session->n_tokens, cap, sizeof(*session->n_tokens)) ||
        !jc_scratch_remake(&session->slots, 2 * cap, sizeof(*session->slots)))
        return jc_fail(err, JC_E_NOMEM, "no memory for a batch of %zu texts", n);
    session->cap_inputs = cap;
    return JC_OK;
}

static jc_code reserve_ids(struct jc_session *session, size_t n, struct jc_err *err)
{
    if (n <= session->cap_ids || jc_scratch_reserve(&session->ids, &session->cap_ids, n + n / 2, sizeof(*session->ids)))
        return JC_OK;
    return jc_fail(err, JC_E_NOMEM, "no memory for a batch of %zu tokens", n);
}

static jc_code reserve_rows(struct jc_session *session, size_t n, struct jc_err *err)
{
    if (n <= session->cap_rows)
        return JC_OK;
    session->cap_rows = 0;
    size_t cap = 2 * n < session->chunk ? 2 * n : session->chunk;
    if (!jc_scratch_remake(&session->vectors, cap, session->head->dim * sizeof(float)) ||
        !jc_scratch_remake(&session->queries, cap, jc_head_width(session->head) * sizeof(float)) ||
        !jc_scratch_remake(&session->scores, cap, session->head->n_categories * sizeof(float)))
        return jc_fail(err, JC_E_NOMEM, "no memory for the scores of %zu texts", n);
    session->cap_rows = cap;
    return JC_OK;
}

/* FNV-1a over whole ids, seeded, with the finish of splitmix64. */
static uint64_t hash_ids(uint64_t seed, const int32_t *ids, size_t n)
{
    uint64_t hash = seed ^ n;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (uint32_t)ids[i]) * UINT64_C(0x100000001b3);
    struct jc_rng mix = jc_rng_seeded(hash);
    return jc_rng_next(&mix);
}

static bool has_ids(const struct jc_input *a, const struct jc_input *b)
{
    return a->n_ids == b->n_ids && memcmp(a->ids, b->ids, a->n_ids * sizeof(*a->ids)) == 0;
}

/* Fills uniques and next: the distinct texts and which inputs have each. Returns how many there are. */
static size_t find_uniques(struct jc_session *session, struct jc_input *const *inputs, size_t n_inputs)
{
    size_t n_unique = 0, n_slots = 64;
    while (n_slots < 2 * n_inputs)
        n_slots *= 2;
    size_t mask = n_slots - 1;
    memset(session->slots, 0xff, n_slots * sizeof(*session->slots)); /* all NONE */
    for (size_t i = 0; i < n_inputs; i++) {
        uint64_t hash = hash_ids(session->seed, inputs[i]->ids, inputs[i]->n_ids);
        size_t slot = hash & mask;
        uint32_t u;
        while ((u = session->slots[slot]) != NONE &&
               (session->uniques[u].hash != hash || !has_ids(inputs[session->uniques[u].first], inputs[i])))
            slot = (slot + 1) & mask;
        if (u == NONE) {
            u = (uint32_t)n_unique++;
            session->slots[slot] = u;
            session->uniques[u] = (struct unique){.hash = hash, .first = NONE};
        }
        session->next[i] = session->uniques[u].first;
        session->uniques[u].first = (uint32_t)i;
    }
    return n_unique;
}

/* Lays the distinct texts' tokens one after another. */
static jc_code pack(struct jc_session *session, struct jc_input *const *inputs, size_t n_unique, size_t *ret_n_tokens,
                    struct jc_err *err)
{
    size_t n = 0;
    for (size_t u = 0; u < n_unique; u++)
        n += inputs[session->uniques[u].first]->n_ids;
    jc_code code = reserve_ids(session, n, err);
    if (code)
        return code;
    int32_t *to = session->ids;
    for (size_t u = 0; u < n_unique; u++) {
        const struct jc_input *input = inputs[session->uniques[u].first];
        memcpy(to, input->ids, input->n_ids * sizeof(*to));
        to += input->n_ids;
        session->n_tokens[u] = input->n_ids;
    }
    *ret_n_tokens = n;
    return JC_OK;
}

static void rank_categories(const struct jc_session *session, const float *scores, struct jc_input *input)
{
    const struct jc_head *head = session->head;
    input->n_hits = (uint32_t)jc_topk(scores, head->n_categories, input->top_n, input->hits);
    input->norm = jc_scoring_norm(head, scores);
}

/* By session->probabilities. */
static void rank_groups(const struct jc_session *session, struct jc_input *input)
{
    const struct jc_groups *groups = session->classifier->groups;
    jc_groups_sum(groups, input->level, session->probabilities, session->sums, session->bests);
    size_t n_groups = jc_groups_count(groups, input->level);
    input->n_hits = (uint32_t)jc_topk(session->sums, n_groups, input->top_n, input->hits);
    for (uint32_t i = 0; i < input->n_hits; i++)
        input->hits[i].index = session->bests[input->hits[i].index];
}

/* Gives the hits of `most` to the other inputs of its text and level: theirs are the head of its list. */
static void share_hits(const struct jc_session *session, struct jc_input *const *inputs, uint32_t first,
                       const struct jc_input *most)
{
    for (uint32_t i = first; i != NONE; i = session->next[i]) {
        struct jc_input *input = inputs[i];
        if (input == most || input->level != most->level)
            continue;
        input->n_hits = input->top_n < most->n_hits ? input->top_n : most->n_hits;
        input->norm = most->norm;
        if (input->n_hits)
            memcpy(input->hits, most->hits, input->n_hits * sizeof(*input->hits));
    }
}

/* Ranks a text once a level, for the input of the level that wants most. */
static void rank(const struct jc_session *session, struct jc_input *const *inputs, uint32_t first, const float *scores)
{
    struct jc_input *most[JC_LEVEL_COUNT] = {NULL};
    bool has_groups = false;
    for (uint32_t i = first; i != NONE; i = session->next[i]) {
        struct jc_input **best = &most[inputs[i]->level];
        if (!*best || inputs[i]->top_n > (*best)->top_n)
            *best = inputs[i];
        has_groups |= inputs[i]->level != JC_LEVEL_NONE;
    }
    if (has_groups)
        jc_scoring_probabilities(session->head, scores, session->probabilities);
    for (size_t level = 0; level < JC_LEVEL_COUNT; level++) {
        if (!most[level])
            continue;
        if (level == JC_LEVEL_NONE)
            rank_categories(session, scores, most[level]);
        else
            rank_groups(session, most[level]);
        share_hits(session, inputs, first, most[level]);
    }
}

/* For the hits of the inputs that have the text of row i of the chunk. */
static void find_evidence(const struct jc_session *session, struct jc_input *const *inputs, uint32_t first,
                          const struct jc_vote *vote, size_t i_row)
{
    const struct jc_exemplars *exemplars = &session->head->exemplars;
    for (uint32_t i = first; i != NONE; i = session->next[i])
        for (uint32_t h = 0; inputs[i]->evidence && h < inputs[i]->n_hits; h++)
            inputs[i]->evidence[h] = exemplars->n ? jc_vote_evidence(vote, exemplars, i_row, inputs[i]->hits[h].index)
                                                  : (struct jc_evidence){.text = JC_EVIDENCE_NONE};
}

static jc_code reserve_pieces(struct jc_session *session, size_t n, struct jc_err *err)
{
    if (n <= session->cap_pieces)
        return JC_OK;
    session->cap_pieces = 0;
    if (!jc_scratch_remake(&session->piece_tokens, 2 * n, sizeof(*session->piece_tokens)) ||
        !jc_scratch_remake(&session->piece_vectors, 2 * n, session->head->dim * sizeof(float)))
        return jc_fail(err, JC_E_NOMEM, "no memory for the %zu pieces of long texts", n);
    session->cap_pieces = 2 * n;
    return JC_OK;
}

/* The vectors of n texts, each cut into one or more pieces. */
static jc_code encode_pieces(struct jc_session *session, const int32_t *ids, const uint32_t *n_tokens, size_t n,
                             struct jc_err *err)
{
    size_t n_pieces = 0, at = 0, dim = session->head->dim;
    for (size_t i = 0; i < n; at += n_tokens[i++])
        n_pieces += jc_chunks_count(ids + at, n_tokens[i]);
    jc_code code = reserve_pieces(session, n_pieces, err);
    if (code)
        return code;
    at = n_pieces = 0;
    for (size_t i = 0; i < n; at += n_tokens[i++])
        n_pieces += jc_chunks_split(ids + at, n_tokens[i], session->piece_tokens + n_pieces);
    code = jc_encoder_encode(session->classifier->encoder, ids, session->piece_tokens, n_pieces, session->piece_vectors,
                             err);
    if (code)
        return code;
    at = n_pieces = 0;
    for (size_t i = 0; i < n; at += n_tokens[i++]) {
        size_t n_own = jc_chunks_count(ids + at, n_tokens[i]);
        jc_chunks_reduce(session->piece_vectors + n_pieces * dim, n_own, dim, session->vectors + i * dim);
        n_pieces += n_own;
    }
    return JC_OK;
}

static jc_code encode(struct jc_session *session, const int32_t *ids, const uint32_t *n_tokens, size_t n,
                      struct jc_err *err)
{
    if (jc_bundle_manifest(session->classifier->bundle)->encoder.chunks > 1)
        return encode_pieces(session, ids, n_tokens, n, err);
    return jc_encoder_encode(session->classifier->encoder, ids, n_tokens, n, session->vectors, err);
}

/* Does an input of the text? */
static bool wants_groups(const struct jc_session *session, struct jc_input *const *inputs, uint32_t first)
{
    for (uint32_t i = first; i != NONE; i = session->next[i])
        if (inputs[i]->level != JC_LEVEL_NONE)
            return true;
    return false;
}

/* The most hits that the texts [begin, begin + n) want of the ranker; 0 where it cannot have them. *ret_has_groups: some
 * want groups of categories, for which all scores are needed. */
static size_t find_top_n(const struct jc_session *session, struct jc_input *const *inputs, size_t begin, size_t n,
                         bool *ret_has_groups)
{
    size_t top_n = 1;
    *ret_has_groups = false;
    if (!session->classifier->ranker || jc_bundle_manifest(session->classifier->bundle)->encoder.chunks > 1)
        return 0;
    for (size_t u = begin; u < begin + n; u++) {
        if (wants_groups(session, inputs, session->uniques[u].first)) {
            *ret_has_groups = true;
            continue;
        }
        for (uint32_t i = session->uniques[u].first; i != NONE; i = session->next[i])
            top_n = inputs[i]->top_n > top_n ? inputs[i]->top_n : top_n;
    }
    return top_n <= JC_RANKER_MAX_HITS ? top_n : 0;
}

/* Row u of the ranking, of the text whose first input is given. */
static void take_ranking(const struct jc_session *session, struct jc_input *const *inputs, uint32_t first, size_t u)
{
    const struct jc_ranking *ranking = &session->ranking;
    if (wants_groups(session, inputs, first)) {
        rank(session, inputs, first, ranking->scores + u * session->head->n_categories);
        return;
    }
    for (uint32_t i = first; i != NONE; i = session->next[i]) {
        struct jc_input *input = inputs[i];
        input->norm = ranking->norms[u];
        input->n_hits = (uint32_t)(input->top_n < ranking->n_hits ? input->top_n : ranking->n_hits);
        if (input->n_hits)
            memcpy(input->hits, ranking->hits + u * ranking->n_hits, input->n_hits * sizeof(*input->hits));
    }
}

/* Encodes and ranks the texts in one go, where that can be. */
static jc_code rank_at_once(struct jc_session *session, struct jc_input *const *inputs, size_t begin, size_t n,
                            const int32_t *ids, bool *ret_is_done, struct jc_err *err)
{
    bool has_groups;
    const size_t top_n = find_top_n(session, inputs, begin, n, &has_groups);
    *ret_is_done = false;
    if (top_n == 0)
        return JC_OK;
    jc_code code = jc_ranker_run(session->classifier->ranker, ids, session->n_tokens + begin, n, top_n, has_groups,
                                 &session->ranking, ret_is_done, err);
    for (size_t u = 0; u < n && !code && *ret_is_done; u++) {
        const uint32_t first = session->uniques[begin + u].first;
        take_ranking(session, inputs, first, u);
        find_evidence(session, inputs, first, &session->ranking.vote, u);
    }
    return code;
}

/* Encodes and ranks the distinct texts [begin, begin + n), whose tokens start at `ids`. */
static jc_code run_chunk(struct jc_session *session, struct jc_input *const *inputs, size_t begin, size_t n,
                         const int32_t *ids, struct jc_run_stats *stats, struct jc_err *err)
{
    bool is_done;
    uint64_t start_ns = jc_clock_ns();
    jc_code code = rank_at_once(session, inputs, begin, n, ids, &is_done, err);
    if (is_done && !code)
        stats->encode_ns += jc_clock_ns() - start_ns;
    if (is_done || code || (code = reserve_rows(session, n, err)))
        return code;
    code = encode(session, ids, session->n_tokens + begin, n, err);
    if (code)
        return code;
    uint64_t encoded_ns = jc_clock_ns();
    for (size_t i = 0; i < n; i++) {
        jc_scoring_query(session->head, session->vectors + i * session->head->dim, ids, session->n_tokens[begin + i],
                         session->queries + i * jc_head_width(session->head));
        ids += session->n_tokens[begin + i];
    }
    code = jc_scoring_run(session->head, session->queries, n, &session->vote, session->scores, err);
    if (code)
        return code;
    for (size_t i = 0; i < n; i++) {
        rank(session, inputs, session->uniques[begin + i].first, session->scores + i * session->head->n_categories);
        find_evidence(session, inputs, session->uniques[begin + i].first, &session->vote, i);
    }
    stats->encode_ns += encoded_ns - start_ns;
    stats->score_ns += jc_clock_ns() - encoded_ns;
    return JC_OK;
}

jc_code jc_session_run(struct jc_session *session, struct jc_input *const *inputs, size_t n_inputs,
                       struct jc_run_stats *ret_stats, struct jc_err *err)
{
    if (n_inputs >= NONE / 4)
        return jc_fail(err, JC_E_TOO_LARGE, "a batch of %zu texts", n_inputs);
    for (size_t i = 0; i < n_inputs; i++)
        if (inputs[i]->n_ids == 0)
            return jc_fail(err, JC_E_INTERNAL, "input %zu of the batch has no tokens", i);

    struct jc_run_stats stats = {.n_texts = n_inputs};
    jc_code code = reserve_inputs(session, n_inputs, err);
    if (code)
        return code;
    if (n_inputs)
        stats.n_unique = find_uniques(session, inputs, n_inputs);
    if ((code = pack(session, inputs, stats.n_unique, &stats.n_tokens, err)))
        return code;

    const int32_t *ids = session->ids;
    for (size_t begin = 0; begin < stats.n_unique; begin += session->chunk) {
        size_t left = stats.n_unique - begin, n = left < session->chunk ? left : session->chunk;
        if ((code = run_chunk(session, inputs, begin, n, ids, &stats, err)))
            return code;
        for (size_t i = 0; i < n; i++)
            ids += session->n_tokens[begin + i];
    }
    *ret_stats = stats;
    return JC_OK;
}
