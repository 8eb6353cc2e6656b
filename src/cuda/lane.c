/*
 * A lane: one worker's way of running batches. A bucket's launches are queued one by one the first time, recorded the
 * second and launched as one from then on: a batch of a few titles is otherwise 50 launches of microseconds each.
 */
#include "base/clock.h"
#include "cuda/encoder_impl.h"
#include "cuda/status.h"

/* A launch of the runner's. */
struct run {
    struct jc_cuda_lane *lane;
    struct jc_cuda_launch launch;
};

static jc_code run_embed(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_buffers *buffers,
                         struct jc_err *err)
{
    const struct run *run = self;
    const struct jc_cuda_embed embed = {.words = weights->words,
                                        .positions = weights->positions,
                                        .norm = weights->norm,
                                        .hidden = (unsigned)weights->bert.hidden,
                                        .x = buffers->x};
    return jc_cuda_check(jc_cuda_launch_embed(&run->launch, &embed), "embeddings", err);
}

static jc_code run_multiply(void *self, const struct jc_cuda_product *product, struct jc_err *err)
{
    const struct run *run = self;
    const struct jc_cuda_gemm gemm = {.matrix = product->matrix,
                                      .a = product->a,
                                      .c = product->c,
                                      .rows = run->launch.rows,
                                      .n_in = product->shape.n_in,
                                      .n_out = product->shape.n_out,
                                      .wide = run->launch.wide,
                                      .wide_c = run->launch.wide};
    return jc_cuda_stream_multiply(run->lane->stream, &gemm, err);
}

static jc_code run_attend(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_layer *layer,
                          const struct jc_cuda_buffers *buffers, struct jc_err *err)
{
    const struct run *run = self;
    const struct jc_cuda_attend attend = {.qkv = buffers->qkv,
                                          .bias = layer->biases[JC_CUDA_QKV],
                                          .context = buffers->context,
                                          .hidden = (unsigned)weights->bert.hidden,
                                          .heads = (unsigned)weights->bert.heads};
    return jc_cuda_check(jc_cuda_launch_attend(&run->launch, &attend), "attention", err);
}

static jc_code run_add(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_residual *residual,
                       const struct jc_cuda_buffers *buffers, struct jc_err *err)
{
    const struct run *run = self;
    const struct jc_cuda_add add = {.sums = buffers->sums,
                                    .bias = residual->bias,
                                    .norm = *residual->norm,
                                    .hidden = (unsigned)weights->bert.hidden,
                                    .x = buffers->x};
    return jc_cuda_check(jc_cuda_launch_add(&run->launch, &add), "layer norm", err);
}

static jc_code run_gelu(void *self, const struct jc_cuda_weights *weights, const float *bias,
                        const struct jc_cuda_buffers *buffers, struct jc_err *err)
{
    const struct run *run = self;
    const struct jc_cuda_gelu gelu = {.inner = buffers->inner, .bias = bias, .n = (unsigned)weights->bert.intermediate};
    return jc_cuda_check(jc_cuda_launch_gelu(&run->launch, &gelu), "GELU", err);
}

static jc_code run_pool(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_buffers *buffers,
                        struct jc_err *err)
{
    const struct run *run = self;
    const struct jc_cuda_pool pool = {.x = buffers->x,
                                      .hidden = (unsigned)weights->bert.hidden,
                                      .is_mean = weights->bert.pooling == JC_POOLING_MEAN,
                                      .vectors = buffers->vectors,
                                      .finite = buffers->finite};
    return jc_cuda_check(jc_cuda_launch_pool(&run->launch, &pool), "pooling", err);
}

static jc_code queue(struct jc_cuda_lane *lane, size_t rows, struct jc_err *err)
{
    const struct jc_cuda_weights *weights = &lane->encoder->weights;
    struct run run = {.lane = lane,
                      .launch = {.stream = jc_cuda_stream_handle(lane->stream),
                                 .n_processors = lane->encoder->n_processors,
                                 .rows = (unsigned)rows,
                                 .wide = weights->wide,
                                 .batch = lane->buffers.batch}};
    const struct jc_cuda_runner runner = {.self = &run,
                                          .embed = run_embed,
                                          .multiply = run_multiply,
                                          .attend = run_attend,
                                          .add = run_add,
                                          .gelu = run_gelu,
                                          .pool = run_pool};
    return jc_cuda_forward(&runner, weights, &lane->buffers, err);
}

