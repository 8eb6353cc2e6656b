/* The batching policy: turns, sharing, bounds, refusals, the end; and many threads at once. */
#include "server/queue/batcher.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "check.h"

enum { QUANTUM = JC_BATCHER_QUANTUM };

static void count_done(struct jc_ticket *ticket)
{
    atomic_fetch_add((atomic_size_t *)ticket->context, 1);
}

/* A ticket of n items of n_tokens each; free its items. */
static struct jc_ticket make_ticket(size_t n, uint32_t n_tokens, atomic_size_t *n_done)
{
    struct jc_ticket ticket = {.items = calloc(n, sizeof *ticket.items),
                               .n_items = n,
                               .deadline_ns = UINT64_MAX,
                               .fd = -1,
                               .done = count_done,
                               .context = n_done};
    if (!ticket.items)
        abort(); /* not REQUIRE: threads come here too */
    for (size_t i = 0; i < n; i++)
        ticket.items[i].input.n_ids = n_tokens;
    return ticket;
}

/* Items know their ticket by address: once it no longer moves. */
static jc_code try_push(struct jc_batcher *batcher, struct jc_ticket *ticket, uint64_t now_ns, struct jc_err *err)
{
    ticket->n_queued = ticket->n_items;
    ticket->n_queued_tokens = 0;
    ticket->queue = ticket->items;
    for (size_t i = 0; i < ticket->n_items; i++) {
        ticket->items[i].ticket = ticket;
        ticket->items[i].next = i + 1 < ticket->n_items ? &ticket->items[i + 1] : NULL;
        ticket->n_queued_tokens += ticket->items[i].input.n_ids;
    }
    jc_code code = jc_batcher_reserve(batcher, ticket, ticket->n_queued, ticket->n_queued_tokens, now_ns, err);
    if (code)
        return code;
    atomic_store(&ticket->n_pending, ticket->n_items);
    jc_batcher_push(batcher, ticket);
    return JC_OK;
}

static void push(struct jc_batcher *batcher, struct jc_ticket *ticket)
{
    struct jc_err err;
    REQUIRE_OK(try_push(batcher, ticket, 0, &err));
}

static struct jc_batcher *create(size_t queue, size_t titles, size_t tokens)
{
    struct jc_err err;
    struct jc_batcher *batcher;
    struct jc_batcher_limits limits = {.queue_titles = queue,
                                       .queue_tokens = SIZE_MAX,
                                       .batch_titles = titles,
                                       .batch_tokens = tokens,
                                       .n_workers = 1};
    REQUIRE_OK(jc_batcher_create(&limits, NULL, &batcher, &err));
    return batcher;
}

/* A batch where nothing is dropped. */
static size_t take(struct jc_batcher *batcher, struct jc_item **items)
{
    struct jc_batch batch = {.items = items};
    if (!jc_batcher_take(batcher, &batch))
        return 0;
    if (batch.dropped)
        abort();
    jc_batcher_report(batcher, &batch, 0);
    return batch.n_items;
}

static size_t count_queued(struct jc_batcher *batcher)
{
    return jc_batcher_load(batcher).n_titles;
}

static bool holds(struct jc_item *const *items, size_t n, const struct jc_ticket *ticket)
{
    for (size_t i = 0; i < n; i++)
        if (items[i]->ticket == ticket)
            return true;
    return false;
}

/* A long ticket takes QUANTUM, then the short one behind it has its turn, in order. */
static void test_turns(void)
{
    struct jc_item *items[64];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(1000, 40, 100000);
    struct jc_ticket big = make_ticket(100, 5, NULL), small = make_ticket(1, 5, NULL);
    push(batcher, &big);
    push(batcher, &small);
    CHECK_INT(count_queued(batcher), 101);

    REQUIRE(take(batcher, items) == 40);
    for (size_t i = 0; i < QUANTUM; i++)
        CHECK(items[i] == &big.items[i]);
    CHECK(items[QUANTUM] == &small.items[0]);
    for (size_t i = QUANTUM + 1; i < 40; i++)
        CHECK(items[i] == &big.items[i - 1]);
    REQUIRE(take(batcher, items) == 40);
    CHECK(items[0] == &big.items[39]);
    REQUIRE(take(batcher, items) == 21);
    CHECK(items[20] == &big.items[99]);
    CHECK_INT(count_queued(batcher), 0);
    free(big.items);
    free(small.items);
}

