/* The batcher and time, in batches and by given clocks: who waits for how many batches, what is dropped, and what is
 * refused because its deadline cannot be met. */
#include "server/queue/batcher.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "check.h"

enum { BATCH = 64, TOKENS = 5 };

struct queue {
    struct jc_batcher *batcher;
    struct jc_item *items[BATCH];
    struct jc_batch batch;
};

static void finish_ticket(struct jc_ticket *ticket)
{
    ticket->context = ticket; /* done */
}

static void open_queue(struct queue *queue, size_t queue_titles, size_t queue_tokens)
{
    struct jc_err err;
    struct jc_batcher_limits limits = {.queue_titles = queue_titles,
                                       .queue_tokens = queue_tokens,
                                       .batch_titles = BATCH,
                                       .batch_tokens = 100000,
                                       .n_workers = 2};
    REQUIRE_OK(jc_batcher_create(&limits, NULL, &queue->batcher, &err));
    queue->batch = (struct jc_batch){.items = queue->items};
}

static struct jc_ticket *create_ticket(size_t n, uint64_t deadline_ns)
{
    struct jc_ticket *ticket = calloc(1, sizeof *ticket);
    REQUIRE(ticket);
    *ticket = (struct jc_ticket){.items = calloc(n, sizeof *ticket->items),
                                 .n_items = n,
                                 .deadline_ns = deadline_ns,
                                 .fd = -1,
                                 .done = finish_ticket};
    REQUIRE(ticket->items);
    for (size_t i = 0; i < n; i++)
        ticket->items[i].input.n_ids = TOKENS;
    return ticket;
}

static void destroy_ticket(struct jc_ticket *ticket)
{
    free(ticket->items);
    free(ticket);
}

static jc_code reserve(struct queue *queue, struct jc_ticket *ticket, uint64_t now_ns, struct jc_err *err)
{
    return jc_batcher_reserve(queue->batcher, ticket, ticket->n_items, ticket->n_items * TOKENS, now_ns, err);
}

static void push_reserved(struct queue *queue, struct jc_ticket *ticket)
{
    ticket->queue = ticket->items;
    ticket->n_queued = ticket->n_items;
    ticket->n_queued_tokens = ticket->n_items * TOKENS;
    for (size_t i = 0; i < ticket->n_items; i++) {
        ticket->items[i].ticket = ticket;
        ticket->items[i].next = i + 1 < ticket->n_items ? &ticket->items[i + 1] : NULL;
    }
    atomic_store(&ticket->n_pending, ticket->n_items);
    jc_batcher_push(queue->batcher, ticket);
}

/* At time 0 of the batcher's view: a deadline may have passed when it is taken. */
static struct jc_ticket *push(struct queue *queue, size_t n, uint64_t deadline_ns)
{
    struct jc_err err;
    struct jc_ticket *ticket = create_ticket(n, deadline_ns);
    REQUIRE_OK(reserve(queue, ticket, 0, &err));
    push_reserved(queue, ticket);
    return ticket;
}

/* Takes and completes a batch. Returns how many items were dropped. */
static size_t take(struct queue *queue, uint64_t busy_ns)
{
    struct jc_err err;
    size_t n_dropped = 0;
    jc_fail(&err, JC_E_DEADLINE, "late");
    REQUIRE(jc_batcher_take(queue->batcher, &queue->batch));
    jc_batcher_report(queue->batcher, &queue->batch, busy_ns);
    for (struct jc_item *item = queue->batch.dropped, *next; item; item = next, n_dropped++) {
        next = item->next;
        jc_item_complete(item, &err);
    }
    for (size_t i = 0; i < queue->batch.n_items; i++)
        jc_item_complete(queue->items[i], NULL);
    return n_dropped;
}

static bool is_done(const struct jc_ticket *ticket)
{
    return ticket->context == ticket;
}

/* One large request under way: a single title is in the next batch, each time. */
static void test_one_large(void)
{
    struct queue queue;
    open_queue(&queue, 10000, SIZE_MAX);
    struct jc_ticket *large = push(&queue, 1000, UINT64_MAX);
    for (int round = 0; round < 15; round++) {
        struct jc_ticket *single = push(&queue, 1, UINT64_MAX);
        take(&queue, 0);
        check_report(is_done(single), __FILE__, __LINE__, "round %d: the single title is not in the next batch", round);
        CHECK(!is_done(large));
        destroy_ticket(single);
    }
    while (!is_done(large))
        take(&queue, 0);
    destroy_ticket(large);
    jc_batcher_destroy(queue.batcher);
}

