/*
 * The GPU's scoring from the head that is given to it to the answers that come back (src/cuda/scorer.c, rank.c), on the
 * host: launches, products, copies and memory are emulated here, vectors made up. Against the CPU's scoring, of numbers
 * whose sums are exact (exact_head.h): the same neighbours and the same evidence, scores but for the order in which bias
 * and vote are added, the hits that these scores have; texts in groups and batches, rows whole and in parts.
 */
#include "base/own.h"
#include "cuda/encoder_impl.h"
#include "cuda/status.h"
#include "exact_head.h"
#include "model/scorer_source.h"
#include "model/scoring.h"
#include "rank_emulation.h"

enum { MAX_TEXTS = 100, MAX_DIM = 32, PROCESSORS = 5, FIRST_ID = 1 };

static struct jc_err err;

/* What the lane's forward pass gives, and to how many texts at once. */
static float vectors[MAX_TEXTS * MAX_DIM];
static uint32_t are_finite[MAX_TEXTS];
static size_t batch;

struct jc_cuda_tallies jc_cuda_tallies;

struct jc_cuda_buffer {
    void *data;
};

jc_code jc_cuda_buffer_create(enum jc_cuda_place place, size_t n_bytes, struct jc_cuda_buffer **ret_buffer,
                              struct jc_err *error)
{
    (void)place, (void)error;
    *ret_buffer = malloc(sizeof **ret_buffer);
    REQUIRE(*ret_buffer != NULL);
    (*ret_buffer)->data = malloc(n_bytes ? n_bytes : 1);
    REQUIRE((*ret_buffer)->data != NULL);
    memset((*ret_buffer)->data, 0xff, n_bytes); /* NaN: nothing may depend on what no one wrote */
    return JC_OK;
}

void jc_cuda_buffer_destroy(struct jc_cuda_buffer *buffer)
{
    if (buffer)
        free(buffer->data);
    free(buffer);
}

void *jc_cuda_buffer_data(const struct jc_cuda_buffer *buffer)
{
    return buffer->data;
}

jc_code jc_cuda_copy_in(void *to, const void *from, size_t n_bytes, struct jc_err *error)
{
    (void)error;
    memcpy(to, from, n_bytes);
    return JC_OK;
}

jc_code jc_cuda_check(cudaError_t status, const char *what, struct jc_err *error)
{
    return status == cudaSuccess ? JC_OK : jc_fail(error, JC_E_DEVICE, "%s", what);
}

jc_code jc_cuda_use(int device, struct jc_err *error)
{
    (void)device, (void)error;
    return JC_OK;
}

cudaStream_t jc_cuda_stream_handle(const struct jc_cuda_stream *stream)
{
    (void)stream;
    return NULL;
}

jc_code jc_cuda_stream_copy(struct jc_cuda_stream *stream, void *to, const void *from, size_t n_bytes,
                            struct jc_err *error)
{
    (void)stream;
    return jc_cuda_copy_in(to, from, n_bytes, error);
}

jc_code jc_cuda_stream_wait(struct jc_cuda_stream *stream, struct jc_err *error)
{
    (void)stream, (void)error;
    return JC_OK;
}

jc_code jc_cuda_stream_multiply(struct jc_cuda_stream *stream, const struct jc_cuda_gemm *gemm, struct jc_err *error)
{
    const size_t n_in = gemm->n_in, step = gemm->step ? gemm->step : n_in;
    JC_AUTO_FREE float *a = malloc(gemm->rows * n_in * sizeof *a);
    JC_AUTO_FREE float *matrix = malloc(gemm->n_out * n_in * sizeof *matrix);
    (void)stream, (void)error;
    REQUIRE(a && matrix && gemm->wide_c);
    for (size_t i = 0; i < gemm->rows * n_in; i++)
        a[i] = jc_load(gemm->a, i / n_in * step + i % n_in, gemm->wide);
    for (size_t i = 0; i < gemm->n_out * n_in; i++)
        matrix[i] = jc_load(gemm->matrix, i, gemm->wide);
    jc_gemm_scores(a, gemm->rows, matrix, gemm->n_out, n_in, gemm->c);
    return JC_OK;
}

cudaError_t jc_cuda_launch_query(cudaStream_t stream, int wide, const struct jc_cuda_query *query)
{
    const size_t width = query->dim + query->n_words;
    (void)stream;
    for (size_t row = 0; row < query->n; row++)
        for (size_t k = 0; k < width; k++)
            jc_store(query->queries, row * width + k,
                     k < query->dim ? query->vectors[row * query->dim + k]
                                    : query->words[row * query->n_words + k - query->dim],
                     wide);
    return cudaSuccess;
}

cudaError_t jc_cuda_launch_topk(cudaStream_t stream, const struct jc_rows *rows)
{
    (void)stream;
    emulate_topk(rows);
    return cudaSuccess;
}

cudaError_t jc_cuda_launch_vote(cudaStream_t stream, const struct jc_vote_rows *rows)
{
    (void)stream;
    emulate_vote(rows);
    return cudaSuccess;
}

