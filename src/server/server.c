/* Putting the parts together and taking them apart in order. See server.h. */
#include "server/server.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/log.h"
#include "server/intake.h"
#include "server/listener.h"
#include "server/policy.h"
#include "server/routes.h"

static jc_code start_workers(struct jc_server *server, struct jc_err *err)
{
    const struct jc_server_config *config = server->config;
    server->n_workers = config->workers.count ? config->workers.count : jc_cpu_count();
    const struct jc_admission_config admission = {.limits = {.queue_titles = config->workers.queue_titles,
                                                             .queue_tokens = config->workers.queue_tokens,
                                                             .batch_titles = config->workers.batch_titles,
                                                             .batch_tokens = config->workers.batch_tokens,
                                                             .n_workers = server->n_workers},
                                                  .cache_bytes = config->cache.bytes,
                                                  .half_closed_left = config->requests.half_closed_left};
    jc_code code = jc_admission_create(&admission, server->metrics, &server->admission, err);
    if (code)
        return code;
    return jc_workers_start(server->classifier, server->admission, server->metrics, server->n_workers,
                            config->workers.batch_titles, &server->workers, err);
}

jc_code jc_server_create(const struct jc_server_config *config, struct jc_server **ret_server, struct jc_err *err)
{
    JC_AUTO(jc_server) struct jc_server *server = calloc(1, sizeof *server);
    if (!server)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    server->config = config;
    server->quiesced_fd = -1;
    jc_code code = jc_policy_start(server, err);
    if (code)
        return code;
    const struct jc_encoder_options options = jc_server_encoder_options(config);
    code = jc_classifier_load(config->model.folder, &options, &server->classifier, err);
    if (code)
        return jc_wrap(err, "model '%s'", config->model.folder);
    code = jc_metrics_create(jc_n_routes, &server->metrics, err);
    if (!code)
        code = start_workers(server, err);
    if (!code)
        code = jc_intake_create(config, server->metrics, &server->intake, err);
    if (!code)
        code = jc_listener_start(server, err);
    if (code)
        return code;
    atomic_store(&server->state, JC_SERVER_READY);
    *ret_server = TAKE(server);
    return JC_OK;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * JC_NS_PER_MS)};
    while (nanosleep(&left, &left) != 0)
        ;
}

/* A connection accepted at the last moment has its request still on the way: nothing may have been under way for so
 * long before the workers go. Every answer closes its connection by then, so this ends. */
#define QUIET_MS 250
#define POLL_MS 5

bool jc_server_drain(struct jc_server *server)
{
    const struct jc_server_config *config = server->config;
    atomic_store(&server->state, JC_SERVER_DRAINING);
    jc_intake_drain(server->intake, config->shutdown.grace_ms);
    sleep_ms(config->shutdown.grace_ms);
    jc_listener_stop_accepting(server);

    uint64_t deadline = jc_clock_ns() + config->shutdown.timeout_ms * JC_NS_PER_MS;
    for (uint64_t quiet_ms = 0; quiet_ms < QUIET_MS; quiet_ms += POLL_MS) {
        if (jc_metrics_in_flight_now(server->metrics) > 0)
            quiet_ms = 0;
        if (jc_clock_ns() >= deadline)
            return jc_metrics_in_flight_now(server->metrics) == 0;
        sleep_ms(POLL_MS);
    }
    return true;
}

void jc_server_destroy(struct jc_server *server)
{
    if (!server)
        return;
    atomic_store(&server->state, JC_SERVER_STOPPED);
    /* The workers finish the queue and so resume every suspended connection, as libmicrohttpd needs before it stops. */
    jc_workers_destroy(server->workers);
    jc_listener_stop(server);
    jc_intake_destroy(server->intake);
    jc_admission_destroy(server->admission);
    jc_metrics_destroy(server->metrics);
    jc_classifier_destroy(server->classifier);
    jc_policy_stop(server);
    free(server);
}