/* Many large ones, and between them some that will not be computed: before the single title each large one has one turn
 * and the dead ones have none. */
static void test_many_large(bool gone)
{
    enum { N_LARGE = 20, N_DEAD = 30, MOST = (N_LARGE * JC_BATCHER_QUANTUM + 1 + BATCH - 1) / BATCH };
    struct queue queue;
    open_queue(&queue, 100000, SIZE_MAX);
    struct jc_ticket *large[N_LARGE], *dead[N_DEAD];
    for (int i = 0; i < N_DEAD; i++) {
        if (i < N_LARGE)
            large[i] = push(&queue, 1000, UINT64_MAX);
        dead[i] = push(&queue, 1000, gone ? UINT64_MAX : 1);
        atomic_store(&dead[i]->gone, gone);
    }
    struct jc_ticket *single = push(&queue, 1, UINT64_MAX);
    size_t n_batches = 0, n_dropped = 0, n_computed = 0;
    for (; !is_done(single); n_batches++) {
        n_dropped += take(&queue, 0);
        n_computed += queue.batch.n_items;
    }
    check_report(n_batches <= MOST, __FILE__, __LINE__, "a single title behind %d large requests: %zu batches, not %d",
                 N_LARGE, n_batches, MOST);
    while (jc_batcher_load(queue.batcher).n_titles) {
        n_dropped += take(&queue, 0);
        n_computed += queue.batch.n_items;
    }
    CHECK_INT(n_dropped, N_DEAD * 1000);
    CHECK_INT(n_computed, N_LARGE * 1000 + 1);
    for (int i = 0; i < N_DEAD; i++) {
        CHECK(is_done(dead[i]) && dead[i]->failure == JC_E_DEADLINE);
        destroy_ticket(dead[i]);
    }
    for (int i = 0; i < N_LARGE; i++) {
        CHECK(is_done(large[i]) && large[i]->failure == JC_OK);
        destroy_ticket(large[i]);
    }
    CHECK(single->failure == JC_OK);
    destroy_ticket(single);
    jc_batcher_destroy(queue.batcher);
}

/* Without a worker: expired ones go wherever they stand, and their room is free again. */
static void test_expire(void)
{
    struct queue queue;
    open_queue(&queue, 100, SIZE_MAX);
    const uint64_t now_ns = jc_clock_ns(), late_ns = now_ns + 3600 * JC_NS_PER_S;
    struct jc_ticket *tickets[] = {push(&queue, 30, late_ns), push(&queue, 30, 2000), push(&queue, 10, 1000),
                                   push(&queue, 30, 3000)};
    CHECK(jc_batcher_expire(queue.batcher, 999) == NULL);
    struct jc_item *dropped = jc_batcher_expire(queue.batcher, 2000);
    size_t n_dropped = 0;
    for (; dropped; dropped = dropped->next, n_dropped++)
        CHECK(dropped->ticket == tickets[1] || dropped->ticket == tickets[2]);
    CHECK_INT(n_dropped, 40);
    CHECK_INT(jc_batcher_load(queue.batcher).n_titles, 60);
    CHECK_INT(jc_batcher_load(queue.batcher).n_tokens, 60 * TOKENS);
    CHECK(jc_batcher_expire(queue.batcher, 2999) == NULL);
    CHECK_INT(take(&queue, 0), 30);
    CHECK_INT(queue.batch.n_items, 30);
    CHECK(is_done(tickets[0]) && is_done(tickets[3]));
    CHECK(jc_batcher_expire(queue.batcher, UINT64_MAX) == NULL);
    for (size_t i = 0; i < JC_COUNT(tickets); i++)
        destroy_ticket(tickets[i]);
    jc_batcher_destroy(queue.batcher);
}

