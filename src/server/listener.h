/* What the server listens on: the socket, and the daemon of event threads behind it. Threads: the one that creates the
 * server. */
#ifndef JC_SERVER_LISTENER_H
#define JC_SERVER_LISTENER_H

#include "base/err.h"

struct jc_server;

/* Listens on the configured address; server->daemon and ->port are set. Errors: IO, INVALID (the address), UNSUPPORTED
 * (TLS). */
JC_MUST_CHECK jc_code jc_listener_start(struct jc_server *server, struct jc_err *err);

/* Refuses new connections; open connections go on. */
void jc_listener_stop_accepting(struct jc_server *server);

/* Ends the event threads and closes what is open. No connection is suspended. */
void jc_listener_stop(struct jc_server *server);

#endif
