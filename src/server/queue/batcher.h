/*
 * The batcher: a bounded queue of tickets that workers empty. On the CPU there is no timer and no preferred size: a
 * worker that falls free takes what is waiting.
 *   - Fair: tickets take turns, JC_BATCHER_QUANTUM titles each, so a request of a thousand titles does not hold up a
 *     single one.
 *   - Shared: workers that are free at the same time divide what is waiting, so one large request uses every core.
 *   - Bounded: a batch and the queue by titles and tokens, and the queue by time: what would be answered after its
 *     deadline, at the rate measured lately, is refused at once.
 *   - Of one model: a batch ends where the next ticket is for another one.
 *   - Not in vain: what is past its deadline, or whose client left, is dropped unless another wants it (flights.h).
 *
 * On a device that the workers share, a GPU, a second batch beside one that runs gains little unless it is large: the
 * device does the same work either way, and two small batches pay its fixed part twice. What a second worker is there
 * for is to have the next batch packed and copied when the first ends. So there, while a batch of another worker runs,
 * one worker that is free waits for more, and the others leave it to that one, until
 *   - what waits is a preferred batch, at which the fixed part is an eighth of its time, or all that a batch may be;
 *   - nothing runs any more: an idle device is never waited for;
 *   - half the time that a batch of what waits would take has passed since the oldest title of it came;
 *   - a deadline is no further off than that time, or the server stops.
 * What a batch takes and which is preferred are learned (batch_cost.h), not configured; until enough is known, nobody
 * waits. The time of a batch is what it used of the device (device_time.h): from take to report, less what others used
 * that ran meanwhile: what one more batch costs all others, not how long it took. And what is waiting is divided among
 * free workers in preferred batches at the least.
 * Threads: all calls from any.
 */
#ifndef JC_SERVER_QUEUE_BATCHER_H
#define JC_SERVER_QUEUE_BATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/queue/device_time.h"
#include "server/queue/flights.h"
#include "server/queue/ticket.h"

/* Titles a ticket contributes before the next one's turn: about where the encoder's throughput levels off. */
#define JC_BATCHER_QUANTUM 16

struct jc_batcher;

struct jc_batcher_limits {
    size_t queue_titles; /* most titles waiting */
    size_t queue_tokens; /* most tokens waiting (a single larger ticket still enters an empty queue) */
    size_t batch_titles; /* most titles a take returns */
    size_t batch_tokens; /* most tokens a take returns (a single longer item still goes alone) */
    size_t n_workers;    /* who will take: for the expected wait */
    bool shared_device;  /* batches run on one device, not each on a core of its worker */
};

/* flights: who else wants an item (outlives the batcher); NULL: nobody. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_batcher_create(const struct jc_batcher_limits *limits, struct jc_flights *flights,
                                        struct jc_batcher **ret_batcher, struct jc_err *err);
void jc_batcher_destroy(struct jc_batcher *batcher);
JC_DEFINE_AUTO(jc_batcher)

/* Whether jc_batcher_reserve would give room now, for a request whose tokens are not counted yet. Errors: as there. */
JC_MUST_CHECK jc_code jc_batcher_check(struct jc_batcher *batcher, size_t n_titles, uint64_t deadline_ns,
                                       uint64_t now_ns, struct jc_err *err);

/* Holds room for n_titles > 0 of a ticket; its push cannot fail then, and must follow soon.
 * Errors: OVERLOADED (no room), DEADLINE (it has passed, or would before the answer), CANCELLED (stopped). */
JC_MUST_CHECK jc_code jc_batcher_reserve(struct jc_batcher *batcher, struct jc_ticket *ticket, size_t n_titles,
                                         size_t n_tokens, uint64_t now_ns, struct jc_err *err);

/* Queues ticket->queue (of the reserved; it may be empty) and gives the rest of the reservation back. From here until
 * its `done` the ticket belongs to the workers. */
void jc_batcher_push(struct jc_batcher *batcher, struct jc_ticket *ticket);

/* What a worker takes. The caller gives `items`, room for batch_titles. */
struct jc_batch {
    struct jc_item **items;
    size_t n_items, n_tokens;
    size_t n_void_tokens;       /* the caller's: of its items that needed no computing after all */
    bool saturated;             /* more was waiting: its rate says what the server can do */
    struct jc_item *dropped;    /* linked by `next`: not computed, and to be completed by the caller */
    struct jc_device_span span; /* the batcher's */
};

/* Waits for work. True: there are items, or dropped ones, or both. False: stopped and empty. */
bool jc_batcher_take(struct jc_batcher *batcher, struct jc_batch *batch);

/* The worker is done with the batch, which took it busy_ns. After every take that had items. */
void jc_batcher_report(struct jc_batcher *batcher, const struct jc_batch *batch, uint64_t busy_ns);

/* Drops what waits past its deadline, without a worker: the list is the caller's to complete. */
struct jc_item *jc_batcher_expire(struct jc_batcher *batcher, uint64_t now_ns);

/* Refuses new tickets; takes go on until the queue is empty and return false from then on. */
void jc_batcher_stop(struct jc_batcher *batcher);

/* Stops, and drops what no worker has taken yet, whoever wants it: the list is the caller's to complete. */
struct jc_item *jc_batcher_cancel(struct jc_batcher *batcher);

struct jc_batcher_load {
    size_t n_titles, n_tokens; /* waiting */
    double tokens_per_s;       /* of all workers together, lately; 0 = not known yet */
    double wait_s;             /* until all that waits is done, at that rate; 0 where it is not known */
    size_t n_idle;             /* workers waiting for work, */
    bool gathering;            /* and one more for more of it */
};
struct jc_batcher_load jc_batcher_load(struct jc_batcher *batcher);

/* Seconds until what waits is probably done: the Retry-After of a refusal (1..60). */
unsigned jc_batcher_retry_after(struct jc_batcher *batcher);

#endif
