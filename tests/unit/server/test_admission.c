/* Admission as a whole, with workers made up here: every ticket is done once, every answer is right, equal texts are
 * computed once; deadlines, clients that left, failures. */
#include "server/queue/admission.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answers.h"
#include "base/clock.h"
#include "check.h"

enum { BATCH = 32, MAX_ITEMS = 50 };

struct request {
    struct jc_ticket ticket;
    struct jc_item items[MAX_ITEMS];
    struct answer_memory memories[MAX_ITEMS];
    atomic_int n_done;
};

static void note_done(struct jc_ticket *ticket)
{
    atomic_fetch_add(&((struct request *)ticket->context)->n_done, 1);
}

struct stage {
    struct jc_metrics *metrics;
    struct jc_admission *admission;
};

static void open_stage(struct stage *stage, size_t queue_titles, size_t cache_bytes, bool half_closed_left)
{
    struct jc_err err;
    struct jc_admission_config config = {.limits = {.queue_titles = queue_titles,
                                                    .queue_tokens = SIZE_MAX,
                                                    .batch_titles = BATCH,
                                                    .batch_tokens = 100000,
                                                    .n_workers = 1},
                                         .cache_bytes = cache_bytes,
                                         .half_closed_left = half_closed_left};
    REQUIRE_OK(jc_metrics_create(1, &stage->metrics, &err));
    REQUIRE_OK(jc_admission_create(&config, stage->metrics, &stage->admission, &err));
}

static void close_stage(struct stage *stage)
{
    jc_admission_destroy(stage->admission);
    jc_metrics_destroy(stage->metrics);
}

static size_t count_of(const struct stage *stage, enum jc_counter counter)
{
    return jc_metrics_counter(stage->metrics, counter);
}

static void fill_request(struct request *request, const uint32_t *texts, size_t n, uint32_t top_n)
{
    memset(request, 0, sizeof *request);
    request->ticket = (struct jc_ticket){.items = request->items,
                                         .n_items = n,
                                         .generation = 1,
                                         .deadline_ns = UINT64_MAX,
                                         .fd = -1,
                                         .done = note_done,
                                         .context = request};
    for (size_t i = 0; i < n; i++) {
        answer_init(&request->items[i].input, &request->memories[i], texts[i], top_n);
        request->items[i].ticket = &request->ticket;
    }
}

/* Enters and submits. Returns whether it waits. */
static bool submit(struct stage *stage, struct request *request, const uint32_t *texts, size_t n)
{
    struct jc_err err;
    bool waits;
    fill_request(request, texts, n, 5);
    REQUIRE_OK(jc_admission_enter(stage->admission, &request->ticket, &waits, &err));
    if (waits)
        jc_admission_submit(stage->admission, &request->ticket);
    return waits;
}

static bool is_right(const struct request *request)
{
    bool right = request->ticket.failure == JC_OK;
    for (size_t i = 0; i < request->ticket.n_items; i++)
        right &= answer_is_right(&request->items[i].input, 1);
    return right;
}

/* What a worker does with one batch. Returns how many it computed. */
static size_t work_once(struct stage *stage)
{
    struct jc_item *items[BATCH];
    struct jc_batch batch = {.items = items};
    if (!jc_admission_take(stage->admission, &batch))
        return 0;
    jc_batcher_report(jc_admission_batcher(stage->admission), &batch, 0);
    for (size_t i = 0; i < batch.n_items; i++) {
        answer_compute(&items[i]->input, 1);
        CHECK(jc_admission_settle(stage->admission, items[i], NULL) == NULL);
    }
    return batch.n_items;
}

static const uint32_t texts[MAX_ITEMS] = {1, 2, 3, 2, 1};

static void test_hits_and_sharing(void)
{
    struct stage stage;
    static struct request first, second, third;
    open_stage(&stage, 100, 1 << 20, false);
    CHECK(submit(&stage, &first, texts, 5));
    CHECK(submit(&stage, &second, texts + 1, 2));
    CHECK_INT(work_once(&stage), 3); /* 1, 2 and 3, once each */
    CHECK(first.n_done == 1 && second.n_done == 1);
    CHECK(is_right(&first) && is_right(&second));
    CHECK(!submit(&stage, &third, texts, 5)); /* answered there and then */
    CHECK(third.n_done == 0 && is_right(&third));
    CHECK_INT(count_of(&stage, JC_COUNTER_CACHE_MISSES), 3);
    CHECK_INT(count_of(&stage, JC_COUNTER_CACHE_SHARED), 4);
    CHECK_INT(count_of(&stage, JC_COUNTER_CACHE_HITS), 5);
    close_stage(&stage);
}

