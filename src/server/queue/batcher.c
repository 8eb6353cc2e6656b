/* The whole batching policy. See batcher.h. */
#include "server/queue/batcher.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "server/queue/gather.h"

/* What a batch still counts in the measured rate, one batch later: half is gone after eleven. */
#define RATE_MEMORY (15.0 / 16)

struct jc_batcher {
    struct jc_batcher_limits limits;
    struct jc_flights *flights;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t filled;
    struct jc_ticket *first, *last;
    size_t n_tickets;
    size_t n_queued, n_queued_tokens;     /* of the tickets */
    size_t n_reserved, n_reserved_tokens; /* promised to tickets that will be pushed */
    size_t n_running_tokens;              /* taken and not reported */
    uint64_t earliest_ns;                 /* no ticket that is not swept has an earlier deadline */
    double rate_tokens, rate_ns;          /* of saturated batches, each fading with RATE_MEMORY */
    size_t n_idle;                        /* workers waiting in take */
    bool waking;                          /* one of them was signalled and does not run yet */
    bool stopped;

    /* On a shared device alone. */
    pthread_cond_t grown;
    bool gathering;     /* one worker, not counted in n_idle, waits for a larger batch */
    bool called;        /* it was signalled and does not run yet */
    uint64_t gather_ns; /* it waits no longer than till then */
    struct jc_gather gather;
};

jc_code jc_batcher_create(const struct jc_batcher_limits *limits, struct jc_flights *flights,
                          struct jc_batcher **ret_batcher, struct jc_err *err)
{
    struct jc_batcher *batcher = calloc(1, sizeof *batcher);
    if (!batcher)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    batcher->limits = *limits;
    batcher->flights = flights;
    batcher->earliest_ns = UINT64_MAX;
    batcher->gather = (struct jc_gather){.batch_titles = limits->batch_titles, .batch_tokens = limits->batch_tokens};
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_cond_init(&batcher->filled, NULL);
    pthread_cond_init(&batcher->grown, NULL);
    *ret_batcher = batcher;
    return JC_OK;
}

void jc_batcher_destroy(struct jc_batcher *batcher)
{
    if (!batcher)
        return;
    pthread_cond_destroy(&batcher->grown);
    pthread_cond_destroy(&batcher->filled);
    pthread_mutex_destroy(&batcher->lock);
    free(batcher);
}

static void append(struct jc_batcher *batcher, struct jc_ticket *ticket)
{
    ticket->next = NULL;
    if (batcher->last)
        batcher->last->next = ticket;
    else
        batcher->first = ticket;
    batcher->last = ticket;
    batcher->n_tickets++;
}

static struct jc_ticket *pop_first(struct jc_batcher *batcher)
{
    struct jc_ticket *ticket = batcher->first;
    batcher->first = ticket->next;
    if (!batcher->first)
        batcher->last = NULL;
    batcher->n_tickets--;
    return ticket;
}

/* Whether what waits had better become more, as far as time does not matter. */
static bool is_small_locked(const struct jc_batcher *batcher)
{
    return !batcher->stopped && jc_gather_is_small(&batcher->gather, batcher->n_queued, batcher->n_queued_tokens);
}

/* Who waits for more, to be signalled once the caller has let go of the lock; NULL: nobody, or it may wait on. More
 * titles make its time longer, not shorter, unless a deadline came with them. */
static pthread_cond_t *claim_call_locked(struct jc_batcher *batcher)
{
    if (!batcher->gathering || batcher->called)
        return NULL;
    uint64_t latest_ns = jc_gather_latest_start(&batcher->gather, batcher->n_queued_tokens, batcher->earliest_ns);
    if (is_small_locked(batcher) && latest_ns >= batcher->gather_ns)
        return NULL;
    batcher->called = true;
    return &batcher->grown;
}

/* Whom the caller is to signal, or NULL, once it has let go of the lock that the worker will want. One at a time: who
 * wakes passes it on where it leaves something, and so does who waited for more. A wake-up of every worker for every
 * push costs the event thread more than all else it does for a title. */
