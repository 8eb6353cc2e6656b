/*
 * Workers: one thread a core, or two for a GPU. A worker takes a batch, runs it on the session that the batch's model
 * has for this worker, completes its items, and takes the next, until the queue is stopped and empty.
 */
#ifndef JC_SERVER_QUEUE_WORKER_H
#define JC_SERVER_QUEUE_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/observe/metrics.h"
#include "server/queue/admission.h"

struct jc_workers;

struct jc_workers_config {
    size_t n_workers;    /* each model has as many sessions */
    size_t batch_titles; /* as in the batcher's limits */
    int nice;            /* added to the threads' niceness, 0 to 19 */
};

/* Starts the threads. `admission` and `metrics` outlive them. Errors: NOMEM, IO (no thread to be had). */
JC_MUST_CHECK jc_code jc_workers_start(const struct jc_workers_config *config, struct jc_admission *admission,
                                       struct jc_metrics *metrics, struct jc_workers **ret_workers, struct jc_err *err);

/* For how long the worker that has been at its batch (of a batch that failed: at its title) the longest has been, in
 * nanoseconds; 0 = all wait for work. Threads: any. */
uint64_t jc_workers_longest_ns(const struct jc_workers *workers);

/* Stops the queue and waits for the threads to finish what is queued. */
void jc_workers_stop(struct jc_workers *workers);

/* Stops, and frees. */
void jc_workers_destroy(struct jc_workers *workers);
JC_DEFINE_AUTO(jc_workers)

#endif
