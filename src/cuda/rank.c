/*
 * Scoring and ranking on the device, behind the encoding of the same batch. See cuda.h. All is queued, group of texts
 * by group, before the answers of the batch are waited for.
 */
#include "base/clock.h"
#include "cuda/encoder_impl.h"
#include "cuda/status.h"

enum {
    GROUP_SCORES = 1 << 24,   /* at most so many scores, and so many cosines, at once: 64 MiB */
    BLOCKS_PER_PROCESSOR = 2, /* of parts of rows: as many as its shared memory holds for certain */
};

/* What one call of jc_cuda_lane_rank works on. */
struct pass {
    struct jc_cuda_lane *lane;
    const struct jc_cuda_scorer *scorer;
    const struct jc_cuda_ranking *ranking;
    size_t neighbours_at, stride; /* bytes of a record: an answer, k hits, the neighbours */
    size_t group;                 /* the most texts that are scored at once */
    unsigned most_parts;          /* of rows that are cut */
};

/* The texts [first, first + n) of the batch. */
struct group {
    const struct pass *pass;
    size_t first, n;
};

static void *data(const struct jc_cuda_room *room)
{
    return jc_cuda_buffer_data(room->buffer);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct pass make_pass(struct jc_cuda_lane *lane, const struct jc_cuda_scorer *scorer,
                             const struct jc_cuda_ranking *ranking)
{
    struct pass pass = {.lane = lane, .scorer = scorer, .ranking = ranking};
    const size_t n_row = larger(scorer->n_categories, scorer->n_exemplars);
    pass.neighbours_at = sizeof *ranking->answers + ranking->k * sizeof *ranking->hits;
    pass.stride = pass.neighbours_at + scorer->n_neighbours * sizeof *ranking->neighbours;
    pass.group = larger(GROUP_SCORES / n_row, 1);
    pass.most_parts = lane->encoder->n_processors * BLOCKS_PER_PROCESSOR;
    return pass;
}

/* For a batch of n texts. */
static jc_code reserve(const struct pass *pass, size_t n, struct jc_err *err)
{
    const struct jc_cuda_scorer *scorer = pass->scorer;
    struct jc_cuda_rooms *rooms = &pass->lane->rooms;
    const size_t n_group = n < pass->group ? n : pass->group, width = scorer->dim + scorer->n_words,
                 n_words = n * scorer->n_words * sizeof(float), n_records = n * pass->stride,
                 n_candidates = pass->most_parts * larger(pass->ranking->k, scorer->n_neighbours);
    const struct {
        struct jc_cuda_room *room;
        size_t n_bytes;
    } wants[] = {{&rooms->words, n_words},
                 {&rooms->words_host, n_words},
                 {&rooms->queries, n_group * width * JC_STORED_SIZE(scorer->wide)},
                 {&rooms->scores, n_group * scorer->n_categories * sizeof(float)},
                 {&rooms->cosines, n_group * scorer->n_exemplars * sizeof(float)},
                 {&rooms->candidates, n_candidates * sizeof(struct jc_hit)},
                 {&rooms->parts, larger(n_group, pass->most_parts) * sizeof(struct jc_rank_part)},
                 {&rooms->records, n_records},
                 {&rooms->answers, n_records},
                 {&rooms->scores_host, pass->ranking->scores ? n * scorer->n_categories * sizeof(float) : 0}};
    jc_code code = JC_OK;
    for (size_t i = 0; i < JC_COUNT(wants) && !code; i++)
        code = jc_cuda_room_reserve(wants[i].room, wants[i].n_bytes, err);
    return code;
}

static char *get_records(const struct group *group)
{
    return (char *)data(&group->pass->lane->rooms.records) + group->first * group->pass->stride;
}

/* The k best of rows of n numbers each, to the records, `at` bytes from their beginnings. */
static struct jc_rows make_rows(const struct group *group, const float *scores, size_t n, size_t k, size_t at)
{
    struct jc_rows rows = {.scores = scores,
                           .n_rows = (uint32_t)group->n,
                           .n = (uint32_t)n,
                           .k = (uint32_t)k,
                           .candidates = data(&group->pass->lane->rooms.candidates),
                           .hits = get_records(group) + at,
                           .stride = group->pass->stride};
    jc_rows_split(&rows, group->pass->most_parts);
    return rows;
}

static jc_code queue_scores(const struct group *group, struct jc_err *err)
{
    struct jc_cuda_lane *lane = group->pass->lane;
    const struct jc_cuda_scorer *scorer = group->pass->scorer;
    const struct jc_cuda_query query = {
        .vectors = lane->buffers.vectors + group->first * scorer->dim,
        .words = scorer->n_words ? (const float *)data(&lane->rooms.words) + group->first * scorer->n_words : NULL,
        .queries = data(&lane->rooms.queries),
        .n = (unsigned)group->n,
        .dim = (unsigned)scorer->dim,
        .n_words = (unsigned)scorer->n_words};
    const struct jc_cuda_gemm gemm = {.matrix = scorer->matrix,
                                      .a = query.queries,
                                      .c = data(&lane->rooms.scores),
                                      .rows = group->n,
                                      .n_in = scorer->dim + scorer->n_words,
                                      .n_out = scorer->n_categories,
                                      .wide = scorer->wide,
                                      .wide_c = 1};
    jc_code code =
        jc_cuda_check(jc_cuda_launch_query(jc_cuda_stream_handle(lane->stream), scorer->wide, &query), "queries", err);
    return code ? code : jc_cuda_stream_multiply(lane->stream, &gemm, err);
}

/* Of the queries that queue_scores has made. */
static jc_code queue_vote(const struct group *group, struct jc_err *err)
{
    struct jc_cuda_lane *lane = group->pass->lane;
    const struct jc_cuda_scorer *scorer = group->pass->scorer;
    const cudaStream_t stream = jc_cuda_stream_handle(lane->stream);
    const struct jc_cuda_gemm gemm = {.matrix = scorer->exemplars,
                                      .a = data(&lane->rooms.queries),
                                      .c = data(&lane->rooms.cosines),
                                      .rows = group->n,
                                      .n_in = scorer->dim,
                                      .n_out = scorer->n_exemplars,
                                      .step = scorer->dim + scorer->n_words,
                                      .wide = scorer->wide,
                                      .wide_c = 1};
    const struct jc_rows rows =
        make_rows(group, gemm.c, scorer->n_exemplars, scorer->n_neighbours, group->pass->neighbours_at);
    const struct jc_vote_rows vote = {.neighbours = rows.hits,
                                      .stride = rows.stride,
                                      .n_neighbours = (uint32_t)scorer->n_neighbours,
                                      .code_begins = scorer->code_begins,
                                      .codes = scorer->codes,
                                      .code_weights = scorer->code_weights,
                                      .sharpness = scorer->vote_sharpness,
                                      .weight = scorer->vote_weight,
                                      .scores = data(&lane->rooms.scores),
                                      .n_rows = (uint32_t)group->n,
                                      .n_categories = (uint32_t)scorer->n_categories};
    jc_code code;
    if ((code = jc_cuda_stream_multiply(lane->stream, &gemm, err)) ||
        (code = jc_cuda_check(jc_cuda_launch_topk(stream, &rows), "neighbours", err)))
        return code;
    return jc_cuda_check(jc_cuda_launch_vote(stream, &vote), "vote", err);
}

static jc_code queue_ranking(const struct group *group, struct jc_err *err)
{
    struct jc_cuda_lane *lane = group->pass->lane;
    const struct jc_cuda_scorer *scorer = group->pass->scorer;
    struct jc_rank rank = {
        .rows = make_rows(group, data(&lane->rooms.scores), scorer->n_categories, group->pass->ranking->k,
                          sizeof(struct jc_cuda_answer)),
        .finite = lane->buffers.finite + group->first,
        .calibration = {.sharpness = scorer->sharpness, .saturation = scorer->saturation, .power = scorer->power},
        .parts = data(&lane->rooms.parts),
        .records = get_records(group)};
    rank.rows.bias = scorer->bias;
    return jc_cuda_check(jc_cuda_launch_rank(jc_cuda_stream_handle(lane->stream), &rank), "ranking", err);
}

static jc_code queue_group(const struct group *group, struct jc_err *err)
{
    struct jc_cuda_lane *lane = group->pass->lane;
    const size_t n_categories = group->pass->scorer->n_categories;
    jc_code code = queue_scores(group, err);
    if (!code && group->pass->scorer->n_exemplars)
        code = queue_vote(group, err);
    if (!code)
        code = queue_ranking(group, err);
    if (code || !group->pass->ranking->scores)
        return code;
    return jc_cuda_stream_copy(lane->stream, (float *)data(&lane->rooms.scores_host) + group->first * n_categories,
                               data(&lane->rooms.scores), group->n * n_categories * sizeof(float), err);
}

/* Of the n texts that were queued, whose words are given. */
static jc_code score(const struct pass *pass, const float *words, size_t n, struct jc_err *err)
{
    struct jc_cuda_stream *stream = pass->lane->stream;
    const struct jc_cuda_rooms *rooms = &pass->lane->rooms;
    const size_t n_words = n * pass->scorer->n_words * sizeof(float);
    jc_code code = reserve(pass, n, err);
    if (!code && n_words) {
        memcpy(data(&rooms->words_host), words, n_words);
        code = jc_cuda_stream_copy(stream, data(&rooms->words), data(&rooms->words_host), n_words, err);
    }
    for (struct group group = {.pass = pass}; group.first < n && !code; group.first += group.n) {
        group.n = n - group.first < pass->group ? n - group.first : pass->group;
        code = queue_group(&group, err);
    }
    if (code ||
        (code = jc_cuda_stream_copy(stream, data(&rooms->answers), data(&rooms->records), n * pass->stride, err)))
        return code;
    return jc_cuda_stream_wait(stream, err);
}

/* Of the texts [at, at + n) of the call. */
static void take_answers(const struct pass *pass, size_t at, size_t n)
{
    const struct jc_cuda_ranking *to = pass->ranking;
    const size_t n_neighbours = pass->scorer->n_neighbours, n_categories = pass->scorer->n_categories,
                 n_hits = to->k < n_categories ? to->k : n_categories;
    size_t n_not_finite = 0;
    for (size_t i = 0; i < n; i++) {
        const char *record = (const char *)data(&pass->lane->rooms.answers) + i * pass->stride;
        memcpy(&to->answers[at + i], record, sizeof *to->answers);
        memcpy(to->hits + (at + i) * to->k, record + sizeof *to->answers, n_hits * sizeof *to->hits);
        if (n_neighbours)
            memcpy(to->neighbours + (at + i) * n_neighbours, record + pass->neighbours_at,
                   n_neighbours * sizeof *to->neighbours);
        n_not_finite += !to->answers[at + i].is_finite;
    }
    atomic_fetch_add(&jc_cuda_tallies.not_finite, n_not_finite);
    if (to->scores)
        memcpy(to->scores + at * n_categories, data(&pass->lane->rooms.scores_host),
               n * n_categories * sizeof *to->scores);
}

jc_code jc_cuda_lane_rank(struct jc_cuda_lane *lane, const struct jc_cuda_scorer *scorer, const int32_t *ids,
                          const uint32_t *n_tokens, const float *words, size_t n_texts,
                          const struct jc_cuda_ranking *ranking, struct jc_err *err)
{
    if (ranking->k < 1 || ranking->k > JC_CUDA_MAX_HITS)
        return jc_fail(err, JC_E_INVALID, "%zu hits; 1 to %d are possible", ranking->k, JC_CUDA_MAX_HITS);
    const struct pass pass = make_pass(lane, scorer, ranking);
    jc_code code = jc_bert_check_texts(&lane->encoder->weights.bert, ids, n_tokens, n_texts, err);
    if (!code)
        code = jc_cuda_use(lane->encoder->device.index, err);
    for (size_t at = 0, n, n_rows; at < n_texts && !code; at += n) {
        const uint64_t start_ns = jc_clock_ns();
        if ((code = jc_cuda_lane_forward(lane, ids, n_tokens + at, n_texts - at, &n, &n_rows, err)) ||
            (code = score(&pass, words ? words + at * scorer->n_words : NULL, n, err)))
            break;
        take_answers(&pass, at, n);
        atomic_fetch_add(&jc_cuda_tallies.batch_ns, jc_clock_ns() - start_ns);
        ids += n_rows;
    }
    return code ? jc_cuda_lane_drain(lane, code) : JC_OK;
}