/* A single title that is also the last of a large request under way: it is in the next batch, and computed once. */
static void test_no_wait_for_a_far_leader(void)
{
    struct stage stage;
    static struct request large, single;
    uint32_t numbers[MAX_ITEMS];
    for (uint32_t i = 0; i < MAX_ITEMS; i++)
        numbers[i] = 100 + i;
    open_stage(&stage, 100, 1 << 20, false);
    submit(&stage, &large, numbers, MAX_ITEMS);
    submit(&stage, &single, numbers + MAX_ITEMS - 1, 1);
    size_t n_computed = work_once(&stage);
    CHECK(single.n_done == 1 && is_right(&single));
    CHECK(large.n_done == 0);
    while (!large.n_done)
        n_computed += work_once(&stage);
    CHECK(is_right(&large));
    CHECK_INT(n_computed, MAX_ITEMS);
    CHECK_INT(count_of(&stage, JC_COUNTER_CACHE_SHARED), 0);
    close_stage(&stage);
}

static void test_without_cache(void)
{
    struct stage stage;
    static struct request request;
    open_stage(&stage, 100, 0, false);
    for (int i = 0; i < 2; i++) {
        CHECK(submit(&stage, &request, texts, 5));
        CHECK_INT(work_once(&stage), 5);
        CHECK(request.n_done == 1 && is_right(&request));
    }
    CHECK(jc_admission_cache(stage.admission) == NULL);
    CHECK_INT(count_of(&stage, JC_COUNTER_CACHE_MISSES), 0);
    close_stage(&stage);
}

/* A refused ticket leads no flight: who asks for the same is not left waiting. Hits need no room. */
static void test_refusal(void)
{
    struct jc_err err;
    struct stage stage;
    static struct request known, filler, refused, other;
    const uint32_t many[] = {10, 11, 12, 13, 14, 15, 16, 17};
    bool waits;
    open_stage(&stage, 8, 1 << 20, false);
    submit(&stage, &known, texts, 3);
    work_once(&stage);
    submit(&stage, &filler, many, 8);
    fill_request(&refused, (const uint32_t[]){1, 20}, 2, 5);
    CHECK_FAILS(jc_admission_enter(stage.admission, &refused.ticket, &waits, &err), JC_E_OVERLOADED, "no room for 1");
    CHECK(!submit(&stage, &other, texts, 3) && is_right(&other));
    CHECK_FAILS(jc_admission_check(stage.admission, 1, 1 << 20, UINT64_MAX, &err), JC_E_OVERLOADED, "8 titles");
    REQUIRE_OK(jc_admission_check(stage.admission, 1, 100, UINT64_MAX, &err)); /* it may be a hit */
    CHECK_FAILS(jc_admission_check(stage.admission, 1, 100, 0, &err), JC_E_DEADLINE, "passed");
    CHECK_INT(work_once(&stage), 8);
    CHECK(submit(&stage, &other, (const uint32_t[]){20}, 1));
    CHECK_INT(work_once(&stage), 1);
    CHECK(other.n_done == 1 && is_right(&other));
    close_stage(&stage);

    open_stage(&stage, 8, 0, false); /* no cache: nothing to hope for */
    submit(&stage, &filler, many, 8);
    CHECK_FAILS(jc_admission_check(stage.admission, 1, 1, UINT64_MAX, &err), JC_E_OVERLOADED, "8 titles");
    work_once(&stage);
    close_stage(&stage);
}

/* The leader's deadline passes while no worker is free: its own ticket is answered once its text, which another wants,
 * is computed; what nobody else wants is not. */
static void test_late_leader(void)
{
    struct jc_err err;
    struct stage stage;
    static struct request leader, alone, follower;
    bool waits;
    open_stage(&stage, 100, 1 << 20, false);
    fill_request(&leader, (const uint32_t[]){1, 2}, 2, 5);
    fill_request(&alone, (const uint32_t[]){3}, 1, 5);
    leader.ticket.deadline_ns = alone.ticket.deadline_ns = jc_clock_ns() + 50 * JC_NS_PER_MS;
    REQUIRE_OK(jc_admission_enter(stage.admission, &leader.ticket, &waits, &err));
    jc_admission_submit(stage.admission, &leader.ticket);
    REQUIRE_OK(jc_admission_enter(stage.admission, &alone.ticket, &waits, &err));
    jc_admission_submit(stage.admission, &alone.ticket);
    CHECK(submit(&stage, &follower, (const uint32_t[]){2}, 1));
    while (!alone.n_done) /* no worker is there: the thread of the deadlines does it */
        sched_yield();
    CHECK_INT(alone.ticket.failure, JC_E_DEADLINE);
    CHECK_INT(work_once(&stage), 1);
    CHECK(follower.n_done == 1 && is_right(&follower));
    CHECK(leader.n_done == 1);
    CHECK_INT(leader.ticket.failure, JC_E_DEADLINE);
    close_stage(&stage);
}

