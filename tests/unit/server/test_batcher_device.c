/*
 * The batcher on a device that its workers share: when a worker waits for more, and what ends that. Batches are taught
 * to take hours, so that time alone ends no wait here, but for the one test where they take nanoseconds.
 */
#include "server/queue/batcher.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "check.h"

enum { TOKENS = 10, BATCH_TITLES = 100, BATCH_TOKENS = 5000, PREFERRED = 700, MAX_TICKETS = 64 };

#define HOUR (3600 * JC_NS_PER_S)

struct worker {
    struct jc_batcher *batcher;
    pthread_t thread;
    struct jc_item *items[BATCH_TITLES];
    struct jc_batch batch;
    struct jc_ticket *first; /* what it pushes before it takes, where not NULL */
    atomic_bool took;
};

struct bench {
    struct jc_batcher *batcher;
    struct worker busy; /* the test's own: a batch that runs */
    struct jc_ticket *tickets[MAX_TICKETS];
    size_t n_tickets;
};

static void ignore_done(struct jc_ticket *ticket)
{
    (void)ticket;
}

static struct jc_ticket *create_ticket(struct bench *bench, size_t n, uint64_t deadline_ns)
{
    struct jc_ticket *ticket = calloc(1, sizeof *ticket);
    REQUIRE(ticket && bench->n_tickets < MAX_TICKETS);
    *ticket = (struct jc_ticket){.items = calloc(n, sizeof *ticket->items),
                                 .n_items = n,
                                 .deadline_ns = deadline_ns,
                                 .fd = -1,
                                 .done = ignore_done};
    REQUIRE(ticket->items);
    ticket->queue = ticket->items;
    ticket->n_queued = n;
    ticket->n_queued_tokens = n * TOKENS;
    for (size_t i = 0; i < n; i++) {
        ticket->items[i].input.n_ids = TOKENS;
        ticket->items[i].ticket = ticket;
        ticket->items[i].next = i + 1 < n ? &ticket->items[i + 1] : NULL;
    }
    atomic_store(&ticket->n_pending, n);
    return bench->tickets[bench->n_tickets++] = ticket;
}

static struct jc_ticket *push_until(struct bench *bench, size_t n, uint64_t deadline_ns)
{
    struct jc_err err;
    struct jc_ticket *ticket = create_ticket(bench, n, deadline_ns);
    REQUIRE_OK(jc_batcher_reserve(bench->batcher, ticket, n, n * TOKENS, 0, &err));
    jc_batcher_push(bench->batcher, ticket);
    return ticket;
}

static struct jc_ticket *push(struct bench *bench, size_t n)
{
    return push_until(bench, n, UINT64_MAX);
}

static bool take(struct worker *worker)
{
    worker->batch.items = worker->items;
    bool took = jc_batcher_take(worker->batcher, &worker->batch);
    atomic_store(&worker->took, took);
    return took;
}

static void *take_one(void *context)
{
    struct worker *worker = context;
    if (worker->first)
        jc_batcher_push(worker->batcher, worker->first);
    take(worker);
    return NULL;
}

static void start(struct bench *bench, struct worker *worker)
{
    worker->batcher = bench->batcher;
    REQUIRE(pthread_create(&worker->thread, NULL, take_one, worker) == 0);
}

/* Until a worker waits for more. */
static void await_gathering(struct bench *bench)
{
    while (!jc_batcher_load(bench->batcher).gathering)
        sched_yield();
}

static void await_idle(struct bench *bench, size_t n)
{
    while (jc_batcher_load(bench->batcher).n_idle < n)
        sched_yield();
}

static void open_bench(struct bench *bench, bool shared_device)
{
    struct jc_err err;
    const struct jc_batcher_limits limits = {.queue_titles = 10000,
                                             .queue_tokens = SIZE_MAX,
                                             .batch_titles = BATCH_TITLES,
                                             .batch_tokens = BATCH_TOKENS,
                                             .n_workers = 2,
                                             .shared_device = shared_device};
    *bench = (struct bench){0};
    REQUIRE_OK(jc_batcher_create(&limits, NULL, &bench->batcher, &err));
    bench->busy.batcher = bench->batcher;
}