static jc_code record(struct jc_cuda_lane *lane, size_t bucket, struct jc_err *err)
{
    struct jc_err second;
    jc_code code = jc_cuda_stream_record(lane->stream, err);
    if (code)
        return code;
    code = queue(lane, lane->buckets.rows[bucket], err);
    if (!code)
        return jc_cuda_stream_stop(lane->stream, &lane->graphs[bucket], err);
    cudaGraphExec_t unused = NULL;
    if (!jc_cuda_stream_stop(lane->stream, &unused, &second))
        cudaGraphExecDestroy(unused);
    return code;
}

static jc_code run_bucket(struct jc_cuda_lane *lane, size_t bucket, struct jc_err *err)
{
    if (!lane->seen[bucket]) {
        lane->seen[bucket] = true;
        return queue(lane, lane->buckets.rows[bucket], err);
    }
    jc_code code = lane->graphs[bucket] ? JC_OK : record(lane, bucket, err);
    if (!code)
        code = jc_cuda_stream_launch(lane->stream, lane->graphs[bucket], err);
    if (!code)
        atomic_fetch_add(&jc_cuda_tallies.graph_launches, 1);
    return code;
}

jc_code jc_cuda_lane_forward(struct jc_cuda_lane *lane, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                             size_t *ret_n, size_t *ret_rows, struct jc_err *err)
{
    size_t size, bucket = 0;
    struct jc_cuda_batch *batch = jc_cuda_buffer_data(lane->upload);
    const size_t n = jc_cuda_batch_pack(ids, n_tokens, n_texts, jc_cuda_buckets_last(&lane->buckets), batch, &size);
    while (lane->buckets.rows[bucket] < batch->n_rows)
        bucket++;
    jc_code code = jc_cuda_stream_copy(lane->stream, (void *)(uintptr_t)lane->buffers.batch, batch, size, err);
    if (code || (code = run_bucket(lane, bucket, err)))
        return code;
    atomic_fetch_add(&jc_cuda_tallies.batches, 1);
    atomic_fetch_add(&jc_cuda_tallies.rows, batch->n_rows);
    *ret_n = n;
    *ret_rows = batch->n_rows;
    return JC_OK;
}

jc_code jc_cuda_lane_drain(struct jc_cuda_lane *lane, jc_code code)
{
    struct jc_err second;
    const jc_code ignored = jc_cuda_stream_wait(lane->stream, &second);
    (void)ignored;
    return code;
}

/* The vectors of the n texts that were queued, and whether they are some. */
static jc_code fetch(struct jc_cuda_lane *lane, size_t n, float *ret_vectors, uint32_t *ret_finite, struct jc_err *err)
{
    const size_t n_vectors = n * lane->encoder->weights.bert.hidden * sizeof(float), n_finite = n * sizeof(uint32_t);
    jc_code code = jc_cuda_room_reserve(&lane->vectors_host, n_vectors + n_finite, err);
    if (code)
        return code;
    char *host = jc_cuda_buffer_data(lane->vectors_host.buffer);
    if ((code = jc_cuda_stream_copy(lane->stream, host, lane->buffers.vectors, n_vectors, err)) ||
        (code = jc_cuda_stream_copy(lane->stream, host + n_vectors, lane->buffers.finite, n_finite, err)) ||
        (code = jc_cuda_stream_wait(lane->stream, err)))
        return code;
    memcpy(ret_vectors, host, n_vectors);
    memcpy(ret_finite, host + n_vectors, n_finite);
    size_t n_not_finite = 0;
    for (size_t i = 0; i < n; i++)
        n_not_finite += !ret_finite[i];
    atomic_fetch_add(&jc_cuda_tallies.not_finite, n_not_finite);
    return JC_OK;
}

jc_code jc_cuda_lane_encode(struct jc_cuda_lane *lane, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                            float *ret_vectors, uint32_t *ret_finite, struct jc_err *err)
{
    const struct jc_bert *bert = &lane->encoder->weights.bert;
    jc_code code = jc_bert_check_texts(bert, ids, n_tokens, n_texts, err);
    if (!code)
        code = jc_cuda_use(lane->encoder->device.index, err);
    for (size_t at = 0, n, n_rows; at < n_texts && !code; at += n) {
        const uint64_t start_ns = jc_clock_ns();
        if ((code = jc_cuda_lane_forward(lane, ids, n_tokens + at, n_texts - at, &n, &n_rows, err)) ||
            (code = fetch(lane, n, ret_vectors + at * bert->hidden, ret_finite + at, err)))
            break;
        atomic_fetch_add(&jc_cuda_tallies.batch_ns, jc_clock_ns() - start_ns);
        ids += n_rows;
    }
    return code ? jc_cuda_lane_drain(lane, code) : JC_OK;
}