/* As many long tickets as fill a batch, and more: each gets its turn, also the one that the full batch left out. */
static void test_no_ticket_starves(void)
{
    enum { N = 5, BATCH = 2 * QUANTUM };
    struct jc_item *items[BATCH];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(10000, BATCH, 100000);
    struct jc_ticket tickets[N];
    for (int i = 0; i < N; i++) {
        tickets[i] = make_ticket(200, 5, NULL);
        push(batcher, &tickets[i]);
    }
    for (int round = 0; round < 20; round++) {
        REQUIRE(take(batcher, items) == BATCH);
        size_t least = SIZE_MAX, most = 0;
        for (int i = 0; i < N; i++) {
            least = tickets[i].n_taken < least ? tickets[i].n_taken : least;
            most = tickets[i].n_taken > most ? tickets[i].n_taken : most;
        }
        check_report(most - least <= QUANTUM, __FILE__, __LINE__, "after %d batches one has %zu and one %zu", round + 1,
                     least, most);
    }
    for (int i = 0; i < N; i++)
        free(tickets[i].items);
}

/* A batch that tokens end early: what did not fit comes first in the next. */
static void test_tokens(void)
{
    struct jc_item *items[64];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(1000, 64, 512);
    struct jc_ticket many = make_ticket(12, 100, NULL), huge = make_ticket(1, 4000, NULL),
                     last = make_ticket(3, 2, NULL);
    push(batcher, &many);
    push(batcher, &huge);
    push(batcher, &last);
    REQUIRE(take(batcher, items) == 5);
    CHECK(items[4] == &many.items[4]);
    REQUIRE(take(batcher, items) == 5);
    CHECK(items[0] == &many.items[5]);
    REQUIRE(take(batcher, items) == 2); /* 200 tokens, and the huge one does not fit */
    CHECK(holds(items, 2, &many));
    REQUIRE(take(batcher, items) == 1); /* alone, though over the bound */
    CHECK(holds(items, 1, &huge));
    REQUIRE(take(batcher, items) == 3);
    CHECK(holds(items, 3, &last));
    free(many.items);
    free(huge.items);
    free(last.items);
}

static void test_overload(void)
{
    struct jc_err err;
    struct jc_item *items[16];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(10, 16, 100000);
    struct jc_ticket seven = make_ticket(7, 3, NULL), four = make_ticket(4, 3, NULL), three = make_ticket(3, 3, NULL);
    push(batcher, &seven);
    CHECK_FAILS(try_push(batcher, &four, 0, &err), JC_E_OVERLOADED, "7 titles are waiting");
    CHECK_INT(count_queued(batcher), 7);
    push(batcher, &three);
    CHECK_INT(count_queued(batcher), 10);
    REQUIRE(take(batcher, items) == 10);
    CHECK(!holds(items, 10, &four));
    push(batcher, &four);
    CHECK_INT(take(batcher, items), 4);
    free(seven.items);
    free(four.items);
    free(three.items);
}

static void test_stop(void)
{
    struct jc_err err;
    struct jc_item *items[8];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(100, 8, 100000);
    struct jc_ticket accepted = make_ticket(10, 3, NULL), late = make_ticket(1, 3, NULL);
    push(batcher, &accepted);
    jc_batcher_stop(batcher);
    CHECK_FAILS(try_push(batcher, &late, 0, &err), JC_E_CANCELLED, "shutting down");
    CHECK_INT(take(batcher, items), 8);
    CHECK_INT(take(batcher, items), 2);
    CHECK_INT(take(batcher, items), 0);
    CHECK_INT(take(batcher, items), 0);
    free(accepted.items);
    free(late.items);
}

static void test_failures(void)
{
    atomic_size_t n_done = 0;
    struct jc_item *items[8];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(100, 8, 100000);
    struct jc_ticket ticket = make_ticket(3, 3, &n_done);
    push(batcher, &ticket);
    REQUIRE(take(batcher, items) == 3);
    struct jc_err first = {.code = JC_E_MODEL, .text = "first"}, second = {.code = JC_E_NOMEM, .text = "second"};
    jc_item_complete(items[0], NULL);
    jc_item_complete(items[1], &first);
    CHECK_INT(n_done, 0);
    jc_item_complete(items[2], &second);
    CHECK_INT(n_done, 1);
    CHECK_INT(atomic_load(&ticket.failure), JC_E_MODEL);
    CHECK_STR(ticket.err.text, "first");
    free(ticket.items);
}