static void test_failing_leader(void)
{
    struct jc_err err;
    struct stage stage;
    static struct request requests[3];
    struct jc_item *items[BATCH];
    struct jc_batch batch = {.items = items};
    open_stage(&stage, 100, 1 << 20, false);
    for (int i = 0; i < 3; i++)
        submit(&stage, &requests[i], (const uint32_t[]){1}, 1);
    REQUIRE(jc_admission_take(stage.admission, &batch) && batch.n_items == 1);
    jc_batcher_report(jc_admission_batcher(stage.admission), &batch, 0);
    jc_fail(&err, JC_E_NOMEM, "no memory");
    struct jc_item *next = jc_admission_settle(stage.admission, items[0], &err);
    CHECK(requests[0].n_done == 1 && requests[1].n_done == 0 && requests[2].n_done == 0);
    CHECK_INT(requests[0].ticket.failure, JC_E_NOMEM);
    REQUIRE(next);
    answer_compute(&next->input, 1);
    CHECK(jc_admission_settle(stage.admission, next, NULL) == NULL);
    CHECK(requests[1].n_done == 1 && is_right(&requests[1]));
    CHECK(requests[2].n_done == 1 && is_right(&requests[2]));
    close_stage(&stage);
}

/* Ends of local sockets stand for clients: closed whole, or its sending side alone. */
static void test_clients(bool half_closed_left)
{
    struct jc_err err;
    struct stage stage;
    static struct request gone, half, there, gone_too, follower;
    struct request *const requests[] = {&gone, &half, &there, &gone_too};
    static const uint32_t numbers[][2] = {{10, 20}, {11, 21}, {12, 22}, {20}};
    int ends[JC_COUNT(requests)][2];
    bool waits;
    open_stage(&stage, 100, 1 << 20, half_closed_left);
    for (size_t i = 0; i < JC_COUNT(requests); i++) {
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) == 0);
        fill_request(requests[i], numbers[i], requests[i] == &gone_too ? 1 : 2, 5);
        requests[i]->ticket.fd = ends[i][0];
        REQUIRE_OK(jc_admission_enter(stage.admission, &requests[i]->ticket, &waits, &err));
        jc_admission_submit(stage.admission, &requests[i]->ticket);
    }
    submit(&stage, &follower, (const uint32_t[]){10}, 1); /* of a text of who is gone, as `gone_too` is of the other */
    close(ends[0][1]);
    shutdown(ends[1][1], SHUT_WR);
    close(ends[3][1]);
    CHECK_INT(work_once(&stage), half_closed_left ? 3 : 5);
    CHECK(gone.n_done == 1 && half.n_done == 1 && there.n_done == 1 && gone_too.n_done == 1 && follower.n_done == 1);
    CHECK_INT(gone.ticket.failure, JC_E_CANCELLED);
    CHECK_INT(gone_too.ticket.failure, JC_E_CANCELLED);
    CHECK_INT(half.ticket.failure, half_closed_left ? JC_E_CANCELLED : JC_OK);
    CHECK(is_right(&there) && is_right(&follower));
    for (size_t i = 0; i < JC_COUNT(requests); i++)
        close(ends[i][0]);
    close(ends[1][1]);
    close(ends[2][1]);
    close_stage(&stage);
}

