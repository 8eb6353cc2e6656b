/*
 * The lanes of an encoder on a GPU (cuda/cuda.h), each with the host's arrays that go with it: a call takes one that
 * lies ready and gives it back. There come to be as many as calls ever ran at once; where the device has no room for
 * one more, a call waits for another's. Threads: any.
 */
#ifndef JC_MODEL_LANES_H
#define JC_MODEL_LANES_H

#include "cuda/cuda.h"

struct jc_lane {
    struct jc_cuda_lane *cuda;
    uint32_t *finite;               /* [cap] */
    struct jc_cuda_answer *answers; /* [cap] */
    size_t cap;                     /* texts */
    struct jc_lane *next;           /* the lanes' */
};

struct jc_lanes;

/* Makes the first n, at least one. The encoder outlives them. Errors: as jc_cuda_lane_create. */
JC_MUST_CHECK jc_code jc_lanes_create(struct jc_cuda_encoder *encoder, size_t n, struct jc_lanes **ret_lanes,
                                      struct jc_err *err);

/* None is taken. */
void jc_lanes_destroy(struct jc_lanes *lanes);
JC_DEFINE_AUTO(jc_lanes)

/* With arrays for n_texts. Errors: as jc_cuda_lane_create. */
JC_MUST_CHECK jc_code jc_lanes_take(struct jc_lanes *lanes, size_t n_texts, struct jc_lane **ret_lane,
                                    struct jc_err *err);

/* Back to the others, or, where its last call failed, away. */
void jc_lanes_give(struct jc_lanes *lanes, struct jc_lane *lane, bool is_good);

/* Of the lane that has the least room, of those that lie ready. */
struct jc_cuda_buckets jc_lanes_buckets(struct jc_lanes *lanes);

/* Calls `run` once for each lane that lies ready, which then is the only one to be taken; one call at a time, and no
 * other use meanwhile. Errors: as `run`. */
JC_MUST_CHECK jc_code jc_lanes_each(struct jc_lanes *lanes, jc_code (*run)(void *context, struct jc_err *err),
                                    void *context, struct jc_err *err);

#endif