/* Memory for batches of the largest bucket: activations, vectors, what says whether they are finite, and the batch. */
static jc_code allocate(struct jc_cuda_lane *lane, struct jc_err *err)
{
    const struct jc_cuda_weights *weights = &lane->encoder->weights;
    const size_t capacity = jc_cuda_buckets_last(&lane->buckets),
                 n_activations = jc_cuda_buffers_size(&weights->bert, weights->wide, capacity),
                 n_vectors = capacity * weights->bert.hidden * sizeof(float), n_finite = capacity * sizeof(uint32_t),
                 n_batch = jc_cuda_batch_size(capacity);
    JC_AUTO(jc_cuda_buffer) struct jc_cuda_buffer *memory = NULL, *upload = NULL;
    jc_code code;
    if ((code = jc_cuda_buffer_create(JC_CUDA_DEVICE, n_activations + n_vectors + n_finite + n_batch, &memory, err)) ||
        (code = jc_cuda_buffer_create(JC_CUDA_PINNED, n_batch, &upload, err)))
        return code;
    char *at = jc_cuda_buffer_data(memory);
    jc_cuda_buffers_place(&lane->buffers, &weights->bert, weights->wide, capacity, at);
    lane->buffers.vectors = (float *)(void *)(at += n_activations);
    lane->buffers.finite = (uint32_t *)(void *)(at += n_vectors);
    lane->buffers.batch = (const struct jc_cuda_batch *)(void *)(at + n_finite);
    lane->memory = TAKE(memory);
    lane->upload = TAKE(upload);
    return JC_OK;
}

/* As large batches as there is room for: at the least, one text. */
static jc_code allocate_most(struct jc_cuda_lane *lane, struct jc_err *err)
{
    jc_code code;
    while ((code = allocate(lane, err)) == JC_E_NOMEM &&
           jc_cuda_buckets_shrink(&lane->buckets, lane->encoder->weights.bert.max_tokens))
        atomic_fetch_add(&jc_cuda_tallies.shrinks, 1);
    return code;
}

/* All memory, and with it the recordings, which point there. */
static void release(struct jc_cuda_lane *lane)
{
    jc_cuda_rooms_finish(&lane->rooms);
    jc_cuda_room_finish(&lane->vectors_host);
    for (size_t i = 0; i < JC_CUDA_MAX_BUCKETS; i++) {
        if (lane->graphs[i])
            cudaGraphExecDestroy(TAKE(lane->graphs[i]));
        lane->seen[i] = false;
    }
    jc_cuda_buffer_destroy(TAKE(lane->memory));
    jc_cuda_buffer_destroy(TAKE(lane->upload));
}

jc_code jc_cuda_lane_recover(struct jc_cuda_lane *lane, jc_code code, struct jc_err *err)
{
    struct jc_err second;
    /* A library that failed may not have said why. */
    if (code != JC_E_DEVICE && jc_cuda_stream_wait(lane->stream, &second) == JC_E_DEVICE) {
        *err = second;
        return JC_E_DEVICE;
    }
    if (code != JC_E_NOMEM || !jc_cuda_buckets_shrink(&lane->buckets, lane->encoder->weights.bert.max_tokens))
        return code;
    atomic_fetch_add(&jc_cuda_tallies.shrinks, 1);
    release(lane);
    return allocate_most(lane, err);
}

jc_code jc_cuda_lane_create(struct jc_cuda_encoder *encoder, struct jc_cuda_lane **ret_lane, struct jc_err *err)
{
    JC_AUTO(jc_cuda_lane) struct jc_cuda_lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        return jc_fail(err, JC_E_NOMEM, "no memory for a lane");
    lane->encoder = encoder;
    lane->buckets = encoder->buckets;
    lane->vectors_host.place = JC_CUDA_PINNED;
    jc_cuda_rooms_init(&lane->rooms);
    jc_code code;
    if ((code = jc_cuda_use(encoder->device.index, err)) ||
        (code = jc_cuda_stream_create(encoder->device.major, &lane->stream, err)) || (code = allocate_most(lane, err)))
        return code;
    *ret_lane = TAKE(lane);
    return JC_OK;
}

void jc_cuda_lane_destroy(struct jc_cuda_lane *lane)
{
    if (!lane)
        return;
    release(lane);
    jc_cuda_stream_destroy(lane->stream);
    free(lane);
}

const struct jc_cuda_buckets *jc_cuda_lane_buckets(const struct jc_cuda_lane *lane)
{
    return &lane->buckets;
}