/* A batch holds one model's titles; what is of another waits for the next, first in line. */
static void test_models(void)
{
    struct jc_item *items[64];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(1000, 64, 100000);
    struct jc_ticket tickets[] = {make_ticket(20, 3, NULL), make_ticket(2, 3, NULL), make_ticket(1, 3, NULL),
                                  make_ticket(3, 3, NULL)};
    static const uint64_t generations[] = {1, 1, 2, 1};
    for (size_t i = 0; i < JC_COUNT(tickets); i++) {
        tickets[i].generation = generations[i];
        push(batcher, &tickets[i]);
    }
    REQUIRE(take(batcher, items) == QUANTUM + 2); /* the rest of the first is behind all others */
    CHECK(holds(items, QUANTUM + 2, &tickets[1]));
    CHECK(!holds(items, QUANTUM + 2, &tickets[2]));
    REQUIRE(take(batcher, items) == 1);
    CHECK(items[0]->ticket == &tickets[2]);
    REQUIRE(take(batcher, items) == 3 + 4);
    CHECK(items[0]->ticket == &tickets[3] && items[3]->ticket == &tickets[0]);
    CHECK_INT(count_queued(batcher), 0);
    for (size_t i = 0; i < JC_COUNT(tickets); i++)
        free(tickets[i].items);
}

/* Of another model than the batch's, and its client left: it leaves the queue at once, as whoever has its dropped items
 * ends it. */
static void test_another_model_gone(void)
{
    struct jc_item *items[64];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(1000, 64, 100000);
    struct jc_ticket live = make_ticket(1, 3, NULL), gone = make_ticket(2, 3, NULL);
    gone.generation = 1;
    push(batcher, &live);
    push(batcher, &gone);
    atomic_store(&gone.gone, true);
    struct jc_batch batch = {.items = items};
    REQUIRE(jc_batcher_take(batcher, &batch) && batch.n_items == 1 && items[0]->ticket == &live);
    REQUIRE(batch.dropped && batch.dropped->next && batch.dropped->ticket == &gone);
    CHECK_INT(count_queued(batcher), 0);
    jc_batcher_report(batcher, &batch, 0);
    jc_batcher_stop(batcher);
    CHECK(!jc_batcher_take(batcher, &batch)); /* nothing is left */
    free(live.items);
    free(gone.items);
}

/* What no worker has yet is dropped, all of it; what one has is still his. */
static void test_cancel(void)
{
    struct jc_err err;
    struct jc_item *items[8];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(100, 8, 100000);
    struct jc_ticket begun = make_ticket(10, 3, NULL), waiting = make_ticket(5, 3, NULL),
                     late = make_ticket(1, 3, NULL);
    push(batcher, &begun);
    push(batcher, &waiting);
    REQUIRE(take(batcher, items) == 8);
    size_t n_dropped = 0, n_of_begun = 0;
    for (struct jc_item *item = jc_batcher_cancel(batcher); item; item = item->next, n_dropped++)
        n_of_begun += item->ticket == &begun;
    CHECK_INT(n_dropped, 7);
    CHECK_INT(n_of_begun, 2);
    CHECK_INT(count_queued(batcher), 0);
    CHECK_INT(take(batcher, items), 0);
    CHECK_FAILS(try_push(batcher, &late, 0, &err), JC_E_CANCELLED, "shutting down");
    free(begun.items);
    free(waiting.items);
    free(late.items);
}

struct taker {
    struct jc_batcher *batcher;
    pthread_t thread;
    size_t n_first; /* titles of the first batch */
    size_t n_all;
    atomic_int *n_times; /* [items of all pushers], by the item's input.top_n */
};

static void *take_all(void *context)
{
    struct taker *taker = context;
    struct jc_item *items[64];
    for (size_t n; (n = take(taker->batcher, items)) > 0;) {
        if (!taker->n_all)
            taker->n_first = n;
        taker->n_all += n;
        for (size_t i = 0; i < n; i++) {
            if (taker->n_times)
                atomic_fetch_add(&taker->n_times[items[i]->input.top_n], 1);
            jc_item_complete(items[i], NULL);
        }
    }
    return NULL;
}

