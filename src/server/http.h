/* The libmicrohttpd adapter: from its callbacks to endpoints and back. The only file that calls it, but for reply.c. */
#ifndef JC_SERVER_HTTP_H
#define JC_SERVER_HTTP_H

#include "base/err.h"

struct jc_server;

/* Listens on the configured address; server->daemon and ->port are set. Errors: IO, INVALID (the address). */
JC_MUST_CHECK jc_code jc_http_start(struct jc_server *server, struct jc_err *err);

/* Refuses new connections; open connections go on. */
void jc_http_stop_accepting(struct jc_server *server);

/* Ends the event threads and closes what is open. No connection is suspended. */
void jc_http_stop(struct jc_server *server);

#endif