static void free_tickets(struct bench *bench)
{
    while (bench->n_tickets) {
        free(bench->tickets[--bench->n_tickets]->items);
        free(bench->tickets[bench->n_tickets]);
    }
}

static void close_bench(struct bench *bench)
{
    jc_batcher_destroy(bench->batcher);
    free_tickets(bench);
}

/* T(n) = fixed + fixed / 100 * n: 700 tokens are preferred. Batches of one worker alone, so of exactly that time. */
static void teach(struct bench *bench, uint64_t fixed_ns)
{
    for (size_t i = 0; i < 40; i++) {
        size_t n = i % 2 ? 60 : 5;
        push(bench, n);
        REQUIRE(take(&bench->busy) && bench->busy.batch.n_items == n);
        jc_batcher_report(bench->batcher, &bench->busy.batch, fixed_ns + fixed_ns / 100 * n * TOKENS);
    }
    free_tickets(bench);
}

/* And a title that is being computed. */
static void open_busy(struct bench *bench, uint64_t fixed_ns)
{
    open_bench(bench, true);
    teach(bench, fixed_ns);
    push(bench, 1);
    REQUIRE(take(&bench->busy) && bench->busy.batch.n_items == 1);
}

/* A worker waits for more than the title that is there, while another is busy. */
static void open_gathering(struct bench *bench, struct worker *worker)
{
    open_busy(bench, 2 * HOUR);
    push(bench, 1);
    start(bench, worker);
    await_gathering(bench);
}

static void end_busy(struct bench *bench)
{
    jc_batcher_report(bench->batcher, &bench->busy.batch, 0);
}

static void join(struct worker *worker, size_t n_wanted)
{
    pthread_join(worker->thread, NULL);
    CHECK(worker->took);
    CHECK_INT(worker->batch.n_items, n_wanted);
}

/* Here a wait would last for ever. */
static void test_nobody_waits(void)
{
    struct bench bench;
    struct worker worker = {0};
    open_busy(&bench, 2 * HOUR);
    end_busy(&bench);
    push(&bench, 1);
    REQUIRE(take(&bench.busy)); /* nothing runs */
    CHECK_INT(bench.busy.batch.n_items, 1);
    close_bench(&bench);

    open_bench(&bench, true); /* nothing is known */
    push(&bench, 1);
    REQUIRE(take(&bench.busy));
    push(&bench, 1);
    worker.batcher = bench.batcher;
    REQUIRE(take(&worker));
    CHECK_INT(worker.batch.n_items, 1);
    close_bench(&bench);

    open_bench(&bench, false); /* each on its core */
    teach(&bench, 2 * HOUR);
    push(&bench, 1);
    REQUIRE(take(&bench.busy));
    push(&bench, 1);
    worker.batcher = bench.batcher;
    REQUIRE(take(&worker));
    CHECK_INT(worker.batch.n_items, 1);
    close_bench(&bench);
}

/* What comes meanwhile goes with it. */
static void test_running_ends(void)
{
    struct bench bench;
    struct worker worker = {0};
    open_gathering(&bench, &worker);
    push(&bench, 2);
    CHECK(jc_batcher_load(bench.batcher).gathering);
    CHECK_INT(jc_batcher_load(bench.batcher).n_titles, 3);
    end_busy(&bench);
    join(&worker, 3);
    CHECK(!jc_batcher_load(bench.batcher).gathering);
    close_bench(&bench);
}