static void test_token_bound(void)
{
    struct jc_err err;
    struct queue queue;
    open_queue(&queue, 1000, 10 * TOKENS);
    struct jc_ticket *large = push(&queue, 50, UINT64_MAX), *one = create_ticket(1, UINT64_MAX); /* alone, it may */
    CHECK_FAILS(reserve(&queue, one, 0, &err), JC_E_OVERLOADED, "250 tokens are waiting");
    take(&queue, 0);
    REQUIRE(is_done(large));
    destroy_ticket(large);

    large = push(&queue, 9, UINT64_MAX);
    REQUIRE_OK(reserve(&queue, one, 0, &err));
    struct jc_ticket *over = create_ticket(1, UINT64_MAX);
    CHECK_FAILS(reserve(&queue, over, 0, &err), JC_E_OVERLOADED, "50 tokens are waiting"); /* reserved ones count */
    push_reserved(&queue, one);
    take(&queue, 0);
    CHECK(is_done(large) && is_done(one));
    destroy_ticket(large);
    destroy_ticket(one);
    destroy_ticket(over);
    jc_batcher_destroy(queue.batcher);
}

/* 2 workers at 64 * 5 tokens in 1 ms: 640 tokens a millisecond. */
static void measure_rate(struct queue *queue)
{
    struct jc_ticket *work = push(queue, 20 * BATCH, UINT64_MAX);
    while (!is_done(work))
        take(queue, JC_NS_PER_MS);
    destroy_ticket(work);
}

static void test_expected_wait(void)
{
    struct jc_err err;
    struct queue queue;
    open_queue(&queue, 100000, SIZE_MAX);
    struct jc_ticket *waiting = push(&queue, 1280, UINT64_MAX), *large = create_ticket(128, 10 * JC_NS_PER_MS),
                     *single = create_ticket(1, 2 * JC_NS_PER_MS);
    /* Nothing was measured yet: nothing is known against it. */
    REQUIRE_OK(jc_batcher_check(queue.batcher, 1000, 1, 0, &err));
    CHECK_NEAR(jc_batcher_load(queue.batcher).tokens_per_s, 0, 0);
    CHECK_INT(jc_batcher_retry_after(queue.batcher), 1);
    while (!is_done(waiting))
        take(&queue, 0);
    destroy_ticket(waiting);

    measure_rate(&queue);
    CHECK_NEAR(jc_batcher_load(queue.batcher).tokens_per_s, 640e3, 1);
    waiting = push(&queue, 1280, UINT64_MAX); /* 10 ms of work */
    /* 128 titles have 8 turns, as many from the one before: 1 ms for it and 1 ms for them. */
    REQUIRE_OK(jc_batcher_check(queue.batcher, 128, 2 * JC_NS_PER_MS, 0, &err));
    REQUIRE_OK(reserve(&queue, large, 0, &err));
    push_reserved(&queue, large);
    /* A single one has 16 titles of each before it. */
    REQUIRE_OK(reserve(&queue, single, 0, &err));
    push_reserved(&queue, single);
    struct jc_ticket *late = create_ticket(1000, 10 * JC_NS_PER_MS);
    CHECK_FAILS(reserve(&queue, late, 0, &err), JC_E_OVERLOADED, "after the deadline");
    CHECK_FAILS(jc_batcher_check(queue.batcher, 1000, 10 * JC_NS_PER_MS, 0, &err), JC_E_OVERLOADED, "1409 titles");
    REQUIRE_OK(jc_batcher_check(queue.batcher, 1000, 30 * JC_NS_PER_MS, 0, &err));
    CHECK_FAILS(jc_batcher_check(queue.batcher, 1, 5, 5, &err), JC_E_DEADLINE, "passed");
    while (jc_batcher_load(queue.batcher).n_titles)
        take(&queue, 0);
    struct jc_ticket *tickets[] = {waiting, large, single, late};
    for (size_t i = 0; i < JC_COUNT(tickets); i++)
        destroy_ticket(tickets[i]);
    jc_batcher_destroy(queue.batcher);
}

