/* The workers: every title on the model of its ticket, and a worker that is stuck is seen. */
#include "server/queue/worker.h"

#include <semaphore.h>
#include <time.h>

#include "base/clock.h"
#include "model/encoder.h"
#include "two_models.h"

enum { N_WORKERS = 2, N_TICKETS = 40, N_TITLES = 30 };

struct bench {
    struct jc_metrics *metrics;
    struct jc_admission *admission;
    struct jc_workers *workers;
};

static struct bench start(void)
{
    struct jc_err err;
    struct bench bench;
    const struct jc_admission_config config = {.limits = {.queue_titles = 10000,
                                                          .queue_tokens = SIZE_MAX,
                                                          .batch_titles = 64,
                                                          .batch_tokens = 4096,
                                                          .n_workers = N_WORKERS},
                                               .cache_bytes = 1 << 20};
    REQUIRE_OK(jc_metrics_create(1, &bench.metrics, &err));
    REQUIRE_OK(jc_admission_create(&config, bench.metrics, &bench.admission, &err));
    const struct jc_workers_config workers = {.n_workers = N_WORKERS, .batch_titles = config.limits.batch_titles};
    REQUIRE_OK(jc_workers_start(&workers, bench.admission, bench.metrics, &bench.workers, &err));
    return bench;
}

static void finish(struct bench *bench)
{
    jc_workers_destroy(bench->workers);
    jc_admission_destroy(bench->admission);
    jc_metrics_destroy(bench->metrics);
}

struct request {
    struct jc_ticket ticket;
    struct jc_item items[N_TITLES];
    struct jc_hit hits[N_TITLES], wanted[N_TITLES];
    sem_t done;
};

static void note_done(struct jc_ticket *ticket)
{
    sem_post(ticket->context);
}

static void prepare(struct request *request, struct jc_model *model, size_t number)
{
    struct jc_err err;
    sem_init(&request->done, 0, 0);
    request->ticket = (struct jc_ticket){.model = model,
                                         .generation = model->generation,
                                         .deadline_ns = UINT64_MAX,
                                         .fd = -1,
                                         .items = request->items,
                                         .n_items = N_TITLES,
                                         .done = note_done,
                                         .context = &request->done};
    for (size_t i = 0; i < N_TITLES; i++) {
        char title[32];
        snprintf(title, sizeof title, "w%zu w%zu", i, number % SMALL_WORDS);
        const struct jc_posting posting = {.title = title, .n_title = strlen(title)};
        struct jc_input *input = &request->items[i].input;
        REQUIRE_OK(jc_classifier_prepare(model->classifier, &posting, input, &err));
        request->items[i].ticket = &request->ticket;

        struct jc_run_stats stats;
        input->top_n = 1;
        input->hits = &request->wanted[i];
        REQUIRE_OK(jc_session_run(model->sessions[N_WORKERS], &input, 1, &stats, &err));
        input->hits = &request->hits[i];
    }
}

static void submit(struct bench *bench, struct request *request)
{
    struct jc_err err;
    bool waits = false;
    REQUIRE_OK(jc_admission_enter(bench->admission, &request->ticket, &waits, &err));
    if (waits)
        jc_admission_submit(bench->admission, &request->ticket);
    else
        request->ticket.done(&request->ticket);
}

/* Tickets of two models in turn, with the same texts again and again: had a batch mixed them, one model's head would have scored the other's titles. */
static void test_two_models(void)
{
    struct bench bench = start();
    struct jc_model *models[2] = {two_models_load(0, N_WORKERS + 1), two_models_load(1, N_WORKERS + 1)};
    struct request *requests = calloc(N_TICKETS, sizeof *requests);
    REQUIRE(requests);
    for (size_t i = 0; i < 2; i++)
        models[i]->generation = i + 1;
    for (size_t t = 0; t < N_TICKETS; t++)
        prepare(&requests[t], models[t % 2], t);
    for (size_t t = 0; t < N_TICKETS; t++)
        submit(&bench, &requests[t]);
    size_t n_wrong = 0;
    for (size_t t = 0; t < N_TICKETS; t++) {
        sem_wait(&requests[t].done);
        CHECK_INT(atomic_load(&requests[t].ticket.failure), JC_OK);
        for (size_t i = 0; i < N_TITLES; i++) {
            n_wrong += requests[t].hits[i].index != requests[t].wanted[i].index;
            jc_input_finish(&requests[t].items[i].input);
        }
    }
    CHECK_INT(n_wrong, 0);
    CHECK_INT(jc_metrics_counter(bench.metrics, JC_COUNTER_TITLES), N_TICKETS * N_TITLES);
    finish(&bench);
    free(requests);
    for (size_t i = 0; i < 2; i++)
        jc_model_destroy(models[i]);
}

static sem_t reached, released;

static void block(struct jc_ticket *ticket)
{
    (void)ticket;
    sem_post(&reached);
    sem_wait(&released);
}

static void test_stuck(void)
{
    struct jc_err err;
    struct bench bench = start();
    CHECK_INT(jc_workers_longest_ns(bench.workers), 0);
    sem_init(&reached, 0, 0);
    sem_init(&released, 0, 0);
    struct jc_model *model = two_models_load(0, N_WORKERS + 1);
    struct request *request = calloc(1, sizeof *request);
    REQUIRE(request);
    prepare(request, model, 1);
    request->ticket.done = block;
    /* In this order, which no follower is there to forbid, it is a worker that completes the ticket. */
    bool waits = false;
    REQUIRE_OK(jc_admission_enter(bench.admission, &request->ticket, &waits, &err));
    jc_ticket_release(&request->ticket);
    jc_batcher_push(jc_admission_batcher(bench.admission), &request->ticket);
    sem_wait(&reached);
    uint64_t before = jc_workers_longest_ns(bench.workers);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    CHECK(before > 0);
    CHECK(jc_workers_longest_ns(bench.workers) >= before + 20 * JC_NS_PER_MS);
    sem_post(&released);
    while (jc_workers_longest_ns(bench.workers) > 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    finish(&bench);
    for (size_t i = 0; i < N_TITLES; i++)
        jc_input_finish(&request->items[i].input);
    free(request);
    jc_model_destroy(model);
}

int main(void)
{
    two_models_write();
    test_two_models();
    test_stuck();
    return check_finish();
}
