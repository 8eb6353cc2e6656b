/*
 * The server's life, all of it: STARTING -> READY -> DRAINING -> STOPPED, and nothing else sets the state.
 *   STARTING  the listener answers probes while the first model loads; classification is refused (503 `starting`).
 *   READY     traffic.
 *   DRAINING  after SIGTERM or SIGINT: /readyz is 503 at once and every answer closes its connection; for
 *             shutdown.grace all else goes on; then the listeners close, and what was accepted is answered.
 *             A second signal is fast: no grace, and a second for the queue. What has not been answered when the time
 *             is up (shutdown.timeout, or that second) is refused with 503, not dropped.
 *   STOPPED   nothing is under way.
 * A lost device (JC_E_DEVICE) drains as SIGTERM does, what needs it being refused (503), and the run is not clean, so
 * that whoever started the program starts it again.
 * SIGHUP reloads the model in READY. Threads: run from the main one; the rest from any.
 */
#ifndef JC_SERVER_LIFE_LIFECYCLE_H
#define JC_SERVER_LIFE_LIFECYCLE_H

#include <stdbool.h>

#include "base/err.h"

struct jc_server;

enum jc_server_state { JC_SERVER_STARTING, JC_SERVER_READY, JC_SERVER_DRAINING, JC_SERVER_STOPPED, JC_N_SERVER_STATES };

/* "starting", ...: as health answers and metrics name it. Static storage. */
const char *jc_server_state_name(enum jc_server_state state);

enum jc_server_state jc_server_state(const struct jc_server *server);

/* Serves until it is told to stop, then drains. *ret_clean: everything accepted was answered, and no device lost. Errors: of the first load. */
JC_MUST_CHECK jc_code jc_lifecycle_run(struct jc_server *server, bool *ret_clean, struct jc_err *err);

#endif