/* A late leader stays queued while its follower wants it, and is dropped at its turn where that one has left since. */
static void test_late_leader_of_who_left(void)
{
    struct jc_err err;
    struct stage stage;
    static struct request leader, follower, other;
    int ends[2];
    bool waits;
    open_stage(&stage, 100, 1 << 20, false);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fill_request(&leader, texts, 1, 5);
    leader.ticket.deadline_ns = jc_clock_ns() + 3600 * JC_NS_PER_S;
    REQUIRE_OK(jc_admission_enter(stage.admission, &leader.ticket, &waits, &err));
    jc_admission_submit(stage.admission, &leader.ticket);
    fill_request(&follower, texts, 1, 5);
    follower.ticket.fd = ends[0];
    REQUIRE_OK(jc_admission_enter(stage.admission, &follower.ticket, &waits, &err));
    jc_admission_submit(stage.admission, &follower.ticket);
    CHECK(!jc_batcher_expire(jc_admission_batcher(stage.admission), leader.ticket.deadline_ns));
    leader.ticket.deadline_ns = 1; /* by the clock, too: from now on the queue does not look */
    submit(&stage, &other, texts + 1, 1);
    close(ends[1]);
    CHECK_INT(work_once(&stage), 1);
    CHECK(leader.n_done == 1 && follower.n_done == 1 && other.n_done == 1 && is_right(&other));
    CHECK_INT(leader.ticket.failure, JC_E_DEADLINE);
    CHECK_INT(follower.ticket.failure, JC_E_CANCELLED);
    close(ends[0]);
    close_stage(&stage);
}

enum { N_SENDERS = 3, N_WORKERS = 3, N_ROUNDS = 1500 };

struct play {
    struct stage stage;
    atomic_size_t n_failed, n_computed;
};

struct sender {
    pthread_t thread;
    struct play *play;
    uint64_t seed;
    int ends[2]; /* of its connection: it stays there */
    size_t n_wrong, n_late;
};

static void *compute_all(void *context)
{
    struct play *play = context;
    struct jc_item *items[BATCH];
    struct jc_batch batch = {.items = items};
    struct jc_err err;
    jc_fail(&err, JC_E_MODEL, "not now");
    for (size_t round = 0; jc_admission_take(play->stage.admission, &batch); round++) {
        jc_batcher_report(jc_admission_batcher(play->stage.admission), &batch, 1000);
        for (size_t i = 0; i < batch.n_items; i++)
            for (struct jc_item *item = items[i]; item;) {
                bool fails = (round + i) % 97 == 0 && item == items[i];
                answer_compute(&item->input, 1);
                atomic_fetch_add(&play->n_computed, 1);
                atomic_fetch_add(&play->n_failed, fails);
                item = jc_admission_settle(play->stage.admission, item, fails ? &err : NULL);
            }
    }
    return NULL;
}

/* Texts repeat a lot; some requests are large, some have hardly any time. */
static void *send_all(void *context)
{
    struct sender *sender = context;
    struct jc_rng rng = jc_rng_seeded(sender->seed);
    struct request *request = calloc(1, sizeof *request);
    if (!request)
        abort();
    for (int round = 0; round < N_ROUNDS; round++) {
        uint32_t numbers[MAX_ITEMS];
        size_t n = jc_rng_next(&rng) % 4 ? 1 + jc_rng_next(&rng) % 3 : MAX_ITEMS;
        for (size_t i = 0; i < n; i++)
            numbers[i] = (uint32_t)(jc_rng_unit(&rng) * jc_rng_unit(&rng) * 3000);
        fill_request(request, numbers, n, 1 + (uint32_t)jc_rng_next(&rng) % ANSWER_TOP);
        request->ticket.fd = sender->ends[0];
        if (jc_rng_next(&rng) % 8 == 0)
            request->ticket.deadline_ns = jc_clock_ns() + 20000;
        struct jc_err err;
        bool waits;
        jc_code code = jc_admission_enter(sender->play->stage.admission, &request->ticket, &waits, &err);
        if (code) {
            sender->n_wrong += code != JC_E_OVERLOADED && code != JC_E_DEADLINE;
            continue;
        }
        if (waits) {
            jc_admission_submit(sender->play->stage.admission, &request->ticket);
            while (!atomic_load(&request->n_done))
                sched_yield();
        }
        jc_code failure = request->ticket.failure;
        sender->n_wrong += failure ? failure != JC_E_DEADLINE && failure != JC_E_MODEL : !is_right(request);
        sender->n_late += failure == JC_E_DEADLINE;
    }
    free(request);
    return NULL;
}

