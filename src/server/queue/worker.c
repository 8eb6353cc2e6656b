/* The inference threads. See worker.h. */
#include "server/queue/worker.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/life/model.h"
#include "server/life/signals.h"

struct worker {
    pthread_t thread;
    struct jc_workers *workers;
    size_t number;
    _Atomic uint64_t busy_since_ns; /* 0 = waiting for work */
    struct jc_batch batch;          /* its items: [batch_titles] */
    struct jc_input **inputs;       /* [batch_titles] */
};

struct jc_workers {
    struct jc_admission *admission;
    struct jc_metrics *metrics;
    size_t n_started;
    size_t n_workers;
    int nice;
    atomic_bool is_lost; /* the device: said once, and the program was told to leave */
    struct worker workers[];
};

static void count_batch(struct jc_metrics *metrics, const struct jc_run_stats *stats)
{
    jc_metrics_add(metrics, JC_COUNTER_TITLES, stats->n_texts);
    jc_metrics_add(metrics, JC_COUNTER_TITLES_UNIQUE, stats->n_unique);
    jc_metrics_add(metrics, JC_COUNTER_TOKENS, stats->n_tokens);
    jc_metrics_observe(metrics, JC_HISTOGRAM_BATCH_TITLES, stats->n_texts);
    jc_metrics_observe(metrics, JC_HISTOGRAM_BATCH_TOKENS, stats->n_tokens);
    jc_metrics_observe(metrics, JC_HISTOGRAM_ENCODE_SECONDS, stats->encode_ns);
    jc_metrics_observe(metrics, JC_HISTOGRAM_SCORE_SECONDS, stats->score_ns);
}

/* Runs items[n] as one batch. */
static jc_code run_batch(struct worker *worker, struct jc_item **items, size_t n, struct jc_err *err)
{
    struct jc_run_stats stats;
    struct jc_session *session = items[0]->ticket->model->sessions[worker->number];
    uint64_t start_ns = jc_clock_ns();
    atomic_store_explicit(&worker->busy_since_ns, start_ns, memory_order_relaxed);
    for (size_t i = 0; i < n; i++)
        worker->inputs[i] = &items[i]->input;
    jc_code code = jc_session_run(session, worker->inputs, n, &stats, err);
    if (code)
        return code;
    count_batch(worker->workers->metrics, &stats);
    const struct jc_item_timing timing = {
        .begun_ns = start_ns, .encode_ns = stats.encode_ns, .score_ns = stats.score_ns};
    for (size_t i = 0; i < n; i++)
        items[i]->timing = timing;
    return JC_OK;
}

/* Only a new process gets a lost device back; until it ends, every batch fails. */
static void note_failure(struct jc_workers *workers, const struct jc_err *err)
{
    if (err->code != JC_E_DEVICE) {
        jc_log_err("batch_failed", err);
    } else if (!atomic_exchange(&workers->is_lost, true)) {
        jc_log_err("batch_failed", err);
        jc_signals_post(JC_WISH_LEAVE);
    }
}

/* One bad text must not fail the requests it happened to share a batch with: after a failure each runs alone, but
 * on a device that is lost. */
static void run_one_by_one(struct worker *worker, struct jc_err err)
{
    const struct jc_batch *batch = &worker->batch;
    bool is_lost = err.code == JC_E_DEVICE;
    jc_metrics_add(worker->workers->metrics, JC_COUNTER_BATCH_FAILURES, 1);
    for (size_t i = 0; i < batch->n_items; i++)
        for (struct jc_item *item = batch->items[i]; item;) {
            jc_code code = is_lost ? JC_E_DEVICE : run_batch(worker, &item, 1, &err);
            if (code == JC_E_DEVICE && !is_lost) {
                is_lost = true;
                note_failure(worker->workers, &err);
            }
            item = jc_admission_settle(worker->workers->admission, item, code ? &err : NULL);
        }
}

