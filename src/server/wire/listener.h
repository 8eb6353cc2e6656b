/* What the server listens on: a socket, the thread that accepts its connections, and the daemon of event threads behind
 * it. Threads: the main one. */
#ifndef JC_SERVER_WIRE_LISTENER_H
#define JC_SERVER_WIRE_LISTENER_H

#include <stddef.h>

#include "base/err.h"

struct MHD_Daemon;
struct jc_acceptor;
struct jc_server;
struct jc_server_config;
struct jc_tls;

/* An address that is listened on, and what it offers. The first part is filled by who starts it. */
struct jc_listener {
    struct jc_server *server;
    const char *key;     /* of the configuration: "http" */
    const char *address; /* IPv4 or IPv6 */
    unsigned port;       /* 0 = the system's choice; from the start on, the port it has */
    unsigned threads, connections;
    unsigned offers; /* of enum jc_route_set */

    struct jc_acceptor *acceptor; /* NULL: not started */
    struct MHD_Daemon *daemon;
};

/* Failed, it leaves what there is to jc_listener_stop. Errors: IO, INVALID (the address), UNSUPPORTED (TLS), NOMEM. */
JC_MUST_CHECK jc_code jc_listener_start(struct jc_listener *listener, struct jc_err *err);

/* Whether a listener would start with these: that they parse, and belong together. Errors: INVALID, UNSUPPORTED. */
JC_MUST_CHECK jc_code jc_listener_check_tls(const struct jc_server_config *config, const struct jc_tls *tls,
                                            struct jc_err *err);

/* How many connections it accepted are open. Not started: 0. */
size_t jc_listener_open(const struct jc_listener *listener);

/* Refuses new connections; open ones, and those that wait to be accepted and fit, go on. Not started: nothing. */
void jc_listener_stop_accepting(struct jc_listener *listener);

/* Ends the event threads and closes what is open. No connection is suspended. Not started: nothing. */
void jc_listener_stop(struct jc_listener *listener);

#endif
