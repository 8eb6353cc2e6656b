/*
 * The batcher: a bounded queue of tickets that workers empty. There is no timer and no preferred size: a worker that
 * falls free takes what is waiting.
 *   - Fair: tickets take turns, QUANTUM titles each, so a request of a thousand titles does not hold up a single one.
 *   - Shared: workers that are free at the same time divide what is waiting, so one large request uses every core.
 *   - Bounded: a batch by titles and tokens, the queue by titles.
 * Threads: all calls from any.
 */
#ifndef JC_SERVER_BATCHER_H
#define JC_SERVER_BATCHER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/ticket.h"

struct jc_batcher;

struct jc_batcher_limits {
    size_t queue_titles; /* most titles waiting */
    size_t batch_titles; /* most titles a take returns */
    size_t batch_tokens; /* most tokens a take returns (a single longer item still goes alone) */
};

JC_MUST_CHECK jc_code jc_batcher_create(const struct jc_batcher_limits *limits, struct jc_batcher **ret_batcher,
                                        struct jc_err *err);
void jc_batcher_destroy(struct jc_batcher *batcher);
JC_DEFINE_AUTO(jc_batcher)

/* Queues a ticket, whole or not at all. From here until its `done` it belongs to the workers.
 * Errors: OVERLOADED (no room), CANCELLED (stopped). */
JC_MUST_CHECK jc_code jc_batcher_push(struct jc_batcher *batcher, struct jc_ticket *ticket, struct jc_err *err);

/* Waits for work and writes a batch into ret_items (room for batch_titles). Returns how many; 0 = stopped and empty. */
size_t jc_batcher_take(struct jc_batcher *batcher, struct jc_item **ret_items);

/* Refuses new tickets; takes go on until the queue is empty and return 0 from then on. */
void jc_batcher_stop(struct jc_batcher *batcher);

size_t jc_batcher_queued(struct jc_batcher *batcher);

#endif