/* Behind 640 single titles, 5 ms of work: one more waits for these, what needs two turns for as many again. */
static void test_wait_behind_singles(void)
{
    enum { N_SINGLES = 640 };
    struct jc_err err;
    struct queue queue;
    struct jc_ticket *singles[N_SINGLES];
    open_queue(&queue, 100000, SIZE_MAX);
    measure_rate(&queue);
    for (int i = 0; i < N_SINGLES; i++)
        singles[i] = push(&queue, 1, UINT64_MAX);
    REQUIRE_OK(jc_batcher_check(queue.batcher, 1, 51 * JC_NS_PER_MS / 10, 0, &err));
    CHECK_FAILS(jc_batcher_check(queue.batcher, 1, 49 * JC_NS_PER_MS / 10, 0, &err), JC_E_OVERLOADED, "0.0 s");
    REQUIRE_OK(jc_batcher_check(queue.batcher, 17, 102 * JC_NS_PER_MS / 10, 0, &err));
    CHECK_FAILS(jc_batcher_check(queue.batcher, 17, 98 * JC_NS_PER_MS / 10, 0, &err), JC_E_OVERLOADED, "0.0 s");
    while (jc_batcher_load(queue.batcher).n_titles)
        take(&queue, 0);
    for (int i = 0; i < N_SINGLES; i++)
        destroy_ticket(singles[i]);
    jc_batcher_destroy(queue.batcher);
}

/* The rate is that of late: after as many slow batches as fast ones it is nearly the slow one's. */
static void test_rate_fades(void)
{
    struct queue queue;
    open_queue(&queue, 1000000, SIZE_MAX);
    struct jc_ticket *work = push(&queue, 400 * BATCH, UINT64_MAX);
    for (int i = 0; i < 200; i++)
        take(&queue, JC_NS_PER_MS);
    CHECK_NEAR(jc_batcher_load(queue.batcher).tokens_per_s, 640e3, 1);
    for (int i = 0; i < 150; i++)
        take(&queue, 1000 * JC_NS_PER_MS);
    CHECK_NEAR(jc_batcher_load(queue.batcher).tokens_per_s, 640, 1);
    /* 50 batches are left: 25 s for two workers. */
    CHECK_INT(jc_batcher_retry_after(queue.batcher), 25);
    while (!is_done(work))
        take(&queue, 0);
    CHECK_INT(jc_batcher_retry_after(queue.batcher), 1);
    /* A single title on an idle server is slow for its tokens; that says nothing of what a full one does. */
    struct jc_ticket *single = push(&queue, 1, UINT64_MAX);
    take(&queue, 3600 * JC_NS_PER_S);
    CHECK_NEAR(jc_batcher_load(queue.batcher).tokens_per_s, 640, 1);
    destroy_ticket(work);
    destroy_ticket(single);
    jc_batcher_destroy(queue.batcher);
}

static void *take_rest(void *context)
{
    struct queue *queue = context;
    size_t n = 0;
    while (jc_batcher_take(queue->batcher, &queue->batch)) {
        for (size_t i = 0; i < queue->batch.n_items; i++, n++)
            jc_item_complete(queue->items[i], NULL);
        jc_batcher_report(queue->batcher, &queue->batch, 0);
    }
    return n == 3 ? queue : NULL;
}

/* A reservation is a promise: who stops then still waits for the push. */
static void test_stop_with_reservation(void)
{
    struct jc_err err;
    struct queue queue;
    open_queue(&queue, 100, SIZE_MAX);
    struct jc_ticket *ticket = create_ticket(3, UINT64_MAX), *late = create_ticket(1, UINT64_MAX);
    REQUIRE_OK(reserve(&queue, ticket, 0, &err));
    jc_batcher_stop(queue.batcher);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, take_rest, &queue) == 0);
    CHECK_FAILS(reserve(&queue, late, 0, &err), JC_E_CANCELLED, "shutting down");
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL); /* until it is there, most likely */
    push_reserved(&queue, ticket);
    void *result;
    pthread_join(thread, &result);
    CHECK(result == &queue);
    CHECK(is_done(ticket));
    destroy_ticket(ticket);
    destroy_ticket(late);
    jc_batcher_destroy(queue.batcher);
}

int main(void)
{
    test_one_large();
    test_many_large(false);
    test_many_large(true);
    test_expire();
    test_token_bound();
    test_expected_wait();
    test_wait_behind_singles();
    test_rate_fades();
    test_stop_with_reservation();
    return check_finish();
}