static pthread_cond_t *claim_wake_locked(struct jc_batcher *batcher)
{
    if (batcher->gathering)
        return claim_call_locked(batcher);
    if (batcher->n_idle == 0 || batcher->waking || !batcher->first)
        return NULL;
    batcher->waking = true;
    return &batcher->filled;
}

static void wake_one(pthread_cond_t *claimed)
{
    if (claimed)
        pthread_cond_signal(claimed);
}

/* At the end, which is everybody's. */
static void wake_all(struct jc_batcher *batcher)
{
    pthread_cond_broadcast(&batcher->filled);
    pthread_cond_broadcast(&batcher->grown);
}

/* Tokens a nanosecond, of all workers together; 0 = not known. */
static double rate_locked(const struct jc_batcher *batcher)
{
    return batcher->rate_ns > 0 ? batcher->rate_tokens / batcher->rate_ns * (double)batcher->limits.n_workers : 0;
}

/* Tokens that workers have still to do of what they took: on average they are half way. */
static double running_tokens_locked(const struct jc_batcher *batcher)
{
    return (double)batcher->n_running_tokens / 2;
}

/* Tokens that come before the last of a new ticket's n_titles: what each of the others has in as many turns. Where that
 * is more than they have, those that come later have their turns, too, unless one turn is all it needs: under a steady
 * load of large tickets, which are half done on average, twice what waits. */
static double tokens_ahead_locked(const struct jc_batcher *batcher, size_t n_titles)
{
    if (!batcher->n_queued)
        return running_tokens_locked(batcher);
    size_t n_turns = (n_titles + JC_BATCHER_QUANTUM - 1) / JC_BATCHER_QUANTUM;
    double share = (double)(batcher->n_tickets * JC_BATCHER_QUANTUM * n_turns) / (double)batcher->n_queued;
    double most = n_turns > 1 ? 2 : 1;
    return running_tokens_locked(batcher) + (double)batcher->n_queued_tokens * (share < most ? share : most);
}

static jc_code check_room_locked(const struct jc_batcher *batcher, size_t n_titles, size_t n_tokens, struct jc_err *err)
{
    size_t titles = batcher->n_queued + batcher->n_reserved;
    size_t tokens = batcher->n_queued_tokens + batcher->n_reserved_tokens;
    if (batcher->stopped)
        return jc_fail(err, JC_E_CANCELLED, "The server is shutting down.");
    if (n_titles > batcher->limits.queue_titles - titles)
        return jc_fail(err, JC_E_OVERLOADED, "%zu titles are waiting; there is no room for %zu more.", titles,
                       n_titles);
    if (tokens && (tokens > batcher->limits.queue_tokens || n_tokens > batcher->limits.queue_tokens - tokens))
        return jc_fail(err, JC_E_OVERLOADED, "%zu tokens are waiting; there is no room for %zu more.", tokens,
                       n_tokens);
    return JC_OK;
}

static jc_code check_locked(const struct jc_batcher *batcher, size_t n_titles, size_t n_tokens, uint64_t deadline_ns,
                            uint64_t now_ns, struct jc_err *err)
{
    if (now_ns >= deadline_ns)
        return jc_fail(err, JC_E_DEADLINE, "The deadline passed before the request was read.");
    jc_code code = check_room_locked(batcher, n_titles, n_tokens, err);
    if (code)
        return code;
    double rate = rate_locked(batcher);
    double work = tokens_ahead_locked(batcher, n_titles) + (double)n_tokens;
    if (rate > 0 && work / rate > (double)(deadline_ns - now_ns))
        return jc_fail(err, JC_E_OVERLOADED,
                       "%zu titles are waiting; the answer is expected in %.1f s, after the deadline.",
                       batcher->n_queued, work / rate / (double)JC_NS_PER_S);
    return JC_OK;
}

jc_code jc_batcher_check(struct jc_batcher *batcher, size_t n_titles, uint64_t deadline_ns, uint64_t now_ns,
                         struct jc_err *err)
{
    pthread_mutex_lock(&batcher->lock);
    jc_code code = check_locked(batcher, n_titles, n_titles, deadline_ns, now_ns, err);
    pthread_mutex_unlock(&batcher->lock);
    return code;
}