cudaError_t jc_cuda_launch_rank(cudaStream_t stream, const struct jc_rank *rank)
{
    (void)stream;
    emulate_rank(rank);
    return cudaSuccess;
}

/* Texts have one token, which says which they are. */
jc_code jc_cuda_lane_forward(struct jc_cuda_lane *lane, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                             size_t *ret_n, size_t *ret_rows, struct jc_err *error)
{
    (void)n_tokens, (void)error;
    *ret_n = *ret_rows = n_texts < batch ? n_texts : batch;
    lane->buffers.vectors = vectors + (size_t)(ids[0] - FIRST_ID) * lane->encoder->weights.bert.hidden;
    lane->buffers.finite = are_finite + (ids[0] - FIRST_ID);
    return JC_OK;
}

jc_code jc_cuda_lane_drain(struct jc_cuda_lane *lane, jc_code code)
{
    (void)lane;
    return code;
}

struct scene {
    size_t n_categories, dim, n_words, n_exemplars, n_texts, batch, k;
    uint32_t n_voters;
    int wide;
    bool has_broken; /* text 2's vector is not finite */
};

static void make_head(struct jc_rng *rng, const struct scene *scene, struct jc_head *head)
{
    const size_t width = scene->dim + scene->n_words;
    REQUIRE_OK(jc_head_init(head, scene->n_categories, scene->dim, scene->n_words, scene->n_words ? 1 : 0, &err));
    exact_fill(rng, head->matrix, scene->n_categories * width);
    exact_fill(rng, head->bias, scene->n_categories);
    head->sharpness = 3;
    head->saturation = 2;
    head->power = 0.9F;
    if (scene->n_exemplars)
        exact_exemplars_make(rng, scene->n_exemplars, scene->dim, scene->n_categories, scene->n_voters,
                             &head->exemplars);
}

/* What came back of one text, against what the CPU has: `want` with its scores, and row i of the vote. */
static void check_text(const struct scene *scene, const struct jc_head *head, const struct jc_cuda_ranking *got,
                       size_t i, const float *want, const struct jc_vote *vote)
{
    const size_t n = scene->n_categories, n_hits = scene->k < n ? scene->k : n;
    float *scores = got->scores + i * n;
    const struct jc_hit *hits = got->hits + i * scene->k;
    JC_AUTO_FREE struct jc_hit *best = calloc(n_hits, sizeof *best);
    REQUIRE(best != NULL);
    CHECK_INT(got->answers[i].is_finite, !(scene->has_broken && i == 2));
    if (!got->answers[i].is_finite)
        return;
    jc_vec_add(scores, 1, head->bias, n);
    for (size_t c = 0; c < n; c++)
        if (!CHECK(fabsf(scores[c] - want[c]) <= 2e-6F))
            break;
    jc_topk(scores, n, n_hits, best);
    CHECK(memcmp(hits, best, n_hits * sizeof *hits) == 0);
    const struct jc_norm norm = jc_scoring_norm(head, scores);
    CHECK_NEAR(got->answers[i].best, norm.best, 0);
    CHECK_NEAR(got->answers[i].log_sum, norm.log_sum, 1e-5);
    CHECK_NEAR(got->answers[i].peak, norm.peak, 1e-5);
    CHECK_NEAR(got->answers[i].mass / norm.mass, 1, 1e-4);
    if (!head->exemplars.n)
        return;
    const size_t n_neighbours = vote->n_neighbours;
    CHECK_INT(vote->n_found[i], n_neighbours);
    CHECK(memcmp(got->neighbours + i * n_neighbours, vote->neighbours + i * n_neighbours,
                 n_neighbours * sizeof *hits) == 0);
    struct jc_vote back = {
        .neighbours = got->neighbours, .n_found = vote->n_found, .n_neighbours = n_neighbours}; /* not owned */
    const struct jc_evidence a = jc_vote_evidence(&back, &head->exemplars, i, hits[0].index),
                             b = jc_vote_evidence(vote, &head->exemplars, i, hits[0].index);
    CHECK(a.text == b.text && memcmp(&a.similarity, &b.similarity, sizeof a.similarity) == 0);
}

static void check_ranking(const struct scene *scene, const struct jc_head *head, const float *words,
                          const struct jc_cuda_ranking *got)
{
    const size_t width = scene->dim + scene->n_words, n = scene->n_texts;
    JC_AUTO_FINISH(jc_vote) struct jc_vote vote = {0};
    JC_AUTO_FREE float *queries = malloc(n * width * sizeof *queries);
    JC_AUTO_FREE float *want = malloc(n * scene->n_categories * sizeof *want);
    REQUIRE(queries && want);
    for (size_t i = 0; i < n; i++) {
        memcpy(queries + i * width, vectors + i * scene->dim, scene->dim * sizeof *queries);
        memcpy(queries + i * width + scene->dim, words + i * scene->n_words, scene->n_words * sizeof *queries);
    }
    REQUIRE_OK(jc_scoring_run(head, queries, n, &vote, want, &err));
    for (size_t i = 0; i < n; i++)
        check_text(scene, head, got, i, want + i * scene->n_categories, &vote);
}

