/*
 * Workers: one thread a core, each with a classifier session of its own. A worker takes a batch, runs it, completes its
 * items, and takes the next, until the queue is stopped and empty.
 */
#ifndef JC_SERVER_WORKER_H
#define JC_SERVER_WORKER_H

#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "model/classifier.h"
#include "server/admission.h"
#include "server/metrics.h"

struct jc_workers;

/* Starts n_workers threads. batch_titles as in the batcher's limits. The arguments outlive the workers.
 * Errors: NOMEM, IO (no thread to be had). */
JC_MUST_CHECK jc_code jc_workers_start(const struct jc_classifier *classifier, struct jc_admission *admission,
                                       struct jc_metrics *metrics, size_t n_workers, size_t batch_titles,
                                       struct jc_workers **ret_workers, struct jc_err *err);

/* Stops the queue, waits for the threads to finish what is queued, and frees. */
void jc_workers_destroy(struct jc_workers *workers);
JC_DEFINE_AUTO(jc_workers)

#endif