/* Idle workers divide one large ticket: no one takes all that its batch has room for. */
static void test_sharing(void)
{
    enum { N_TAKERS = 4, N_ITEMS = 40 };
    atomic_size_t n_done = 0;
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(1000, 64, 100000);
    struct taker takers[N_TAKERS] = {0};
    for (int i = 0; i < N_TAKERS; i++) {
        takers[i].batcher = batcher;
        REQUIRE(pthread_create(&takers[i].thread, NULL, take_all, &takers[i]) == 0);
    }
    struct timespec pause = {.tv_nsec = 200 * 1000 * 1000}; /* until all wait */
    nanosleep(&pause, NULL);
    struct jc_ticket ticket = make_ticket(N_ITEMS, 3, &n_done);
    push(batcher, &ticket);
    while (!atomic_load(&n_done))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    jc_batcher_stop(batcher);
    size_t n_all = 0;
    for (int i = 0; i < N_TAKERS; i++) {
        pthread_join(takers[i].thread, NULL);
        n_all += takers[i].n_all;
        check_report(takers[i].n_first <= N_ITEMS / 2, __FILE__, __LINE__, "one of 4 idle workers took %zu of 40",
                     takers[i].n_first);
    }
    CHECK_INT(n_all, N_ITEMS);
    free(ticket.items);
}

enum { N_PUSHERS = 4, N_TAKERS = 3, N_TICKETS = 2500, N_PER_TICKET = 10, N_PER_PUSHER = N_TICKETS * N_PER_TICKET };

struct pusher {
    struct jc_batcher *batcher;
    pthread_t thread;
    size_t first; /* number of its first item */
    struct jc_ticket *tickets;
    atomic_size_t n_done;
    size_t n_wrong; /* refusals for another reason than a full queue */
};

static void *push_all(void *context)
{
    struct pusher *pusher = context;
    for (size_t t = 0; t < N_TICKETS; t++) {
        struct jc_ticket *ticket = &pusher->tickets[t];
        *ticket = make_ticket(N_PER_TICKET, 1 + (uint32_t)t % 40, &pusher->n_done);
        for (size_t i = 0; i < N_PER_TICKET; i++) {
            ticket->items[i].ticket = ticket;
            ticket->items[i].input.top_n = (uint32_t)(pusher->first + t * N_PER_TICKET + i);
        }
        struct jc_err err;
        while (try_push(pusher->batcher, ticket, 0, &err) != JC_OK) {
            pusher->n_wrong += err.code != JC_E_OVERLOADED;
            sched_yield();
        }
    }
    return NULL;
}

/* 100,000 items from four threads through three: each is completed once, each ticket is done once. */
static void test_threads(void)
{
    static atomic_int n_times[N_PUSHERS * N_PER_PUSHER];
    JC_AUTO(jc_batcher) struct jc_batcher *batcher = create(200, 64, 512);
    struct taker takers[N_TAKERS] = {0};
    struct pusher pushers[N_PUSHERS] = {0};
    for (int i = 0; i < N_TAKERS; i++) {
        takers[i].batcher = batcher;
        takers[i].n_times = n_times;
        REQUIRE(pthread_create(&takers[i].thread, NULL, take_all, &takers[i]) == 0);
    }
    for (size_t i = 0; i < N_PUSHERS; i++) {
        pushers[i].batcher = batcher;
        pushers[i].first = i * N_PER_PUSHER;
        REQUIRE(pushers[i].tickets = calloc(N_TICKETS, sizeof *pushers[i].tickets));
        REQUIRE(pthread_create(&pushers[i].thread, NULL, push_all, &pushers[i]) == 0);
    }
    for (int i = 0; i < N_PUSHERS; i++)
        pthread_join(pushers[i].thread, NULL);
    jc_batcher_stop(batcher);
    for (int i = 0; i < N_TAKERS; i++)
        pthread_join(takers[i].thread, NULL);

    size_t n_wrong = 0;
    for (size_t i = 0; i < N_PUSHERS * N_PER_PUSHER; i++)
        n_wrong += n_times[i] != 1;
    CHECK_INT(n_wrong, 0);
    CHECK_INT(count_queued(batcher), 0);
    for (int i = 0; i < N_PUSHERS; i++) {
        CHECK_INT(pushers[i].n_done, N_TICKETS);
        CHECK_INT(pushers[i].n_wrong, 0);
        for (int t = 0; t < N_TICKETS; t++)
            free(pushers[i].tickets[t].items);
        free(pushers[i].tickets);
    }
}

int main(void)
{
    test_turns();
    test_no_ticket_starves();
    test_tokens();
    test_overload();
    test_stop();
    test_failures();
    test_models();
    test_another_model_gone();
    test_cancel();
    test_sharing();
    test_threads();
    return check_finish();
}
