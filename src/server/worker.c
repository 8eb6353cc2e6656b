/* The inference threads. See worker.h. */
#include "server/worker.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

struct worker {
    pthread_t thread;
    struct jc_workers *workers;
    struct jc_session *session;
    struct jc_batch batch;    /* its items: [batch_titles] */
    struct jc_input **inputs; /* [batch_titles] */
};

struct jc_workers {
    struct jc_admission *admission;
    struct jc_metrics *metrics;
    size_t n_started;
    size_t n_workers;
    struct worker workers[];
};

static void count_batch(struct jc_metrics *metrics, const struct jc_run_stats *stats)
{
    jc_metrics_add(metrics, JC_COUNTER_TITLES, stats->n_texts);
    jc_metrics_add(metrics, JC_COUNTER_TITLES_UNIQUE, stats->n_unique);
    jc_metrics_add(metrics, JC_COUNTER_TOKENS, stats->n_tokens);
    jc_metrics_observe(metrics, JC_HISTOGRAM_BATCH_TITLES, stats->n_texts);
    jc_metrics_observe(metrics, JC_HISTOGRAM_ENCODE_SECONDS, stats->encode_ns);
    jc_metrics_observe(metrics, JC_HISTOGRAM_SCORE_SECONDS, stats->score_ns);
}

/* Runs items[n] as one batch. */
static jc_code run_batch(struct worker *worker, struct jc_item **items, size_t n, struct jc_err *err)
{
    struct jc_run_stats stats;
    uint64_t start_ns = jc_clock_ns();
    for (size_t i = 0; i < n; i++)
        worker->inputs[i] = &items[i]->input;
    jc_code code = jc_session_run(worker->session, worker->inputs, n, &stats, err);
    if (code)
        return code;
    count_batch(worker->workers->metrics, &stats);
    const struct jc_item_timing timing = {
        .begun_ns = start_ns, .encode_ns = stats.encode_ns, .score_ns = stats.score_ns};
    for (size_t i = 0; i < n; i++)
        items[i]->timing = timing;
    return JC_OK;
}

/* One bad text must not fail the requests it happened to share a batch with: after a failure each runs alone. */
static void run_one_by_one(struct worker *worker)
{
    const struct jc_batch *batch = &worker->batch;
    jc_metrics_add(worker->workers->metrics, JC_COUNTER_BATCH_FAILURES, 1);
    for (size_t i = 0; i < batch->n_items; i++)
        for (struct jc_item *item = batch->items[i]; item;) {
            struct jc_err err;
            jc_code code = run_batch(worker, &item, 1, &err);
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
    jc_log_err("batch_failed", &err);
    run_one_by_one(worker);
    jc_batcher_report(jc_admission_batcher(workers->admission), batch, 0); /* its rate says nothing */
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    /* A worker that wakes must not push the event thread that woke it from its core: with SCHED_BATCH it waits until
     * that one has taken in all that has arrived, and batches are larger. Refused: no harm. */
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
    while (jc_admission_take(worker->workers->admission, &worker->batch))
        run_taken(worker);
    return NULL;
}

static jc_code start(struct worker *worker, const struct jc_classifier *classifier, size_t batch_titles,
                     struct jc_err *err)
{
    worker->batch.items = calloc(batch_titles, sizeof *worker->batch.items);
    worker->inputs = calloc(batch_titles, sizeof *worker->inputs);
    if (!worker->batch.items || !worker->inputs)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_code code = jc_session_create(classifier, &worker->session, err);
    if (code)
        return code;
    int error = pthread_create(&worker->thread, NULL, work, worker);
    if (error)
        return jc_fail(err, JC_E_IO, "start a worker thread: %s", strerror(error));
    return JC_OK;
}

jc_code jc_workers_start(const struct jc_classifier *classifier, struct jc_admission *admission,
                         struct jc_metrics *metrics, size_t n_workers, size_t batch_titles,
                         struct jc_workers **ret_workers, struct jc_err *err)
{
    JC_AUTO(jc_workers)
    struct jc_workers *workers = calloc(1, sizeof *workers + n_workers * sizeof workers->workers[0]);
    if (!workers)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    workers->admission = admission;
    workers->metrics = metrics;
    workers->n_workers = n_workers;
    for (size_t i = 0; i < n_workers; i++) {
        workers->workers[i].workers = workers;
        jc_code code = start(&workers->workers[i], classifier, batch_titles, err);
        if (code)
            return code;
        workers->n_started++;
    }
    *ret_workers = TAKE(workers);
    return JC_OK;
}

void jc_workers_destroy(struct jc_workers *workers)
{
    if (!workers)
        return;
    jc_batcher_stop(jc_admission_batcher(workers->admission));
    for (size_t i = 0; i < workers->n_started; i++)
        pthread_join(workers->workers[i].thread, NULL);
    for (size_t i = 0; i < workers->n_workers; i++) {
        jc_session_destroy(workers->workers[i].session);
        free(workers->workers[i].batch.items);
        free(workers->workers[i].inputs);
    }
    free(workers);
}