static void run_taken(struct worker *worker)
{
    struct jc_workers *workers = worker->workers;
    struct jc_batch *batch = &worker->batch;
    uint64_t start_ns = jc_clock_ns();
    for (size_t i = 0; i < batch->n_items; i++)
        jc_metrics_observe(workers->metrics, JC_HISTOGRAM_QUEUE_SECONDS, start_ns - batch->items[i]->ticket->queued_ns);

    struct jc_err err;
    if (run_batch(worker, batch->items, batch->n_items, &err) == JC_OK) {
        jc_batcher_report(jc_admission_batcher(workers->admission), batch, jc_clock_ns() - start_ns);
        for (size_t i = 0; i < batch->n_items; i++)
            jc_admission_settle(workers->admission, batch->items[i], NULL);
        return;
    }
    note_failure(workers, &err);
    run_one_by_one(worker, err);
    jc_batcher_report(jc_admission_batcher(workers->admission), batch, 0); /* its rate says nothing */
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    /* A worker that wakes must not push the event thread that woke it from its core: with SCHED_BATCH it waits until
     * that one has taken in all that has arrived, and batches are larger. And an event thread that wakes must not wait
     * until workers have had their slices of every core: a refusal would take as long. Refused: no harm. */
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
    (void)!nice(worker->workers->nice); /* of this thread alone, on Linux */
    while (jc_admission_take(worker->workers->admission, &worker->batch)) {
        run_taken(worker);
        atomic_store_explicit(&worker->busy_since_ns, 0, memory_order_relaxed);
    }
    return NULL;
}

static jc_code start(struct worker *worker, size_t batch_titles, struct jc_err *err)
{
    worker->batch.items = calloc(batch_titles, sizeof *worker->batch.items);
    worker->inputs = calloc(batch_titles, sizeof *worker->inputs);
    if (!worker->batch.items || !worker->inputs)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    int error = pthread_create(&worker->thread, NULL, work, worker);
    if (error)
        return jc_fail(err, JC_E_IO, "start a worker thread: %s", strerror(error));
    return JC_OK;
}

jc_code jc_workers_start(const struct jc_workers_config *config, struct jc_admission *admission,
                         struct jc_metrics *metrics, struct jc_workers **ret_workers, struct jc_err *err)
{
    JC_AUTO(jc_workers)
    struct jc_workers *workers = calloc(1, sizeof *workers + config->n_workers * sizeof workers->workers[0]);
    if (!workers)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    workers->admission = admission;
    workers->metrics = metrics;
    workers->n_workers = config->n_workers;
    workers->nice = config->nice;
    for (size_t i = 0; i < config->n_workers; i++) {
        workers->workers[i].workers = workers;
        workers->workers[i].number = i;
        jc_code code = start(&workers->workers[i], config->batch_titles, err);
        if (code)
            return code;
        workers->n_started++;
    }
    *ret_workers = TAKE(workers);
    return JC_OK;
}

uint64_t jc_workers_longest_ns(const struct jc_workers *workers)
{
    uint64_t longest = 0, now = jc_clock_ns();
    for (size_t i = 0; i < workers->n_workers; i++) {
        uint64_t since = atomic_load_explicit(&workers->workers[i].busy_since_ns, memory_order_relaxed);
        if (since && since < now && now - since > longest)
            longest = now - since;
    }
    return longest;
}

void jc_workers_stop(struct jc_workers *workers)
{
    jc_batcher_stop(jc_admission_batcher(workers->admission));
    for (; workers->n_started; workers->n_started--)
        pthread_join(workers->workers[workers->n_started - 1].thread, NULL);
}

void jc_workers_destroy(struct jc_workers *workers)
{
    if (!workers)
        return;
    jc_workers_stop(workers);
    for (size_t i = 0; i < workers->n_workers; i++) {
        free(workers->workers[i].batch.items);
        free(workers->workers[i].inputs);
    }
    free(workers);
}
