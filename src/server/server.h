/*
 * The server: a classifier, its workers, a batcher and an HTTP listener put together, with an ordered start and stop.
 *   create: load the model, start the workers, listen (state READY on return).
 *   drain:  /readyz turns 503; after the grace the listener closes; accepted requests are answered.
 * Threads: create, drain and destroy from one thread; the rest from any.
 */
#ifndef JC_SERVER_SERVER_H
#define JC_SERVER_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "model/classifier.h"
#include "server/admission.h"
#include "server/config.h"
#include "server/metrics.h"
#include "server/worker.h"

struct MHD_Daemon;
struct jc_auth;
struct jc_tls;
struct jc_intake;

enum jc_server_state { JC_SERVER_STARTING, JC_SERVER_READY, JC_SERVER_DRAINING, JC_SERVER_STOPPED };

struct jc_server {
    const struct jc_server_config *config;
    struct jc_classifier *classifier;
    struct jc_metrics *metrics;
    struct jc_admission *admission;
    struct jc_workers *workers;
    struct jc_auth *auth; /* NULL: no keys are asked for */
    struct jc_tls *tls;   /* NULL: plain HTTP */
    struct jc_intake *intake;
    struct MHD_Daemon *daemon;
    int quiesced_fd; /* the listener after it stopped accepting; -1 before */
    unsigned port;
    size_t n_workers;
    _Atomic int state; /* enum jc_server_state */
};

/* `config` outlives the server. Errors: as jc_classifier_load; IO where it cannot listen. */
JC_MUST_CHECK jc_code jc_server_create(const struct jc_server_config *config, struct jc_server **ret_server,
                                       struct jc_err *err);

/* Returns true where every accepted request was answered within shutdown.timeout. */
bool jc_server_drain(struct jc_server *server);

/* Stops at once what is left; call jc_server_drain first for a clean end. */
void jc_server_destroy(struct jc_server *server);
JC_DEFINE_AUTO(jc_server)

#endif
