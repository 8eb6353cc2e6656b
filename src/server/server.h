/*
 * The server: a slot with the model, workers, a batcher and HTTP listeners put together, with an ordered end. Created, it
 * listens (state STARTING); jc_lifecycle_run loads the model and serves.
 * Threads: create and destroy from one thread; the rest from any.
 */
#ifndef JC_SERVER_SERVER_H
#define JC_SERVER_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/config.h"
#include "server/life/lifecycle.h"
#include "server/life/model_slot.h"
#include "server/life/probe.h"
#include "server/life/reloader.h"
#include "server/observe/metrics.h"
#include "server/queue/admission.h"
#include "server/queue/worker.h"
#include "server/wire/listener.h"

struct jc_auth;
struct jc_intake;
struct jc_tls;

struct jc_server {
    const struct jc_server_config *config;
    struct jc_model_slot *slot;
    struct jc_metrics *metrics;
    struct jc_admission *admission;
    struct jc_workers *workers;
    struct jc_reloader *reloader;
    struct jc_probe *probe;
    struct jc_auth *auth;             /* NULL: no keys are asked for */
    struct jc_tls *tls;               /* NULL: plain HTTP */
    struct jc_intake *intake;         /* of all listeners */
    struct jc_listener public, admin; /* the second only where it is configured */
    size_t n_workers;
    struct jc_reload first_load;
    _Atomic int state; /* enum jc_server_state; lifecycle.c sets it */
};

/* `config` outlives the server. Errors: as jc_policy_start; IO where it cannot listen, INVALID (an address),
 * NOMEM. */
JC_MUST_CHECK jc_code jc_server_create(const struct jc_server_config *config, struct jc_server **ret_server,
                                       struct jc_err *err);

/* Finishes the queue, resumes every suspended connection, and ends all threads. */
void jc_server_destroy(struct jc_server *server);
JC_DEFINE_AUTO(jc_server)

/* Reads the keys again, and loads the bundle again in its own time; the log says what came of it. */
void jc_server_reload(struct jc_server *server);

/* Takes traffic, and gave a canary title its code (probe.h). */
bool jc_server_is_ready(const struct jc_server *server);

/* No worker has been on one batch for longer than health.stuck_after. */
bool jc_server_is_live(const struct jc_server *server);

/* A load or a batch is under way that destroy would have to wait for: what ends the process rather leaves it. */
bool jc_server_is_held_up(struct jc_server *server);

#endif
