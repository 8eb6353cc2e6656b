/* Scoring and ranking on the device, behind the encoding of the same batch. See cuda.h. */
#include "base/clock.h"
#include "cuda/encoder_impl.h"
#include "cuda/status.h"

enum {
    GROUP_SCORES = 1 << 24, /* at most so many scores at once: 64 MiB */
    ALIGNMENT = 256,
};

jc_code jc_cuda_scorer_create(struct jc_cuda_encoder *encoder, const struct jc_cuda_scorer_source *source,
                              struct jc_cuda_scorer **ret_scorer, struct jc_err *err)
{
    JC_AUTO(jc_cuda_scorer) struct jc_cuda_scorer *scorer = calloc(1, sizeof(*scorer));
    if (!scorer)
        return jc_fail(err, JC_E_NOMEM, "no memory for a scorer");
    if (source->dim != encoder->weights.bert.hidden)
        return jc_fail(err, JC_E_INVALID, "categories of %zu dimensions, an encoder of %zu", source->dim,
                       encoder->weights.bert.hidden);
    scorer->n_categories = source->n_categories;
    scorer->dim = source->dim;
    scorer->n_words = source->n_words;
    /* Halves need rows of a multiple of 8 for the tensor cores; other widths are float32, whose product is small. */
    scorer->wide = encoder->weights.wide || (source->dim + source->n_words) % 8;
    scorer->sharpness = source->sharpness;
    scorer->saturation = source->saturation;
    scorer->power = source->power;

    const size_t n = source->n_categories * (source->dim + source->n_words), size = n * JC_STORED_SIZE(scorer->wide),
                 at_bias = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT,
                 n_bytes = at_bias + source->n_categories * sizeof(float);
    JC_AUTO_FREE char *image = calloc(1, n_bytes);
    if (!image)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", source->n_categories);
    for (size_t i = 0; i < n; i++)
        jc_store(image, i, source->matrix[i], scorer->wide);
    memcpy(image + at_bias, source->bias, source->n_categories * sizeof(float));
    jc_code code;
    if ((code = jc_cuda_use(encoder->device.index, err)) ||
        (code = jc_cuda_buffer_create(JC_CUDA_DEVICE, n_bytes, &scorer->block, err)))
        return code;
    scorer->matrix = jc_cuda_buffer_data(scorer->block);
    scorer->bias = (float *)(void *)((char *)scorer->matrix + at_bias);
    if ((code = jc_cuda_check(cudaMemcpy(scorer->matrix, image, n_bytes, cudaMemcpyHostToDevice), "cudaMemcpy", err)))
        return code;
    *ret_scorer = TAKE(scorer);
    return JC_OK;
}

void jc_cuda_scorer_destroy(struct jc_cuda_scorer *scorer)
{
    if (!scorer)
        return;
    jc_cuda_buffer_destroy(scorer->block);
    free(scorer);
}

/* What one call of jc_cuda_lane_rank works on. */
struct pass {
    struct jc_cuda_lane *lane;
    const struct jc_cuda_scorer *scorer;
    size_t k, stride; /* bytes of a record: an answer and k hits */
    size_t group;     /* the most texts that are scored at once */
};

static void *data(const struct jc_cuda_room *room)
{
    return jc_cuda_buffer_data(room->buffer);
}

static jc_code reserve(const struct pass *pass, size_t n, struct jc_err *err)
{
    struct jc_cuda_lane *lane = pass->lane;
    const struct jc_cuda_scorer *scorer = pass->scorer;
    const size_t n_group = n < pass->group ? n : pass->group, n_words = n * scorer->n_words * sizeof(float);
    jc_code code;
    if ((code = jc_cuda_room_reserve(&lane->words, n_words, err)) ||
        (code = jc_cuda_room_reserve(&lane->words_host, n_words, err)) ||
        (code = jc_cuda_room_reserve(&lane->queries,
                                     n_group * (scorer->dim + scorer->n_words) * JC_STORED_SIZE(scorer->wide), err)) ||
        (code = jc_cuda_room_reserve(&lane->scores, n_group * scorer->n_categories * sizeof(float), err)) ||
        (code = jc_cuda_room_reserve(&lane->records, n * pass->stride, err)))
        return code;
    return jc_cuda_room_reserve(&lane->answers, n * pass->stride, err);
}