/* An idle worker is woken by the first title and waits for more. It is enough at 700 tokens, or titles for a batch. */
static void test_grows(void)
{
    static const size_t n_each[] = {TOKENS, 1}; /* tokens of an item */
    for (size_t round = 0; round < JC_COUNT(n_each); round++) {
        struct bench bench;
        struct worker worker = {0};
        size_t n_titles = round == 0 ? PREFERRED / TOKENS : BATCH_TITLES;
        open_busy(&bench, 2 * HOUR);
        start(&bench, &worker);
        await_idle(&bench, 1);
        for (size_t n = 0; n < n_titles; n += 10) {
            struct jc_err err;
            struct jc_ticket *ticket = create_ticket(&bench, 10, UINT64_MAX);
            ticket->n_queued_tokens = 10 * n_each[round];
            for (size_t i = 0; i < 10; i++)
                ticket->items[i].input.n_ids = (uint32_t)n_each[round];
            if (n)
                CHECK(jc_batcher_load(bench.batcher).gathering);
            REQUIRE_OK(jc_batcher_reserve(bench.batcher, ticket, 10, ticket->n_queued_tokens, 0, &err));
            jc_batcher_push(bench.batcher, ticket);
            if (!n)
                await_gathering(&bench);
        }
        join(&worker, n_titles);
        close_bench(&bench);
    }
}

/* Half the time of a batch is over at once where a batch takes nanoseconds; the other never ends. */
static void test_time_passes(void)
{
    struct bench bench;
    struct worker worker = {0};
    open_busy(&bench, 100);
    push(&bench, 1);
    start(&bench, &worker);
    join(&worker, 1);
    close_bench(&bench);
}

/* A title that is due before its batch could be done is not held, and does not let others be. */
static void test_deadline(void)
{
    struct bench bench;
    struct worker worker = {0};
    open_busy(&bench, 2 * HOUR);
    push_until(&bench, 1, jc_clock_ns() + HOUR);
    start(&bench, &worker);
    join(&worker, 1);
    close_bench(&bench);

    open_gathering(&bench, &worker);
    push_until(&bench, 1, jc_clock_ns() + 1000 * HOUR);
    CHECK(jc_batcher_load(bench.batcher).gathering);
    push_until(&bench, 1, jc_clock_ns() + HOUR);
    join(&worker, 3);
    close_bench(&bench);
}

/* What waits expires under the one that waits for more; then it waits like any other. */
static void test_expires(void)
{
    struct bench bench;
    struct worker worker = {0};
    open_busy(&bench, 2 * HOUR);
    uint64_t deadline_ns = jc_clock_ns() + 1000 * HOUR;
    push_until(&bench, 2, deadline_ns);
    start(&bench, &worker);
    await_gathering(&bench);
    struct jc_item *dropped = jc_batcher_expire(bench.batcher, deadline_ns);
    CHECK(dropped && dropped->next && !dropped->next->next);
    await_idle(&bench, 1);
    CHECK(!jc_batcher_load(bench.batcher).gathering);
    end_busy(&bench);
    push(&bench, 1);
    join(&worker, 1);
    close_bench(&bench);
}

static void test_end(void)
{
    struct bench bench;
    struct worker worker = {0}, other = {0};
    open_gathering(&bench, &worker);
    start(&bench, &other);
    await_idle(&bench, 1);
    jc_batcher_stop(bench.batcher);
    pthread_join(worker.thread, NULL);
    pthread_join(other.thread, NULL);
    CHECK(worker.took != other.took); /* one has the title, one is sent home */
    CHECK_INT(worker.batch.n_items + other.batch.n_items, 1);
    close_bench(&bench);

    open_gathering(&bench, &worker);
    CHECK(jc_batcher_cancel(bench.batcher) != NULL);
    pthread_join(worker.thread, NULL);
    CHECK(!worker.took);
    close_bench(&bench);
}

