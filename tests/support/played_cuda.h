/*
 * A GPU that is played on the host, in place of src/cuda behind the same header: it has so much memory, of which an
 * encoder, a scorer and a lane take what a test says; it can be lost, and run out of memory at a call. A text's vector
 * has its first id as its first value, so that an answer can be told from another. Include it in one file of a program,
 * in front of which nothing of src/cuda/cuda.h is linked.
 */
#ifndef JC_TESTS_PLAYED_CUDA_H
#define JC_TESTS_PLAYED_CUDA_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "check.h"
#include "cuda/cuda.h"

enum { PLAYED_ENCODER = 1000, PLAYED_ROW = 1, PLAYED_DIM = 384 };

struct jc_cuda_encoder {
    struct jc_cuda_buckets buckets;
    size_t max_tokens;
};

struct jc_cuda_lane {
    struct jc_cuda_encoder *encoder;
    struct jc_cuda_buckets buckets;
    size_t n_calls;
    _Atomic bool busy; /* two threads in one lane are a mistake */
};

struct jc_cuda_scorer {
    size_t n_categories;
};

static struct {
    pthread_mutex_t mutex; /* of all */
    size_t n_bytes, n_held;
    bool is_lost;
    size_t n_full;  /* calls of lanes that come to have no memory; they are counted down */
    bool is_silent; /* a lost device is told where it is waited for, and not before */
    bool is_shared; /* a lane had two calls at once */
    size_t n_lanes, n_made, n_launched[JC_CUDA_MAX_BUCKETS];
    size_t least_calls; /* of a lane that was destroyed */
} played = {.mutex = PTHREAD_MUTEX_INITIALIZER, .n_bytes = 1 << 20};

static inline jc_code played_hold(size_t n, struct jc_err *err)
{
    jc_code code = JC_OK;
    pthread_mutex_lock(&played.mutex);
    if (played.is_lost)
        code = jc_fail(err, JC_E_DEVICE, "the played device is lost");
    else if (n > played.n_bytes - played.n_held)
        code = jc_fail(err, JC_E_NOMEM, "GPU 0 has no room for %zu bytes: of its %zu, %zu are free", n, played.n_bytes,
                       played.n_bytes - played.n_held);
    else
        played.n_held += n;
    pthread_mutex_unlock(&played.mutex);
    return code;
}

static inline void played_drop(size_t n)
{
    pthread_mutex_lock(&played.mutex);
    played.n_held -= n;
    pthread_mutex_unlock(&played.mutex);
}

int jc_cuda_count(void)
{
    return 1;
}

jc_code jc_cuda_device_get(int index, struct jc_cuda_device *ret_device, struct jc_err *err)
{
    if (index != 0)
        return jc_fail(err, JC_E_NOT_FOUND, "there is no GPU %d", index);
    *ret_device = (struct jc_cuda_device){.name = "played", .total_bytes = played.n_bytes};
    return JC_OK;
}

const char *jc_cuda_version(void)
{
    return "played";
}

struct jc_cuda_counts jc_cuda_counts_get(void)
{
    return (struct jc_cuda_counts){.device_bytes = played.n_held};
}

jc_code jc_cuda_encoder_create(const struct jc_bert *bert, const struct jc_tensor *tensors, size_t n_tensors,
                               bool is_wide, int device, const struct jc_cuda_buckets *buckets,
                               struct jc_cuda_encoder **ret_encoder, struct jc_err *err)
{
    struct jc_cuda_encoder made = {.max_tokens = bert->max_tokens};
    struct jc_cuda_device described;
    (void)tensors, (void)n_tensors, (void)is_wide;
    jc_code code = jc_cuda_device_get(device, &described, err);
    if (code || (code = jc_cuda_buckets_settle(buckets, bert->max_tokens, &made.buckets, err)) ||
        (code = played_hold(PLAYED_ENCODER, err)))
        return code;
    *ret_encoder = malloc(sizeof made);
    REQUIRE(*ret_encoder);
    **ret_encoder = made;
    return JC_OK;
}

void jc_cuda_encoder_destroy(struct jc_cuda_encoder *encoder)
{
    if (encoder)
        played_drop(PLAYED_ENCODER);
    free(encoder);
}

/* As src/cuda/lane.c does it. */
static inline jc_code played_fill_lane(struct jc_cuda_lane *lane, struct jc_err *err)
{
    jc_code code;
    while ((code = played_hold(jc_cuda_buckets_last(&lane->buckets) * PLAYED_ROW, err)) == JC_E_NOMEM &&
           jc_cuda_buckets_shrink(&lane->buckets, lane->encoder->max_tokens))
        ;
    return code;
}