/* Queues the scoring of the batch's texts [first, first + n). */
static jc_code score_group(const struct pass *pass, size_t first, size_t n, struct jc_err *err)
{
    struct jc_cuda_lane *lane = pass->lane;
    const struct jc_cuda_scorer *scorer = pass->scorer;
    const cudaStream_t stream = jc_cuda_stream_handle(lane->stream);
    const struct jc_cuda_query query = {
        .vectors = lane->buffers.vectors + first * scorer->dim,
        .words = scorer->n_words ? (const float *)data(&lane->words) + first * scorer->n_words : NULL,
        .queries = data(&lane->queries),
        .n = (unsigned)n,
        .dim = (unsigned)scorer->dim,
        .n_words = (unsigned)scorer->n_words};
    const struct jc_cuda_gemm gemm = {.matrix = scorer->matrix,
                                      .a = query.queries,
                                      .c = data(&lane->scores),
                                      .rows = n,
                                      .n_in = scorer->dim + scorer->n_words,
                                      .n_out = scorer->n_categories,
                                      .wide = scorer->wide,
                                      .wide_c = 1};
    const struct jc_cuda_rank rank = {.scores = gemm.c,
                                      .bias = scorer->bias,
                                      .finite = lane->buffers.finite + first,
                                      .n = (unsigned)n,
                                      .n_categories = (unsigned)scorer->n_categories,
                                      .k = (unsigned)pass->k,
                                      .sharpness = scorer->sharpness,
                                      .saturation = scorer->saturation,
                                      .power = scorer->power,
                                      .records = (char *)data(&lane->records) + first * pass->stride,
                                      .stride = pass->stride};
    jc_code code;
    if ((code = jc_cuda_check(jc_cuda_launch_query(stream, scorer->wide, &query), "queries", err)) ||
        (code = jc_cuda_stream_multiply(lane->stream, &gemm, err)))
        return code;
    return jc_cuda_check(jc_cuda_launch_rank(stream, &rank), "ranking", err);
}

/* Of the n texts that were queued, whose words are given. */
static jc_code score(const struct pass *pass, const float *words, size_t n, struct jc_err *err)
{
    struct jc_cuda_lane *lane = pass->lane;
    const size_t n_words = n * pass->scorer->n_words * sizeof(float);
    jc_code code = reserve(pass, n, err);
    if (!code && n_words) {
        memcpy(data(&lane->words_host), words, n_words);
        code = jc_cuda_stream_copy(lane->stream, data(&lane->words), data(&lane->words_host), n_words, err);
    }
    for (size_t first = 0; first < n && !code; first += pass->group)
        code = score_group(pass, first, n - first < pass->group ? n - first : pass->group, err);
    if (code ||
        (code = jc_cuda_stream_copy(lane->stream, data(&lane->answers), data(&lane->records), n * pass->stride, err)))
        return code;
    return jc_cuda_stream_wait(lane->stream, err);
}

static void take_answers(const struct pass *pass, size_t n, struct jc_hit *ret_hits, struct jc_cuda_answer *ret_answers)
{
    for (size_t i = 0; i < n; i++) {
        const char *record = (const char *)data(&pass->lane->answers) + i * pass->stride;
        memcpy(&ret_answers[i], record, sizeof *ret_answers);
        memcpy(ret_hits + i * pass->k, record + sizeof *ret_answers, pass->k * sizeof *ret_hits);
        atomic_fetch_add(&jc_cuda_tallies.not_finite, !ret_answers[i].is_finite);
    }
}

jc_code jc_cuda_lane_rank(struct jc_cuda_lane *lane, const struct jc_cuda_scorer *scorer, const int32_t *ids,
                          const uint32_t *n_tokens, const float *words, size_t n_texts, size_t k,
                          struct jc_hit *ret_hits, struct jc_cuda_answer *ret_answers, struct jc_err *err)
{
    struct pass pass = {.lane = lane, .scorer = scorer, .k = k};
    if (k < 1 || k > JC_CUDA_MAX_HITS)
        return jc_fail(err, JC_E_INVALID, "%zu hits; 1 to %d are possible", k, JC_CUDA_MAX_HITS);
    pass.stride = sizeof *ret_answers + k * sizeof *ret_hits;
    pass.group = GROUP_SCORES / scorer->n_categories ? GROUP_SCORES / scorer->n_categories : 1;
    jc_code code = jc_bert_check_texts(&lane->encoder->weights.bert, ids, n_tokens, n_texts, err);
    if (!code)
        code = jc_cuda_use(lane->encoder->device.index, err);
    for (size_t at = 0, n, n_rows; at < n_texts && !code; at += n) {
        const uint64_t start_ns = jc_clock_ns();
        if ((code = jc_cuda_lane_forward(lane, ids, n_tokens + at, n_texts - at, &n, &n_rows, err)) ||
            (code = score(&pass, words ? words + at * scorer->n_words : NULL, n, err)))
            break;
        take_answers(&pass, n, ret_hits + at * k, ret_answers + at);
        atomic_fetch_add(&jc_cuda_tallies.batch_ns, jc_clock_ns() - start_ns);
        ids += n_rows;
    }
    return code ? jc_cuda_lane_drain(lane, code) : JC_OK;
}