/* One lane for all: its memory grows, and what lies there is the last scene's. */
static void run(struct jc_cuda_lane *lane, struct jc_cuda_encoder *encoder, const struct scene *scene)
{
    struct jc_rng rng = jc_rng_seeded(scene->n_categories + scene->n_exemplars);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    JC_AUTO(jc_cuda_scorer) struct jc_cuda_scorer *scorer = NULL;
    static float words[MAX_TEXTS * MAX_DIM];
    int32_t ids[MAX_TEXTS];
    uint32_t n_tokens[MAX_TEXTS];
    const size_t n = scene->n_texts,
                 n_neighbours = scene->n_voters < scene->n_exemplars ? scene->n_voters : scene->n_exemplars;
    encoder->weights = (struct jc_cuda_weights){
        .bert = {.hidden = scene->dim, .vocab = MAX_TEXTS + FIRST_ID, .positions = 8, .max_tokens = 8},
        .wide = scene->wide};
    make_head(&rng, scene, &head);
    exact_fill(&rng, vectors, n * scene->dim);
    exact_fill(&rng, words, n * scene->n_words);
    batch = scene->batch;
    for (size_t i = 0; i < n; i++) {
        ids[i] = FIRST_ID + (int32_t)i;
        n_tokens[i] = 1;
        are_finite[i] = !(scene->has_broken && i == 2);
        if (!are_finite[i])
            vectors[i * scene->dim + 1] = NAN;
    }
    JC_AUTO_FREE struct jc_hit *hits = calloc(n * scene->k, sizeof *hits);
    JC_AUTO_FREE struct jc_hit *neighbours = calloc(n * n_neighbours + 1, sizeof *neighbours);
    JC_AUTO_FREE float *scores = calloc(n * scene->n_categories, sizeof *scores);
    struct jc_cuda_answer answers[MAX_TEXTS];
    const struct jc_cuda_ranking ranking = {
        .k = scene->k, .hits = hits, .answers = answers, .neighbours = neighbours, .scores = scores};
    const struct jc_cuda_scorer_source source = jc_scorer_source(&head);
    REQUIRE(hits && neighbours && scores);
    REQUIRE_OK(jc_cuda_scorer_create(encoder, &source, &scorer, &err));
    REQUIRE_OK(jc_cuda_lane_rank(lane, scorer, ids, n_tokens, scene->n_words ? words : NULL, n, &ranking, &err));
    check_ranking(scene, &head, words, &ranking);
}

static void check_refusals(struct jc_cuda_encoder *encoder)
{
    const size_t begins[] = {0, 1, (size_t)UINT32_MAX + 1};
    struct jc_cuda_scorer *scorer = NULL;
    struct jc_cuda_scorer_source source = {.n_categories = 1, .dim = encoder->weights.bert.hidden + 1};
    CHECK_FAILS(jc_cuda_scorer_create(encoder, &source, &scorer, &err), JC_E_INVALID, "dimensions, an encoder of");
    source.dim--;
    source.exemplars.n = 2;
    source.exemplars.k = JC_CUDA_MAX_HITS;
    source.exemplars.code_begins = begins;
    CHECK_FAILS(jc_cuda_scorer_create(encoder, &source, &scorer, &err), JC_E_INVALID, "are too many");
    source.exemplars.n = 1;
    source.exemplars.k++;
    CHECK_FAILS(jc_cuda_scorer_create(encoder, &source, &scorer, &err), JC_E_INVALID, "1025 exemplars vote");
    CHECK(scorer == NULL);
}

int main(void)
{
    static const struct scene scenes[] = {
        /* categories, dim, words, exemplars, texts, at once, k, voters */
        {900, 16, 0, 0, 7, 3, 5, 0, 1, true},
        {900, 16, 8, 0, 7, 7, 5, 0, 0, false},
        {900, 16, 0, 1, 4, 9, 5, 30, 1, true},
        {900, 16, 8, 3, 5, 2, 1, 30, 0, true},
        {900, 16, 5, 500, 5, 2, 10, 30, 0, false}, /* a width that halves cannot have */
        {40, 8, 0, 1025, 20, 8, 1024, 1000, 1, false},
        {40, 8, 16, 9000, 1, 8, 7, 30, 0, false}, /* a text alone: its row in parts */
        {40, 8, 0, 30000, 3, 8, 7, 1000, 1, true},
        {20000, 8, 0, 0, 1, 1, 1000, 0, 1, false},
        {20000, 8, 8, 40000, 4, 3, 12, 30, 0, true},
        {120, 8, 0, 200000, 90, 100, 5, 30, 0, true}, /* in groups */
        {900, 16, 8, 3, 5, 2, 1, 30, 0, true},        /* less again */
    };
    struct jc_cuda_encoder encoder = {.n_processors = PROCESSORS};
    struct jc_cuda_lane lane = {.encoder = &encoder};
    jc_cuda_rooms_init(&lane.rooms);
    for (size_t i = 0; i < JC_COUNT(scenes); i++)
        run(&lane, &encoder, &scenes[i]);
    check_refusals(&encoder);
    jc_cuda_rooms_finish(&lane.rooms);
    return check_finish();
}