jc_code jc_cuda_lane_create(struct jc_cuda_encoder *encoder, struct jc_cuda_lane **ret_lane, struct jc_err *err)
{
    struct jc_cuda_lane *lane = calloc(1, sizeof *lane);
    REQUIRE(lane);
    lane->encoder = encoder;
    lane->buckets = encoder->buckets;
    jc_code code = played_fill_lane(lane, err);
    if (code)
        return free(lane), code;
    pthread_mutex_lock(&played.mutex);
    played.n_lanes++;
    played.n_made++;
    pthread_mutex_unlock(&played.mutex);
    *ret_lane = lane;
    return JC_OK;
}

void jc_cuda_lane_destroy(struct jc_cuda_lane *lane)
{
    if (!lane)
        return;
    pthread_mutex_lock(&played.mutex);
    played.n_lanes--;
    played.least_calls = lane->n_calls < played.least_calls ? lane->n_calls : played.least_calls;
    pthread_mutex_unlock(&played.mutex);
    played_drop(jc_cuda_buckets_last(&lane->buckets) * PLAYED_ROW);
    free(lane);
}

const struct jc_cuda_buckets *jc_cuda_lane_buckets(const struct jc_cuda_lane *lane)
{
    return &lane->buckets;
}

jc_code jc_cuda_lane_recover(struct jc_cuda_lane *lane, jc_code code, struct jc_err *err)
{
    const size_t before = jc_cuda_buckets_last(&lane->buckets);
    if (played.is_lost)
        return jc_fail(err, JC_E_DEVICE, "the played device is lost");
    if (code != JC_E_NOMEM || !jc_cuda_buckets_shrink(&lane->buckets, lane->encoder->max_tokens))
        return code;
    played_drop(before * PLAYED_ROW);
    code = played_fill_lane(lane, err);
    if (code) /* what destroy gives back is held by nobody */
        played.n_held += jc_cuda_buckets_last(&lane->buckets) * PLAYED_ROW;
    return code;
}

/* What a call of a lane meets, and the bucket that it runs in. */
static inline jc_code played_call(struct jc_cuda_lane *lane, size_t rows, struct jc_err *err)
{
    size_t bucket = 0;
    jc_code code = JC_OK;
    const bool is_shared = atomic_exchange(&lane->busy, true);
    pthread_mutex_lock(&played.mutex);
    lane->n_calls++;
    played.is_shared |= is_shared;
    if (played.is_lost)
        code = played.is_silent ? jc_fail(err, JC_E_INTERNAL, "failed") : jc_fail(err, JC_E_DEVICE, "lost");
    else if (played.n_full && played.n_full--)
        code = jc_fail(err, JC_E_NOMEM, "GPU 0 has no room at this call");
    while (bucket + 1 < lane->buckets.n && lane->buckets.rows[bucket] < rows)
        bucket++;
    played.n_launched[bucket] += !code;
    pthread_mutex_unlock(&played.mutex);
    sched_yield();
    atomic_store(&lane->busy, false);
    return code;
}

static inline size_t played_rows(const uint32_t *n_tokens, size_t n_texts)
{
    size_t rows = 0;
    for (size_t i = 0; i < n_texts; i++)
        rows += n_tokens[i];
    return rows;
}

jc_code jc_cuda_lane_encode(struct jc_cuda_lane *lane, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                            float *ret_vectors, uint32_t *ret_finite, struct jc_err *err)
{
    jc_code code = played_call(lane, played_rows(n_tokens, n_texts), err);
    for (size_t i = 0; i < n_texts && !code; ids += n_tokens[i++]) {
        memset(ret_vectors + i * PLAYED_DIM, 0, PLAYED_DIM * sizeof(float));
        ret_vectors[i * PLAYED_DIM] = (float)ids[0];
        ret_finite[i] = 1;
    }
    return code;
}

jc_code jc_cuda_scorer_create(struct jc_cuda_encoder *encoder, const struct jc_cuda_scorer_source *source,
                              struct jc_cuda_scorer **ret_scorer, struct jc_err *err)
{
    struct jc_cuda_scorer *scorer = malloc(sizeof *scorer);
    (void)encoder, (void)err;
    REQUIRE(scorer);
    scorer->n_categories = source->n_categories;
    *ret_scorer = scorer;
    return JC_OK;
}

void jc_cuda_scorer_destroy(struct jc_cuda_scorer *scorer)
{
    free(scorer);
}

jc_code jc_cuda_lane_rank(struct jc_cuda_lane *lane, const struct jc_cuda_scorer *scorer, const int32_t *ids,
                          const uint32_t *n_tokens, const float *words, size_t n_texts,
                          const struct jc_cuda_ranking *ranking, struct jc_err *err)
{
    (void)words;
    jc_code code = played_call(lane, played_rows(n_tokens, n_texts), err);
    for (size_t i = 0; i < n_texts && !code; ids += n_tokens[i++]) {
        ranking->answers[i] = (struct jc_cuda_answer){.best = (float)ids[0], .is_finite = 1};
        for (size_t h = 0; h < ranking->k; h++)
            ranking->hits[i * ranking->k + h] = (struct jc_hit){.index = (uint32_t)(h % scorer->n_categories)};
    }
    return code;
}

#endif