jc_code jc_batcher_reserve(struct jc_batcher *batcher, struct jc_ticket *ticket, size_t n_titles, size_t n_tokens,
                           uint64_t now_ns, struct jc_err *err)
{
    pthread_mutex_lock(&batcher->lock);
    jc_code code = check_locked(batcher, n_titles, n_tokens, ticket->deadline_ns, now_ns, err);
    if (!code) {
        batcher->n_reserved += ticket->n_reserved = n_titles;
        batcher->n_reserved_tokens += ticket->n_reserved_tokens = n_tokens;
    }
    pthread_mutex_unlock(&batcher->lock);
    return code;
}

void jc_batcher_push(struct jc_batcher *batcher, struct jc_ticket *ticket)
{
    ticket->queued_ns = jc_clock_ns();
    pthread_mutex_lock(&batcher->lock);
    batcher->n_reserved -= ticket->n_reserved;
    batcher->n_reserved_tokens -= ticket->n_reserved_tokens;
    if (ticket->queue) {
        append(batcher, ticket);
        batcher->n_queued += ticket->n_queued;
        batcher->n_queued_tokens += ticket->n_queued_tokens;
        if (ticket->deadline_ns < batcher->earliest_ns)
            batcher->earliest_ns = ticket->deadline_ns;
    }
    bool stopped = batcher->stopped;
    pthread_cond_t *wake = claim_wake_locked(batcher);
    pthread_mutex_unlock(&batcher->lock);
    if (stopped)
        wake_all(batcher); /* who waited for the reservation to be used may go */
    else
        wake_one(wake);
}

static struct jc_item *pop_item_locked(struct jc_batcher *batcher, struct jc_ticket *ticket)
{
    struct jc_item *item = ticket->queue;
    ticket->queue = item->next;
    item->next = NULL;
    ticket->n_queued--;
    ticket->n_queued_tokens -= item->input.n_ids;
    batcher->n_queued--;
    batcher->n_queued_tokens -= item->input.n_ids;
    atomic_fetch_add_explicit(&ticket->n_taken, 1, memory_order_relaxed);
    return item;
}

/* Rids a ticket of the items that nobody wants any more. */
static void sweep_locked(struct jc_batcher *batcher, struct jc_ticket *ticket, uint64_t now_ns,
                         struct jc_item **dropped)
{
    struct jc_item *kept = NULL, **end = &kept;
    size_t n_kept = 0, n_kept_tokens = 0;
    ticket->swept = true;
    while (ticket->queue) {
        struct jc_item *item = pop_item_locked(batcher, ticket);
        if (!jc_flights_abandon(batcher->flights, item, now_ns, dropped)) {
            *end = item;
            end = &item->next;
            n_kept++;
            n_kept_tokens += item->input.n_ids;
        }
    }
    ticket->queue = kept;
    batcher->n_queued += ticket->n_queued = n_kept;
    batcher->n_queued_tokens += ticket->n_queued_tokens = n_kept_tokens;
}

/* All tickets, where the deadline of one has passed. */
static void expire_locked(struct jc_batcher *batcher, uint64_t now_ns, struct jc_item **dropped)
{
    if (now_ns < batcher->earliest_ns)
        return;
    struct jc_ticket *next = batcher->first;
    batcher->first = batcher->last = NULL;
    batcher->n_tickets = 0;
    batcher->earliest_ns = UINT64_MAX;
    for (struct jc_ticket *ticket = next; ticket; ticket = next) {
        next = ticket->next;
        if (!ticket->swept && jc_ticket_is_dead(ticket, now_ns))
            sweep_locked(batcher, ticket, now_ns, dropped);
        if (!ticket->swept && ticket->deadline_ns < batcher->earliest_ns)
            batcher->earliest_ns = ticket->deadline_ns;
        if (ticket->queue)
            append(batcher, ticket);
    }
}

