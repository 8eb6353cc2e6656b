/* The probe: no where a canary is answered wrong, fails, or is not answered while nothing else is; yes again when it
 * is right; and unmoved by a full queue that moves. A cache does not answer it. */
#include "server/life/probe.h"

#include <pthread.h>
#include <time.h>

#include "model/encoder.h"
#include "two_models.h"

enum { INTERVAL_MS = 5, TIMEOUT_MS = 500 };

enum answer { ANSWER_NOT, ANSWER_RIGHT, ANSWER_WRONG, ANSWER_ERROR };

struct bench {
    struct jc_metrics *metrics;
    struct jc_admission *admission;
    struct jc_model_slot *slot;
    struct jc_probe *probe;
    pthread_t worker;
    atomic_int answer; /* enum answer */
    atomic_size_t n_asked;
};

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Answers as it is told to. */
static void *work(void *context)
{
    struct bench *bench = context;
    struct jc_item *items[4];
    struct jc_batch batch = {.items = items};
    while (jc_admission_take(bench->admission, &batch)) {
        while (atomic_load(&bench->answer) == ANSWER_NOT)
            sleep_ms(1);
        for (size_t i = 0; i < batch.n_items; i++) {
            struct jc_err err = {.code = JC_E_DEVICE, .text = "gone"};
            bool fails = atomic_load(&bench->answer) == ANSWER_ERROR;
            items[i]->input.n_hits = 1;
            items[i]->input.hits[0] = (struct jc_hit){.index = atomic_load(&bench->answer) == ANSWER_WRONG};
            atomic_fetch_add(&bench->n_asked, 1);
            if (jc_admission_settle(bench->admission, items[i], fails ? &err : NULL))
                abort(); /* not CHECK: that is the main thread's */
        }
        jc_batcher_report(jc_admission_batcher(bench->admission), &batch, 0);
    }
    return NULL;
}

static void start(struct bench *bench, size_t queue_titles, enum answer answer)
{
    struct jc_err err;
    const struct jc_admission_config config = {.limits = {.queue_titles = queue_titles,
                                                          .queue_tokens = SIZE_MAX,
                                                          .batch_titles = 4,
                                                          .batch_tokens = 4096,
                                                          .n_workers = 1},
                                               .cache_bytes = 1 << 20};
    *bench = (struct bench){0};
    REQUIRE_OK(jc_metrics_create(1, &bench->metrics, &err));
    REQUIRE_OK(jc_admission_create(&config, bench->metrics, &bench->admission, &err));
    REQUIRE_OK(jc_model_slot_create(jc_admission_cache(bench->admission), &bench->slot, &err));
    REQUIRE_OK(
        jc_probe_start(INTERVAL_MS, TIMEOUT_MS, bench->slot, bench->admission, bench->metrics, &bench->probe, &err));
    CHECK(jc_probe_passes(bench->probe));
    jc_model_slot_swap(bench->slot, two_models_load(0, 1));
    atomic_store(&bench->answer, (int)answer);
}

static void start_worker(struct bench *bench)
{
    REQUIRE(pthread_create(&bench->worker, NULL, work, bench) == 0);
}

static void wait_until(struct bench *bench, bool passes)
{
    for (int i = 0; i < 60000 && jc_probe_passes(bench->probe) != passes; i++)
        sleep_ms(1);
    REQUIRE(jc_probe_passes(bench->probe) == passes);
}

/* Until so many more were answered. */
static void wait_for_more(struct bench *bench, size_t n)
{
    size_t until = atomic_load(&bench->n_asked) + n;
    while (atomic_load(&bench->n_asked) < until)
        sleep_ms(1);
}

static void finish(struct bench *bench)
{
    jc_probe_destroy(bench->probe);
    jc_batcher_stop(jc_admission_batcher(bench->admission));
    if (bench->worker)
        pthread_join(bench->worker, NULL);
    jc_model_slot_destroy(bench->slot);
    jc_admission_destroy(bench->admission);
    jc_metrics_destroy(bench->metrics);
}

static void test_answers(void)
{
    static struct bench bench;
    start(&bench, 10, ANSWER_RIGHT);
    start_worker(&bench);
    wait_for_more(&bench, 3);
    CHECK(jc_probe_passes(bench.probe));
    for (enum answer bad = ANSWER_WRONG; bad <= ANSWER_ERROR; bad++) {
        atomic_store(&bench.answer, (int)bad);
        wait_until(&bench, false);
        wait_for_more(&bench, 2);
        CHECK(!jc_probe_passes(bench.probe));
        atomic_store(&bench.answer, ANSWER_RIGHT);
        wait_until(&bench, true);
    }
    finish(&bench);
}

static void test_silence(void)
{
    static struct bench bench;
    start(&bench, 10, ANSWER_NOT);
    start_worker(&bench);
    wait_until(&bench, false);
    atomic_store(&bench.answer, ANSWER_RIGHT);
    wait_until(&bench, true);
    finish(&bench);
}

static void never(struct jc_ticket *ticket)
{
    (void)ticket;
}

/* A queue that has no room for the canary: as long as titles are classified that is load; when none are, it is not. */
static void test_overload(void)
{
    struct jc_err err;
    static struct bench bench;
    struct jc_item item = {.input.n_ids = 3};
    struct jc_ticket ticket = {
        .items = &item, .n_items = 1, .deadline_ns = UINT64_MAX, .fd = -1, .alone = true, .done = never};
    bool waits;
    item.ticket = &ticket;
    start(&bench, 1, ANSWER_RIGHT);
    while (jc_admission_enter(bench.admission, &ticket, &waits, &err) != JC_OK) { /* the canary was first: take it */
        struct jc_item *canary[4];
        struct jc_batch batch = {.items = canary};
        REQUIRE(jc_admission_take(bench.admission, &batch) && batch.n_items == 1);
        canary[0]->input.n_hits = 1;
        canary[0]->input.hits[0] = (struct jc_hit){.index = 0};
        CHECK(jc_admission_settle(bench.admission, canary[0], NULL) == NULL);
        jc_batcher_report(jc_admission_batcher(bench.admission), &batch, 0);
    }
    CHECK(waits);
    jc_admission_submit(bench.admission, &ticket);
    for (int i = 0; i < 3 * TIMEOUT_MS / 2; i++) {
        jc_metrics_add(bench.metrics, JC_COUNTER_TITLES, 1);
        sleep_ms(1);
        CHECK(jc_probe_passes(bench.probe));
    }
    wait_until(&bench, false);
    finish(&bench);
}

static void test_off(void)
{
    struct jc_err err;
    JC_AUTO(jc_probe) struct jc_probe *probe = NULL;
    REQUIRE_OK(jc_probe_start(0, TIMEOUT_MS, NULL, NULL, NULL, &probe, &err));
    CHECK(jc_probe_passes(probe));
}

int main(void)
{
    two_models_write();
    test_answers();
    test_silence();
    test_overload();
    test_off();
    return check_finish();
}