static void test_threads(void)
{
    static struct play play;
    struct sender senders[N_SENDERS] = {0};
    pthread_t workers[N_WORKERS];
    open_stage(&play.stage, 100, 64 * 1024, false);
    for (size_t i = 0; i < N_WORKERS; i++)
        REQUIRE(pthread_create(&workers[i], NULL, compute_all, &play) == 0);
    for (size_t i = 0; i < N_SENDERS; i++) {
        senders[i] = (struct sender){.play = &play, .seed = i};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, senders[i].ends) == 0);
        REQUIRE(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]) == 0);
    }
    for (size_t i = 0; i < N_SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
        CHECK_INT(senders[i].n_wrong, 0);
        close(senders[i].ends[0]);
        close(senders[i].ends[1]);
    }
    jc_batcher_stop(jc_admission_batcher(play.stage.admission));
    for (size_t i = 0; i < N_WORKERS; i++)
        pthread_join(workers[i], NULL);
    struct jc_batcher_load load = jc_batcher_load(jc_admission_batcher(play.stage.admission));
    CHECK(load.n_titles == 0 && load.n_tokens == 0);
    CHECK(play.n_failed > 0 && play.n_computed > 0);
    CHECK(count_of(&play.stage, JC_COUNTER_CACHE_HITS) > 0 && count_of(&play.stage, JC_COUNTER_CACHE_SHARED) > 0);
    CHECK(count_of(&play.stage, JC_COUNTER_CACHE_EVICTIONS) > 0);
    close_stage(&play.stage);
}

/* What no worker has fails, with who follows it; what one has is answered, to who follows that. */
static void test_cancel(void)
{
    struct jc_err err;
    struct stage stage;
    static struct request begun, mixed, following, late;
    static const uint32_t mixed_texts[] = {2, 10};
    struct jc_item *items[BATCH];
    struct jc_batch batch = {.items = items};
    bool waits;
    open_stage(&stage, 100, 1 << 20, false);
    submit(&stage, &begun, texts, 3);
    REQUIRE(jc_admission_take(stage.admission, &batch) && batch.n_items == 3);
    submit(&stage, &mixed, mixed_texts, 2);
    submit(&stage, &following, mixed_texts + 1, 1);
    jc_admission_cancel(stage.admission);
    CHECK_INT(begun.n_done + mixed.n_done, 0);
    CHECK_INT(following.n_done, 1);
    CHECK_INT(atomic_load(&following.ticket.failure), JC_E_CANCELLED);
    for (size_t i = 0; i < batch.n_items; i++) {
        answer_compute(&items[i]->input, 1);
        CHECK(jc_admission_settle(stage.admission, items[i], NULL) == NULL);
    }
    jc_batcher_report(jc_admission_batcher(stage.admission), &batch, 0);
    CHECK(begun.n_done == 1 && is_right(&begun));
    CHECK_INT(mixed.n_done, 1);
    CHECK_INT(atomic_load(&mixed.ticket.failure), JC_E_CANCELLED);
    CHECK(answer_is_right(&mixed.items[0].input, 1));
    fill_request(&late, mixed_texts + 1, 1, 5);
    CHECK_FAILS(jc_admission_enter(stage.admission, &late.ticket, &waits, &err), JC_E_CANCELLED, "shutting down");
    CHECK(!jc_admission_take(stage.admission, &batch));
    close_stage(&stage);
}

static sem_t slow_began;

static void note_slowly(struct jc_ticket *ticket)
{
    sem_post(&slow_began);
    usleep(50000);
    note_done(ticket);
}

/* What the thread of the deadlines has taken out of the queue, where no worker sees it, is done when it has ended. */
static void test_finish_waits_for_what_is_late(void)
{
    struct stage stage;
    struct jc_err err;
    bool waits;
    static struct request late;
    sem_init(&slow_began, 0, 0);
    open_stage(&stage, 100, 0, false);
    fill_request(&late, texts, 1, 5);
    late.ticket.done = note_slowly;
    late.ticket.deadline_ns = jc_clock_ns() + 50 * JC_NS_PER_MS;
    REQUIRE_OK(jc_admission_enter(stage.admission, &late.ticket, &waits, &err));
    jc_admission_submit(stage.admission, &late.ticket);
    sem_wait(&slow_began);
    jc_batcher_stop(jc_admission_batcher(stage.admission));
    CHECK_INT(work_once(&stage), 0); /* a worker would go */
    jc_admission_finish(stage.admission);
    CHECK_INT(late.n_done, 1);
    CHECK_INT(late.ticket.failure, JC_E_DEADLINE);
    close_stage(&stage);
    sem_destroy(&slow_began);
}

int main(void)
{
    test_hits_and_sharing();
    test_no_wait_for_a_far_leader();
    test_without_cache();
    test_refusal();
    test_late_leader();
    test_failing_leader();
    test_clients(false);
    test_clients(true);
    test_late_leader_of_who_left();
    test_threads();
    test_cancel();
    test_finish_waits_for_what_is_late();
    return check_finish();
}