struct jc_item *jc_batcher_expire(struct jc_batcher *batcher, uint64_t now_ns)
{
    struct jc_item *dropped = NULL;
    pthread_mutex_lock(&batcher->lock);
    expire_locked(batcher, now_ns, &dropped);
    pthread_cond_t *wake = claim_call_locked(batcher);
    pthread_mutex_unlock(&batcher->lock);
    wake_one(wake);
    return dropped;
}

/* Moves up to a quantum of one ticket's items into the batch. Returns false where the batch is full, or of another
 * model. */
static bool take_turn_locked(struct jc_batcher *batcher, struct jc_ticket *ticket, size_t max_items,
                             struct jc_batch *batch)
{
    if (batch->n_items && batch->items[0]->ticket->generation != ticket->generation)
        return false;
    for (size_t i = 0; i < JC_BATCHER_QUANTUM && ticket->queue; i++) {
        size_t n_tokens = batch->n_tokens + ticket->queue->input.n_ids;
        if (batch->n_items == max_items || (batch->n_items && n_tokens > batcher->limits.batch_tokens))
            return false;
        batch->items[batch->n_items++] = pop_item_locked(batcher, ticket);
        batch->n_tokens = n_tokens;
    }
    return true;
}

/* How many workers are free to share what is waiting: on a shared device no more than it has preferred batches for. */
static size_t count_free_locked(const struct jc_batcher *batcher)
{
    size_t n_free = batcher->n_idle + 1;
    if (!batcher->limits.shared_device)
        return n_free;
    size_t preferred = jc_gather_preferred(&batcher->gather);
    size_t n_batches = preferred ? batcher->n_queued_tokens / preferred : 1;
    return n_batches == 0 ? 1 : n_batches < n_free ? n_batches : n_free;
}

/* What is waiting, divided by these. */
static size_t fair_share_locked(const struct jc_batcher *batcher)
{
    size_t n_free = count_free_locked(batcher);
    size_t share = (batcher->n_queued + n_free - 1) / n_free;
    return share < batcher->limits.batch_titles ? share : batcher->limits.batch_titles;
}

static void take_locked(struct jc_batcher *batcher, struct jc_batch *batch)
{
    uint64_t now_ns = jc_clock_ns();
    expire_locked(batcher, now_ns, &batch->dropped);
    size_t max_items = fair_share_locked(batcher);
    /* A ticket whose turn the end of the batch cuts short stays first: else the last in line might never get one. */
    while (batcher->first) {
        struct jc_ticket *ticket = batcher->first;
        if (!ticket->swept && jc_ticket_is_dead(ticket, now_ns))
            sweep_locked(batcher, ticket, now_ns, &batch->dropped);
        /* One that is swept empty leaves the queue whatever the batch has room for: it is not there for long. */
        if (ticket->queue && !take_turn_locked(batcher, ticket, max_items, batch))
            break;
        pop_first(batcher);
        if (ticket->queue)
            append(batcher, ticket);
    }
    batch->saturated = batcher->first != NULL;
    batcher->n_running_tokens += batch->n_tokens;
    if (batcher->limits.shared_device && batch->n_tokens)
        batch->span = jc_device_time_begin(&batcher->gather.device, now_ns);
}

/* Nothing to take, or another waits for more of it. Who comes when it is enough takes it before that one wakes. */
static bool is_idle_locked(const struct jc_batcher *batcher)
{
    if (batcher->stopped)
        return !batcher->first && batcher->n_reserved;
    return !batcher->first || (batcher->gathering && is_small_locked(batcher));
}

/* Few tickets make a small batch, and they are not in the order of their age. */
static uint64_t gather_until_locked(const struct jc_batcher *batcher)
{
    struct jc_gather_queue queue = {
        .n_tokens = batcher->n_queued_tokens, .oldest_ns = UINT64_MAX, .deadline_ns = batcher->earliest_ns};
    for (const struct jc_ticket *ticket = batcher->first; ticket; ticket = ticket->next)
        if (ticket->queued_ns < queue.oldest_ns)
            queue.oldest_ns = ticket->queued_ns;
    return jc_gather_until(&batcher->gather, &queue);
}

