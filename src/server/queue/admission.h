/*
 * Admission: all that stands between the event threads and the workers: the result cache, the flights of equal texts,
 * the queue. A ticket's way:
 *   check   before its texts are tokenised: refused here, it has cost next to nothing;
 *   enter   the cache answers what it can; room is held for the rest, or the ticket is refused;
 *   submit  what leads a flight is queued; the rest waits for who leads;
 *   take, settle   by the workers: what is still wanted, and its answers to all who wait for them.
 * A thread of its own completes what waits past its deadline while every worker is busy.
 */
#ifndef JC_SERVER_QUEUE_ADMISSION_H
#define JC_SERVER_QUEUE_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/observe/metrics.h"
#include "server/queue/batcher.h"
#include "server/queue/cache.h"
#include "server/queue/ticket.h"

struct jc_admission;

struct jc_admission_config {
    struct jc_batcher_limits limits;
    size_t cache_bytes;    /* 0: neither cache nor flights */
    bool half_closed_left; /* as in peers.h */
};

/* `metrics` outlives it. Errors: NOMEM, IO (no thread to be had). */
JC_MUST_CHECK jc_code jc_admission_create(const struct jc_admission_config *config, struct jc_metrics *metrics,
                                          struct jc_admission **ret_admission, struct jc_err *err);

/* Ends the thread of the deadlines. Workers may have stopped while it was still completing what it took out of the queue:
 * once both are done, no ticket is under way. */
void jc_admission_finish(struct jc_admission *admission);

/* Finishes, and frees. No ticket is under way. */
void jc_admission_destroy(struct jc_admission *admission);
JC_DEFINE_AUTO(jc_admission)

/* Whether a request of n_titles would be refused anyway. n_bytes: of its text; where the cache might answer it and that
 * is cheap to ask, only its deadline counts here. Errors: OVERLOADED, DEADLINE, CANCELLED. */
JC_MUST_CHECK jc_code jc_admission_check(struct jc_admission *admission, size_t n_titles, size_t n_bytes,
                                         uint64_t deadline_ns, struct jc_err *err);

/* The ticket's items, generation, deadline, socket and inputs are set: from the entry on, workers see those items that
 * follow, and ask for their client. *ret_waits: it must be submitted; else every item is answered. Errors: as check;
 * then nothing is under way. */
JC_MUST_CHECK jc_code jc_admission_enter(struct jc_admission *admission, struct jc_ticket *ticket, bool *ret_waits,
                                         struct jc_err *err);

/* ticket->done may be called before this returns. */
void jc_admission_submit(struct jc_admission *admission, struct jc_ticket *ticket);

/* Waits for work; completes what is not wanted. False: stopped and empty. */
bool jc_admission_take(struct jc_admission *admission, struct jc_batch *batch);

/* Completes an item and all who wait for it. With an error: the item alone, and returns who of them is to be computed
 * in its place, or NULL. */
struct jc_item *jc_admission_settle(struct jc_admission *admission, struct jc_item *item, const struct jc_err *err);

/* Takes no more, and fails what no worker has yet, and who waits for it, with CANCELLED. */
void jc_admission_cancel(struct jc_admission *admission);

/* The parts, for what concerns them alone. cache: NULL where it is off. */
struct jc_batcher *jc_admission_batcher(struct jc_admission *admission);
struct jc_cache *jc_admission_cache(struct jc_admission *admission);

#endif
