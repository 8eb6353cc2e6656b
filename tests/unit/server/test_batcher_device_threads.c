/* The batcher on a device that its workers share, under many threads: batches whose time is learned as they come, waits
 * that time ends and others. */
#include "server/queue/batcher.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "check.h"

static void ignore_done(struct jc_ticket *ticket)
{
    (void)ticket;
}

enum { BATCH_TITLES = 100, N_PUSHERS = 3, N_TAKERS = 3, N_PUSHES = 3000 };

struct stream {
    struct jc_batcher *batcher;
    pthread_t thread;
    size_t seed, n;
    atomic_size_t *n_done;
    struct jc_ticket *tickets;
    struct jc_item *items;
};

static void *push_many(void *context)
{
    struct stream *stream = context;
    for (size_t i = 0; i < N_PUSHES; i++) {
        struct jc_err err;
        struct jc_item *item = &stream->items[i];
        struct jc_ticket *ticket = &stream->tickets[i];
        *ticket = (struct jc_ticket){
            .items = item, .n_items = 1, .n_queued = 1, .deadline_ns = UINT64_MAX, .fd = -1, .done = ignore_done};
        item->input.n_ids = 1 + (uint32_t)((i * 7 + stream->seed) % 60);
        item->ticket = ticket;
        ticket->queue = item;
        ticket->n_queued_tokens = item->input.n_ids;
        atomic_store(&ticket->n_pending, 1);
        while (jc_batcher_reserve(stream->batcher, ticket, 1, ticket->n_queued_tokens, 0, &err) != JC_OK)
            sched_yield();
        jc_batcher_push(stream->batcher, ticket);
        for (size_t k = 0; k < (i + stream->seed) % 4; k++)
            sched_yield(); /* now and then the queue is empty */
    }
    return NULL;
}

static void *take_many(void *context)
{
    struct stream *stream = context;
    struct jc_item *items[BATCH_TITLES];
    struct jc_batch batch = {.items = items};
    while (jc_batcher_take(stream->batcher, &batch)) {
        for (size_t i = 0; i < batch.n_items; i++, stream->n++)
            jc_item_complete(items[i], NULL);
        /* Nanoseconds, milliseconds: waits that time ends, and others. */
        jc_batcher_report(stream->batcher, &batch, (100 + batch.n_tokens) * (stream->n % 3 ? 1 : 1000));
        atomic_fetch_add(stream->n_done, batch.n_items);
    }
    return NULL;
}

/* Titles one by one from three threads, each taken once, by three that wait for more of them; nobody sleeps on. */
static void test_threads(void)
{
    struct jc_err err;
    struct jc_batcher *batcher;
    const struct jc_batcher_limits limits = {.queue_titles = 10000,
                                             .queue_tokens = SIZE_MAX,
                                             .batch_titles = BATCH_TITLES,
                                             .batch_tokens = 5000,
                                             .n_workers = N_TAKERS,
                                             .shared_device = true};
    atomic_size_t n_done = 0;
    struct stream pushers[N_PUSHERS] = {{0}}, takers[N_TAKERS] = {{0}};
    REQUIRE_OK(jc_batcher_create(&limits, NULL, &batcher, &err));
    for (size_t i = 0; i < N_TAKERS; i++) {
        takers[i] = (struct stream){.batcher = batcher, .n_done = &n_done};
        REQUIRE(pthread_create(&takers[i].thread, NULL, take_many, &takers[i]) == 0);
    }
    for (size_t i = 0; i < N_PUSHERS; i++) {
        pushers[i] = (struct stream){.batcher = batcher, .seed = i};
        pushers[i].tickets = calloc(N_PUSHES, sizeof *pushers[i].tickets);
        pushers[i].items = calloc(N_PUSHES, sizeof *pushers[i].items);
        REQUIRE(pushers[i].tickets && pushers[i].items);
        REQUIRE(pthread_create(&pushers[i].thread, NULL, push_many, &pushers[i]) == 0);
    }
    for (size_t i = 0; i < N_PUSHERS; i++)
        pthread_join(pushers[i].thread, NULL);
    while (atomic_load(&n_done) < N_PUSHERS * N_PUSHES) /* before the stop, which would wake who was forgotten */
        sched_yield();
    jc_batcher_stop(batcher);
    size_t n = 0;
    for (size_t i = 0; i < N_TAKERS; i++) {
        pthread_join(takers[i].thread, NULL);
        n += takers[i].n;
    }
    CHECK_INT(n, N_PUSHERS * N_PUSHES);
    for (size_t i = 0; i < N_PUSHERS; i++) {
        free(pushers[i].tickets);
        free(pushers[i].items);
    }
    jc_batcher_destroy(batcher);
}

int main(void)
{
    test_threads();
    return check_finish();
}