/* Waits for more than there is, where that is better. One at a time. */
static void gather_locked(struct jc_batcher *batcher)
{
    batcher->gathering = true;
    while (is_small_locked(batcher)) {
        batcher->gather_ns = gather_until_locked(batcher);
        if (jc_clock_ns() >= batcher->gather_ns)
            break;
        jc_clock_wait(&batcher->grown, &batcher->lock, batcher->gather_ns);
        batcher->called = false;
    }
    batcher->gathering = false;
}

/* Until there is something to take, and it is time to; or the end. */
static void await_locked(struct jc_batcher *batcher)
{
    do {
        while (is_idle_locked(batcher)) {
            batcher->n_idle++;
            pthread_cond_wait(&batcher->filled, &batcher->lock);
            batcher->n_idle--;
            batcher->waking = false;
        }
        if (batcher->limits.shared_device && !batcher->gathering)
            gather_locked(batcher);
    } while (is_idle_locked(batcher)); /* what waited has expired, or was taken */
}

bool jc_batcher_take(struct jc_batcher *batcher, struct jc_batch *batch)
{
    batch->n_items = batch->n_tokens = batch->n_void_tokens = 0;
    batch->dropped = NULL;
    pthread_mutex_lock(&batcher->lock);
    await_locked(batcher);
    bool more = batcher->first != NULL;
    take_locked(batcher, batch);
    pthread_cond_t *wake = claim_wake_locked(batcher);
    pthread_mutex_unlock(&batcher->lock);
    wake_one(wake);
    return more;
}

void jc_batcher_report(struct jc_batcher *batcher, const struct jc_batch *batch, uint64_t busy_ns)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->n_running_tokens -= batch->n_tokens;
    if (batch->saturated && busy_ns) {
        batcher->rate_tokens = batcher->rate_tokens * RATE_MEMORY + (double)(batch->n_tokens - batch->n_void_tokens);
        batcher->rate_ns = batcher->rate_ns * RATE_MEMORY + (double)busy_ns;
    }
    if (batcher->limits.shared_device && batch->n_tokens)
        jc_gather_learn(&batcher->gather, &batch->span, batch->n_tokens - batch->n_void_tokens, busy_ns, jc_clock_ns());
    pthread_cond_t *wake = claim_call_locked(batcher);
    pthread_mutex_unlock(&batcher->lock);
    wake_one(wake);
}

void jc_batcher_stop(struct jc_batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->stopped = true;
    wake_all(batcher);
    pthread_mutex_unlock(&batcher->lock);
}

struct jc_item *jc_batcher_cancel(struct jc_batcher *batcher)
{
    struct jc_item *dropped = NULL;
    pthread_mutex_lock(&batcher->lock);
    batcher->stopped = true;
    while (batcher->first)
        sweep_locked(batcher, pop_first(batcher), UINT64_MAX, &dropped); /* by then nobody wants anything */
    wake_all(batcher);
    pthread_mutex_unlock(&batcher->lock);
    return dropped;
}

struct jc_batcher_load jc_batcher_load(struct jc_batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    double rate = rate_locked(batcher);
    double left = running_tokens_locked(batcher) + (double)batcher->n_queued_tokens;
    struct jc_batcher_load load = {.n_titles = batcher->n_queued,
                                   .n_tokens = batcher->n_queued_tokens,
                                   .tokens_per_s = rate * (double)JC_NS_PER_S,
                                   .wait_s = rate > 0 ? left / rate / (double)JC_NS_PER_S : 0,
                                   .n_idle = batcher->n_idle,
                                   .gathering = batcher->gathering};
    pthread_mutex_unlock(&batcher->lock);
    return load;
}

unsigned jc_batcher_retry_after(struct jc_batcher *batcher)
{
    double wait_s = jc_batcher_load(batcher).wait_s;
    return wait_s < 1 ? 1 : wait_s > 60 ? 60 : (unsigned)(wait_s + 0.5);
}
