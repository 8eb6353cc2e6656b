/* The whole batching policy. See batcher.h. */
#include "server/batcher.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"

/* Titles a ticket contributes before the next one's turn: about where the encoder's throughput levels off. */
#define QUANTUM 16

struct jc_batcher {
    struct jc_batcher_limits limits;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t filled;
    struct jc_ticket *first, *last;
    size_t n_queued; /* titles */
    size_t n_idle;   /* workers waiting in take */
    bool waking;     /* one of them was signalled and does not run yet */
    bool stopped;
};

jc_code jc_batcher_create(const struct jc_batcher_limits *limits, struct jc_batcher **ret_batcher, struct jc_err *err)
{
    struct jc_batcher *batcher = calloc(1, sizeof *batcher);
    if (!batcher)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    batcher->limits = *limits;
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_cond_init(&batcher->filled, NULL);
    *ret_batcher = batcher;
    return JC_OK;
}

void jc_batcher_destroy(struct jc_batcher *batcher)
{
    if (!batcher)
        return;
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
}

static struct jc_ticket *pop_first(struct jc_batcher *batcher)
{
    struct jc_ticket *ticket = batcher->first;
    batcher->first = ticket->next;
    if (!batcher->first)
        batcher->last = NULL;
    return ticket;
}

/* Whether the caller is to wake a worker, once it has let go of the lock that the worker will want. One at a time: who
 * wakes passes it on where it leaves something. A wake-up of every worker for every push costs the event thread more
 * than all else it does for a title. */
static bool claim_wake_locked(struct jc_batcher *batcher)
{
    if (batcher->n_idle == 0 || batcher->waking || !batcher->first)
        return false;
    batcher->waking = true;
    return true;
}

static jc_code push_locked(struct jc_batcher *batcher, struct jc_ticket *ticket, struct jc_err *err)
{
    if (batcher->stopped)
        return jc_fail(err, JC_E_CANCELLED, "the server is shutting down");
    if (ticket->n_items > batcher->limits.queue_titles - batcher->n_queued)
        return jc_fail(err, JC_E_OVERLOADED, "%zu titles are waiting; there is no room for %zu more", batcher->n_queued,
                       ticket->n_items);
    append(batcher, ticket);
    batcher->n_queued += ticket->n_items;
    return JC_OK;
}

jc_code jc_batcher_push(struct jc_batcher *batcher, struct jc_ticket *ticket, struct jc_err *err)
{
    ticket->n_taken = 0;
    ticket->queued_ns = jc_clock_ns();
    atomic_store(&ticket->failure, JC_OK);
    atomic_store(&ticket->n_pending, ticket->n_items);

    pthread_mutex_lock(&batcher->lock);
    jc_code code = push_locked(batcher, ticket, err);
    bool wake = claim_wake_locked(batcher);
    pthread_mutex_unlock(&batcher->lock);
    if (wake)
        pthread_cond_signal(&batcher->filled);
    return code;
}

struct batch {
    struct jc_item **items;
    size_t n_items, n_tokens;
    size_t max_items, max_tokens;
};

/* Moves up to QUANTUM items of one ticket into the batch. Returns false where the batch is full. */
static bool take_turn(struct jc_ticket *ticket, struct batch *batch)
{
    for (size_t i = 0; i < QUANTUM && ticket->n_taken < ticket->n_items; i++) {
        struct jc_item *item = &ticket->items[ticket->n_taken];
        size_t n_tokens = batch->n_tokens + item->input.n_ids;
        if (batch->n_items == batch->max_items || (batch->n_items && n_tokens > batch->max_tokens))
            return false;
        batch->items[batch->n_items++] = item;
        batch->n_tokens = n_tokens;
        ticket->n_taken++;
    }
    return true;
}

/* What is waiting, divided by the workers that are free to share it. */
static size_t fair_share(const struct jc_batcher *batcher)
{
    size_t n_free = batcher->n_idle + 1;
    size_t share = (batcher->n_queued + n_free - 1) / n_free;
    return share < batcher->limits.batch_titles ? share : batcher->limits.batch_titles;
}

static size_t take_locked(struct jc_batcher *batcher, struct jc_item **ret_items)
{
    struct batch batch = {
        .items = ret_items, .max_items = fair_share(batcher), .max_tokens = batcher->limits.batch_tokens};
    /* A ticket whose turn the end of the batch cuts short stays first: else the last in line might never get one. */
    while (batcher->first && take_turn(batcher->first, &batch)) {
        struct jc_ticket *ticket = pop_first(batcher);
        if (ticket->n_taken < ticket->n_items)
            append(batcher, ticket);
    }
    batcher->n_queued -= batch.n_items;
    return batch.n_items;
}

size_t jc_batcher_take(struct jc_batcher *batcher, struct jc_item **ret_items)
{
    pthread_mutex_lock(&batcher->lock);
    while (!batcher->first && !batcher->stopped) {
        batcher->n_idle++;
        pthread_cond_wait(&batcher->filled, &batcher->lock);
        batcher->n_idle--;
        batcher->waking = false;
    }
    size_t n = take_locked(batcher, ret_items);
    bool wake = claim_wake_locked(batcher);
    pthread_mutex_unlock(&batcher->lock);
    if (wake)
        pthread_cond_signal(&batcher->filled);
    return n;
}

void jc_batcher_stop(struct jc_batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->stopped = true;
    pthread_cond_broadcast(&batcher->filled);
    pthread_mutex_unlock(&batcher->lock);
}

size_t jc_batcher_queued(struct jc_batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    size_t n = batcher->n_queued;
    pthread_mutex_unlock(&batcher->lock);
    return n;
}
