/* The server's life from the first load to the last answer. See lifecycle.h. */
#include "server/life/lifecycle.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/life/signals.h"
#include "server/server.h"
#include "server/wire/intake.h"
#include "server/wire/listener.h"

/* A connection accepted at the last moment has its request still on the way: nothing may have been under way for so
 * long before the workers go. Every answer closes its connection by then, so this ends. */
#define QUIET_MS 250
#define POLL_MS 5

#define HURRY_MS 1000  /* what a second signal leaves the queue */
#define REFUSE_MS 1000 /* until what was refused in the end has left; a batch under way ends meanwhile */

const char *jc_server_state_name(enum jc_server_state state)
{
    static const char *const names[] = {[JC_SERVER_STARTING] = "starting",
                                        [JC_SERVER_READY] = "ready",
                                        [JC_SERVER_DRAINING] = "draining",
                                        [JC_SERVER_STOPPED] = "stopped"};
    return names[state];
}

enum jc_server_state jc_server_state(const struct jc_server *server)
{
    return (enum jc_server_state)atomic_load(&server->state);
}

static void enter(struct jc_server *server, enum jc_server_state state)
{
    atomic_store(&server->state, (int)state);
}

static void log_ready(struct jc_server *server, const struct jc_reload *first)
{
    char workers[24], ms[24];
    snprintf(workers, sizeof workers, "%zu", server->n_workers);
    snprintf(ms, sizeof ms, "%ju", (uintmax_t)first->load_ms);
    jc_log(JC_LOG_INFO, "ready", "model", first->version, "workers", workers, "ms", ms, NULL);
}

static void note_loaded(struct jc_reload *reload)
{
    (void)reload;
    jc_signals_post(JC_WISH_LOOK);
}

/* Returns with the state READY, or DRAINING where it was told to stop before. */
static jc_code start(struct jc_server *server, struct jc_err *err)
{
    server->first_load = (struct jc_reload){.cause = JC_RELOAD_START, .done = note_loaded};
    jc_reloader_submit(server->reloader, &server->first_load);
    bool reload = false;
    enum jc_wish wish;
    while ((wish = jc_signals_wait(JC_SIGNALS_FOREVER)) != JC_WISH_LOOK) {
        if (wish == JC_WISH_STOP)
            return JC_OK;
        reload |= wish == JC_WISH_RELOAD;
    }
    if (server->first_load.err.code) {
        *err = server->first_load.err;
        return err->code;
    }
    enter(server, JC_SERVER_READY);
    log_ready(server, &server->first_load);
    if (reload)
        jc_server_reload(server);
    return JC_OK;
}

/* Sleeps, unless a second signal comes. Returns whether it did. */
static bool is_hurried(uint64_t ms)
{
    uint64_t now, end = jc_clock_ns() + ms * JC_NS_PER_MS;
    while ((now = jc_clock_ns()) < end)
        if (jc_signals_wait((end - now) / JC_NS_PER_MS + 1) == JC_WISH_STOP)
            return true;
    return false;
}

/* Whether a connection was accepted and is not known to its event thread, or holds bytes that it has not read: on a busy
 * machine that may take a while. */
static bool is_behind(struct jc_server *server)
{
    struct jc_connections *connections = jc_intake_connections(server->intake);
    size_t n_accepted = jc_listener_open(&server->public) + jc_listener_open(&server->admin);
    return n_accepted > jc_connections_open(connections) || jc_connections_unread(connections);
}

/* Waits until nothing has been under way for quiet_ms, or the time is up. Returns whether nothing is; a second signal shortens
 * the time. */
static bool wait_until_quiet(struct jc_server *server, uint64_t quiet_ms, uint64_t timeout_ms)
{
    const uint64_t start = jc_clock_ns();
    uint64_t end = start + timeout_ms * JC_NS_PER_MS, quiet_since = start;
    for (;;) {
        bool hurried = is_hurried(POLL_MS);
        uint64_t now = jc_clock_ns();
        bool is_quiet = jc_metrics_in_flight_now(server->metrics) == 0;
        if (is_quiet && now - quiet_since >= quiet_ms * JC_NS_PER_MS) {
            is_quiet = !is_behind(server);
            if (is_quiet)
                return true;
        }
        if (!is_quiet)
            quiet_since = now;
        if (now >= end)
            return is_quiet;
        if (hurried && now + HURRY_MS * JC_NS_PER_MS < end) {
            end = now + HURRY_MS * JC_NS_PER_MS;
            jc_intake_drain(server->intake, 0);
        }
    }
}

static bool drain(struct jc_server *server, bool is_lost)
{
    const struct jc_server_config *config = server->config;
    bool was_ready = jc_server_state(server) == JC_SERVER_READY;
    enter(server, JC_SERVER_DRAINING);
    jc_log(JC_LOG_INFO, "draining", "signal", is_lost ? "none: a device is lost" : strsignal(jc_signals_last()), NULL);
    jc_reloader_stop(server->reloader);
    jc_intake_drain(server->intake, was_ready ? config->shutdown.grace_ms : 0);

    /* Before READY no balancer sent anything. */
    bool hurried = was_ready && is_hurried(config->shutdown.grace_ms);
    uint64_t timeout_ms = config->shutdown.timeout_ms;
    if (hurried && timeout_ms > HURRY_MS)
        timeout_ms = HURRY_MS;
    if (hurried)
        jc_intake_drain(server->intake, 0);
    jc_listener_stop_accepting(&server->public);
    jc_listener_stop_accepting(&server->admin);
    jc_connections_end_idle(jc_intake_connections(server->intake));
    if (wait_until_quiet(server, QUIET_MS, timeout_ms))
        return true;
    jc_admission_cancel(server->admission);
    (void)wait_until_quiet(server, 0, REFUSE_MS);
    return false;
}

jc_code jc_lifecycle_run(struct jc_server *server, bool *ret_clean, struct jc_err *err)
{
    jc_code code = start(server, err);
    if (code)
        return code;
    bool is_lost = false;
    if (jc_server_state(server) == JC_SERVER_READY)
        for (enum jc_wish wish; !is_lost && (wish = jc_signals_wait(JC_SIGNALS_FOREVER)) != JC_WISH_STOP;) {
            if (wish == JC_WISH_RELOAD)
                jc_server_reload(server);
            is_lost = wish == JC_WISH_LEAVE;
        }
    bool answered = drain(server, is_lost);
    enter(server, JC_SERVER_STOPPED);
    jc_log(answered ? JC_LOG_INFO : JC_LOG_WARN, "stopped", "unanswered", answered ? "no" : "yes", NULL);
    *ret_clean = answered && !is_lost;
    return JC_OK;
}
