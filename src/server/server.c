/* Putting the parts together and taking them apart in order. See server.h. */
#include "server/server.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/log.h"
#include "model/runtime.h"
#include "server/api/routes.h"
#include "server/policy/auth.h"
#include "server/policy/policy.h"
#include "server/wire/descriptors.h"
#include "server/wire/intake.h"

#define ADMIN_CONNECTIONS 64 /* operators, probes and a scraper or two */

/* On a GPU two: the batch of one is prepared and copied while that of the other runs. More would only wait for it. */
#define DEVICE_WORKERS 2

static jc_code start_workers(struct jc_server *server, struct jc_err *err)
{
    const struct jc_server_config *config = server->config;
    /* For good: no reload changes the device. (A fake encoder runs on the CPU all the same, batched by the GPU's rule.) */
    const struct jc_encoder_options encoder = jc_server_encoder_options(config);
    const bool shared_device = jc_encoder_shares_device(&encoder);
    server->n_workers = config->workers.count ? config->workers.count : shared_device ? DEVICE_WORKERS : jc_cpu_count();
    const struct jc_admission_config admission = {.limits = {.queue_titles = config->workers.queue_titles,
                                                             .queue_tokens = config->workers.queue_tokens,
                                                             .batch_titles = config->workers.batch_titles,
                                                             .batch_tokens = config->workers.batch_tokens,
                                                             .n_workers = server->n_workers,
                                                             .shared_device = shared_device},
                                                  .cache_bytes = config->cache.bytes,
                                                  .half_closed_left = config->requests.half_closed_left};
    /* One more for the canaries of a model that is loaded beside the one that serves. */
    jc_code code = jc_runtime_reserve(server->n_workers + 1, err);
    if (!code)
        code = jc_admission_create(&admission, server->metrics, &server->admission, err);
    if (code)
        return code;
    const struct jc_workers_config workers = {.n_workers = server->n_workers,
                                              .batch_titles = config->workers.batch_titles,
                                              .nice = (int)config->workers.nice};
    return jc_workers_start(&workers, server->admission, server->metrics, &server->workers, err);
}

static jc_code start_model_threads(struct jc_server *server, struct jc_err *err)
{
    const struct jc_server_config *config = server->config;
    const struct jc_reloader_options options = {.folder = config->model.folder,
                                                .encoder = jc_server_encoder_options(config),
                                                .n_sessions = server->n_workers,
                                                .watch_ms = config->model.watch_ms};
    jc_code code = jc_model_slot_create(jc_admission_cache(server->admission), &server->slot, err);
    if (!code)
        code = jc_reloader_start(&options, server->slot, server->metrics, &server->reloader, err);
    return code ? code
                : jc_probe_start(config->health.canary_interval_ms, config->health.canary_timeout_ms, server->slot,
                                 server->admission, server->metrics, &server->probe, err);
}

/* Last of all: a request may come at once. */
static jc_code start_listeners(struct jc_server *server, struct jc_err *err)
{
    const struct jc_server_config *config = server->config;
    unsigned n_connections, n_threads = (unsigned)config->http.threads;
    unsigned n_others = n_threads + (config->admin.address[0] ? ADMIN_CONNECTIONS : 0);
    jc_code code = jc_descriptors_reserve((unsigned)config->http.connections, n_threads, n_others, &n_connections, err);
    if (code)
        return code;
    server->public = (struct jc_listener){.server = server,
                                          .key = "http",
                                          .address = config->http.address,
                                          .port = (unsigned)config->http.port,
                                          .threads = n_threads,
                                          .connections = n_connections,
                                          .offers = JC_ROUTES_PUBLIC | JC_ROUTES_PROBES};
    server->admin = (struct jc_listener){.server = server,
                                         .key = "admin",
                                         .address = config->admin.address,
                                         .port = (unsigned)config->admin.port,
                                         .threads = 1,
                                         .connections = ADMIN_CONNECTIONS,
                                         .offers = JC_ROUTES_ADMIN | JC_ROUTES_PROBES | JC_ROUTES_METRICS};
    if (!config->admin.metrics_only)
        server->public.offers |= JC_ROUTES_METRICS;
    if (config->admin.address[0] && (code = jc_listener_start(&server->admin, err)))
        return code;
    return jc_listener_start(&server->public, err);
}

jc_code jc_server_create(const struct jc_server_config *config, struct jc_server **ret_server, struct jc_err *err)
{
    JC_AUTO(jc_server) struct jc_server *server = calloc(1, sizeof *server);
    if (!server)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    server->config = config;
    jc_code code = jc_policy_start(server, err);
    if (!code)
        code = jc_metrics_create(jc_n_routes, &server->metrics, err);
    if (!code)
        code = start_workers(server, err);
    if (!code)
        code = start_model_threads(server, err);
    if (!code)
        code = jc_intake_create(config, server->metrics, &server->intake, err);
    if (!code)
        code = start_listeners(server, err);
    if (code)
        return code;
    *ret_server = TAKE(server);
    return JC_OK;
}

/* What the event threads use is freed behind them. */
static void destroy_parts(struct jc_server *server)
{
    jc_reloader_destroy(server->reloader);
    jc_probe_destroy(server->probe);
    jc_workers_destroy(server->workers);
    jc_intake_destroy(server->intake);
    jc_model_slot_destroy(server->slot);
    jc_admission_destroy(server->admission);
    jc_metrics_destroy(server->metrics);
    jc_policy_stop(server);
}

void jc_server_destroy(struct jc_server *server)
{
    if (!server)
        return;
    /* The reloader, the workers and admission finish what they have, and so resume every suspended connection, as
     * libmicrohttpd needs before it stops; the probe's canary needs workers. */
    if (server->reloader)
        jc_reloader_finish(server->reloader);
    if (server->probe)
        jc_probe_stop(server->probe);
    if (server->workers)
        jc_workers_stop(server->workers);
    if (server->admission)
        jc_admission_finish(server->admission);
    jc_listener_stop(&server->public);
    jc_listener_stop(&server->admin);
    destroy_parts(server);
    free(server);
}

static void free_reload(struct jc_reload *reload)
{
    free(reload);
}

void jc_server_reload(struct jc_server *server)
{
    struct jc_err err;
    if (server->auth && jc_auth_reload(server->auth, &err) != JC_OK)
        jc_log_err("keys_reload_failed", &err);
    struct jc_reload *reload = calloc(1, sizeof *reload);
    if (!reload) {
        jc_log(JC_LOG_ERROR, "reload_refused", "cause", "signal", "detail", "out of memory", NULL);
        return;
    }
    reload->cause = JC_RELOAD_SIGNAL;
    reload->done = free_reload;
    jc_reloader_submit(server->reloader, reload);
}

bool jc_server_is_ready(const struct jc_server *server)
{
    return jc_server_state(server) == JC_SERVER_READY && jc_probe_passes(server->probe);
}

bool jc_server_is_live(const struct jc_server *server)
{
    uint64_t limit_ms = server->config->health.stuck_after_ms;
    return limit_ms == 0 || jc_workers_longest_ns(server->workers) <= limit_ms * JC_NS_PER_MS;
}

bool jc_server_is_held_up(struct jc_server *server)
{
    return jc_reloader_busy(server->reloader) || jc_workers_longest_ns(server->workers) > JC_NS_PER_S;
}
