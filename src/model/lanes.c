/* The pool of an encoder's lanes. See lanes.h. */
#include "model/lanes.h"

#include <pthread.h>

#include "base/scratch.h"

struct jc_lanes {
    struct jc_cuda_encoder *encoder;
    pthread_mutex_t mutex;  /* of what follows */
    pthread_cond_t changed; /* a lane came back, or is gone */
    struct jc_lane *ready;
    size_t n; /* ready, taken or being made */
};

static void lane_destroy(struct jc_lane *lane)
{
    if (!lane)
        return;
    jc_cuda_lane_destroy(lane->cuda);
    free(lane->finite);
    free(lane->answers);
    free(lane);
}

static jc_code lane_create(struct jc_cuda_encoder *encoder, struct jc_lane **ret_lane, struct jc_err *err)
{
    struct jc_lane *lane = calloc(1, sizeof(*lane));
    if (!lane)
        return jc_fail(err, JC_E_NOMEM, "no memory for a lane");
    jc_code code = jc_cuda_lane_create(encoder, &lane->cuda, err);
    if (code)
        return lane_destroy(lane), code;
    *ret_lane = lane;
    return JC_OK;
}

/* Returns false where there is no memory. */
static bool reserve(struct jc_lane *lane, size_t n_texts)
{
    if (n_texts <= lane->cap)
        return true;
    const size_t n = n_texts + n_texts / 2;
    lane->cap = 0;
    if (!jc_scratch_remake(&lane->finite, n, sizeof *lane->finite) ||
        !jc_scratch_remake(&lane->answers, n, sizeof *lane->answers))
        return false;
    lane->cap = n;
    return true;
}

jc_code jc_lanes_create(struct jc_cuda_encoder *encoder, size_t n, struct jc_lanes **ret_lanes, struct jc_err *err)
{
    JC_AUTO(jc_lanes) struct jc_lanes *lanes = calloc(1, sizeof(*lanes));
    if (!lanes)
        return jc_fail(err, JC_E_NOMEM, "no memory for lanes");
    lanes->encoder = encoder;
    pthread_mutex_init(&lanes->mutex, NULL);
    pthread_cond_init(&lanes->changed, NULL);
    do {
        struct jc_lane *lane = NULL;
        jc_code code = lane_create(encoder, &lane, err);
        if (code)
            return code;
        lane->next = lanes->ready;
        lanes->ready = lane;
    } while (++lanes->n < n);
    *ret_lanes = TAKE(lanes);
    return JC_OK;
}

void jc_lanes_destroy(struct jc_lanes *lanes)
{
    if (!lanes)
        return;
    for (struct jc_lane *lane = lanes->ready, *next; lane; lane = next) {
        next = lane->next;
        lane_destroy(lane);
    }
    pthread_cond_destroy(&lanes->changed);
    pthread_mutex_destroy(&lanes->mutex);
    free(lanes);
}

/* A lane that lies ready or, where none does, a new one; where there is no room for that, the next one given back. */
static jc_code take_locked(struct jc_lanes *lanes, struct jc_lane **ret_lane, struct jc_err *err)
{
    struct jc_lane *lane;
    for (bool is_full = false; !lanes->ready; is_full = true) {
        while (is_full && !lanes->ready && lanes->n)
            pthread_cond_wait(&lanes->changed, &lanes->mutex);
        if (lanes->ready)
            break;
        lanes->n++;
        pthread_mutex_unlock(&lanes->mutex);
        jc_code code = lane_create(lanes->encoder, &lane, err);
        pthread_mutex_lock(&lanes->mutex);
        if (!code)
            return *ret_lane = lane, JC_OK;
        lanes->n--;
        pthread_cond_broadcast(&lanes->changed);
        if (code != JC_E_NOMEM || !lanes->n)
            return code;
    }
    lane = lanes->ready;
    lanes->ready = lane->next;
    *ret_lane = lane;
    return JC_OK;
}

jc_code jc_lanes_take(struct jc_lanes *lanes, size_t n_texts, struct jc_lane **ret_lane, struct jc_err *err)
{
    struct jc_lane *lane = NULL;
    pthread_mutex_lock(&lanes->mutex);
    jc_code code = take_locked(lanes, &lane, err);
    pthread_mutex_unlock(&lanes->mutex);
    if (code)
        return code;
    if (!reserve(lane, n_texts)) {
        jc_lanes_give(lanes, lane, true);
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu texts", n_texts);
    }
    *ret_lane = lane;
    return JC_OK;
}

void jc_lanes_give(struct jc_lanes *lanes, struct jc_lane *lane, bool is_good)
{
    if (!is_good)
        lane_destroy(TAKE(lane)); /* before another is made in its room */
    pthread_mutex_lock(&lanes->mutex);
    if (lane) {
        lane->next = lanes->ready;
        lanes->ready = lane;
        pthread_cond_signal(&lanes->changed);
    } else {
        lanes->n--;
        pthread_cond_broadcast(&lanes->changed);
    }
    pthread_mutex_unlock(&lanes->mutex);
}

struct jc_cuda_buckets jc_lanes_buckets(struct jc_lanes *lanes)
{
    struct jc_cuda_buckets least = {0};
    pthread_mutex_lock(&lanes->mutex);
    for (const struct jc_lane *lane = lanes->ready; lane; lane = lane->next) {
        const struct jc_cuda_buckets *buckets = jc_cuda_lane_buckets(lane->cuda);
        if (!least.n || jc_cuda_buckets_last(buckets) < jc_cuda_buckets_last(&least))
            least = *buckets;
    }
    pthread_mutex_unlock(&lanes->mutex);
    return least;
}

jc_code jc_lanes_each(struct jc_lanes *lanes, jc_code (*run)(void *context, struct jc_err *err), void *context,
                      struct jc_err *err)
{
    struct jc_lane *waiting = TAKE(lanes->ready), *done = NULL;
    jc_code code = JC_OK;
    while (waiting) {
        struct jc_lane *lane = waiting;
        waiting = lane->next;
        lane->next = NULL;
        lanes->ready = lane;
        if (!code)
            code = run(context, err);
        lane = TAKE(lanes->ready); /* none where it failed and is gone */
        if (lane) {
            lane->next = done;
            done = lane;
        }
    }
    lanes->ready = done;
    return code;
}
