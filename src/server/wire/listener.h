/* What the server listens on: a socket, and the daemon of event threads behind it. Threads: the main one. */
#ifndef JC_SERVER_WIRE_LISTENER_H
#define JC_SERVER_WIRE_LISTENER_H

#include "base/err.h"

struct MHD_Daemon;
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

    struct MHD_Daemon *daemon; /* NULL: not started */
    int quiesced_fd;           /* the socket after it stopped accepting; -1 before */
};

/* Errors: IO, INVALID (the address), UNSUPPORTED (TLS). */
JC_MUST_CHECK jc_code jc_listener_start(struct jc_listener *listener, struct jc_err *err);

/* Whether a listener would start with these: that they parse, and belong together. Errors: INVALID, UNSUPPORTED. */
JC_MUST_CHECK jc_code jc_listener_check_tls(const struct jc_server_config *config, const struct jc_tls *tls,
                                            struct jc_err *err);

/* Refuses new connections; open ones, and those that wait to be accepted, go on. Not started: nothing. */
void jc_listener_stop_accepting(struct jc_listener *listener);

/* Ends the event threads and closes what is open. No connection is suspended. Not started: nothing. */
void jc_listener_stop(struct jc_listener *listener);

#endif