/* A stop while a reservation is out: what was waited with goes at once, what is pushed then, too. */
static void test_end_with_reservation(void)
{
    struct jc_err err;
    struct bench bench;
    struct worker worker = {0}, other = {0};
    open_busy(&bench, 2 * HOUR);
    struct jc_ticket *late = create_ticket(&bench, 3, UINT64_MAX);
    REQUIRE_OK(jc_batcher_reserve(bench.batcher, late, 3, 3 * TOKENS, 0, &err));
    push(&bench, 1);
    start(&bench, &worker);
    await_gathering(&bench);
    jc_batcher_stop(bench.batcher);
    join(&worker, 1);
    start(&bench, &other);
    await_idle(&bench, 1);
    jc_batcher_push(bench.batcher, late);
    join(&other, 3);
    close_bench(&bench);
}

/* Who waited for more takes a batch and leaves something: the next is woken for it, waits for more, and goes
 * when nothing runs any more. */
static void test_wake_is_passed_on(void)
{
    struct bench bench;
    struct worker first = {0}, second = {0};
    open_gathering(&bench, &first);
    start(&bench, &second);
    await_idle(&bench, 1); /* one at a time waits for more */
    push(&bench, BATCH_TITLES + 5);
    join(&first, BATCH_TITLES);
    await_gathering(&bench); /* the second, with the rest */
    end_busy(&bench);
    CHECK(jc_batcher_load(bench.batcher).gathering); /* the first is still at its batch */
    jc_batcher_report(bench.batcher, &first.batch, 0);
    join(&second, 6);
    close_bench(&bench);
}

/* Who pushes enough and takes at once is before the one that is called for it: that one then goes on waiting, with what
 * is left, and does not drop out of sight. (It may be the other way round: all the same.) */
static void test_overtaken(void)
{
    for (int round = 0; round < 50; round++) {
        struct jc_err err;
        struct bench bench;
        struct worker waiting = {0}, quick = {0};
        open_gathering(&bench, &waiting);
        quick.first = create_ticket(&bench, BATCH_TITLES + 5, UINT64_MAX);
        REQUIRE_OK(jc_batcher_reserve(bench.batcher, quick.first, BATCH_TITLES + 5, 1050, 0, &err));
        start(&bench, &quick);
        while (!atomic_load(&waiting.took) && !atomic_load(&quick.took))
            sched_yield();
        await_gathering(&bench);
        end_busy(&bench);
        struct worker *before = atomic_load(&quick.took) ? &quick : &waiting;
        join(before, BATCH_TITLES);
        CHECK(jc_batcher_load(bench.batcher).gathering);
        push(&bench, 1);
        jc_batcher_report(bench.batcher, &before->batch, 0);
        join(before == &quick ? &waiting : &quick, 7);
        close_bench(&bench);
    }
}

/* Idle workers divide what comes in preferred batches: two of three have 71 titles each, and one has 69. */
static void test_division(void)
{
    for (size_t n_batches = 1; n_batches <= 2; n_batches++) {
        struct bench bench;
        struct worker workers[3] = {{0}};
        open_bench(&bench, true);
        teach(&bench, 2 * HOUR);
        for (size_t i = 0; i < JC_COUNT(workers); i++)
            start(&bench, &workers[i]);
        await_idle(&bench, JC_COUNT(workers));
        size_t n = n_batches == 1 ? 69 : 142;
        push(&bench, n);
        while (jc_batcher_load(bench.batcher).n_titles)
            sched_yield();
        jc_batcher_stop(bench.batcher);
        size_t n_took = 0, n_items = 0;
        for (size_t i = 0; i < JC_COUNT(workers); i++) {
            pthread_join(workers[i].thread, NULL);
            n_took += workers[i].took;
            n_items += workers[i].batch.n_items;
            CHECK(!workers[i].took || workers[i].batch.n_items == n / n_batches);
        }
        CHECK_INT(n_took, n_batches);
        CHECK_INT(n_items, n);
        close_bench(&bench);
    }
}

int main(void)
{
    test_nobody_waits();
    test_running_ends();
    test_grows();
    test_time_passes();
    test_deadline();
    test_expires();
    test_end();
    test_end_with_reservation();
    test_wake_is_passed_on();
    test_overtaken();
    test_division();
    return check_finish();
}
