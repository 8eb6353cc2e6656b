/*
 * When a worker on a shared device waits for more, and how long: the rule that batcher.h tells, over what batch_cost.h
 * and device_time.h have learned. The batcher asks it and does the waiting. Threads: the batcher's lock.
 */
#ifndef JC_SERVER_QUEUE_GATHER_H
#define JC_SERVER_QUEUE_GATHER_H

#include <stdbool.h>

#include "server/queue/batch_cost.h"
#include "server/queue/device_time.h"

/* All zero but for the limits: nothing runs, nothing is known. */
struct jc_gather {
    size_t batch_titles, batch_tokens; /* the most of a batch */
    struct jc_device_time device;
    struct jc_batch_cost cost;
};

/* What waits, at least a title. */
struct jc_gather_queue {
    size_t n_tokens;
    uint64_t oldest_ns;   /* when its oldest came */
    uint64_t deadline_ns; /* the first; UINT64_MAX = none */
};

/* The tokens of a preferred batch, as many as a batch may have at most; 0 = not known. */
size_t jc_gather_preferred(const struct jc_gather *gather);

/* Whether it had better become more, as far as time does not matter: another batch runs, and it is not much. */
bool jc_gather_is_small(const struct jc_gather *gather, size_t n_titles, size_t n_tokens);

/* When a batch of n_tokens must begin to end by its deadline. */
uint64_t jc_gather_latest_start(const struct jc_gather *gather, size_t n_tokens, uint64_t deadline_ns);

/* Until when it may wait for more. */
uint64_t jc_gather_until(const struct jc_gather *gather, const struct jc_gather_queue *queue);

/* A batch has left the device. n_tokens: computed; busy_ns: from its take to its report; 0 of either teaches nothing. */
void jc_gather_learn(struct jc_gather *gather, const struct jc_device_span *span, size_t n_tokens, uint64_t busy_ns,
                     uint64_t now_ns);

#endif
