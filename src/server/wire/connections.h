/*
 * The open connections and their deadlines. libmicrohttpd's own timeout sees inactivity alone, and a byte now and then
 * holds a connection for ever; here each phase of a connection has an end, counted from where the phase began:
 *
 *   IDLE     nothing of a request has arrived, on a new connection or after an answer    http.idle_timeout
 *   HEAD     the first bytes of a request, until the head is whole                       http.header_timeout
 *   BODY     until the request is whole                                                  http.body_timeout
 *   WORKING  the request is parsed, and waits for a worker: no deadline here, the queue has its own
 *   SENDING  until the answer is with the system's socket buffer                         http.send_timeout
 *
 * One thread, the reaper, looks through the table several times a second, writes a 408 where a request is cut off (the
 * answer to it has not begun, and there is no TLS), and shuts the socket down; libmicrohttpd then notices the end and
 * closes it. That bytes have arrived in IDLE it learns from the system (TCP_INFO), up to a second late: a piece of a
 * request that comes before the reaper's first look after an answer goes unnoticed, and ends with http.idle_timeout.
 *
 * Ownership: libmicrohttpd owns and closes sockets; a struct jc_connection lives from its notification of the start to
 * that of the end, which comes before the descriptor is closed. A socket is touched under the connection's lock alone,
 * and the end takes that lock too: a descriptor that is used again is never hit. Lock order: table, connection.
 * Threads: jc_connection_... from the connection's event thread; the rest from any.
 */
#ifndef JC_SERVER_WIRE_CONNECTIONS_H
#define JC_SERVER_WIRE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/api/problem.h"
#include "server/observe/metrics.h"
#include "server/policy/request_id.h"
#include "server/wire/client_address.h"

enum jc_phase { JC_PHASE_IDLE, JC_PHASE_HEAD, JC_PHASE_BODY, JC_PHASE_WORKING, JC_PHASE_SENDING, JC_N_PHASES };

struct jc_connection_limits {
    uint64_t timeout_ms[JC_N_PHASES]; /* from a phase's beginning; 0 for WORKING: none */
    bool encrypted;                   /* TLS: nothing of our own can be written into the socket */
    bool log;                         /* log.requests: what is cut off or refused here has a line, too */
};

struct jc_connections;
struct jc_connection;

/* Starts the reaper. Errors: NOMEM, IO. */
JC_MUST_CHECK jc_code jc_connections_create(const struct jc_connection_limits *limits, struct jc_metrics *metrics,
                                            struct jc_connections **ret_connections, struct jc_err *err);

/* Stops the reaper. No connection is open. */
void jc_connections_destroy(struct jc_connections *connections);
JC_DEFINE_AUTO(jc_connections)

size_t jc_connections_open(struct jc_connections *connections);

/* From now on, what is not yet a whole request, or no request at all, has this long; a later call may shorten it. */
void jc_connections_drain(struct jc_connections *connections, uint64_t within_ms);

/* Ends at once the connections that had an answer and ask for nothing. */
void jc_connections_end_idle(struct jc_connections *connections);

/* Whether a connection that has no request under way holds bytes that nobody has read: the event threads are behind. */
bool jc_connections_unread(struct jc_connections *connections);

/* A new connection, in IDLE; NULL where memory is short. */
struct jc_connection *jc_connection_create(struct jc_connections *connections, int fd,
                                           const struct jc_address *address);

/* Before the descriptor is closed. */
void jc_connection_destroy(struct jc_connection *connection);

/* Enters a phase. False: the connection was ended, and nothing more is to be done for it. */
bool jc_connection_enter(struct jc_connection *connection, enum jc_phase phase);

/* The head of a request is whole: its id, and its client (behind a proxy not the peer), are those of the 408 that may
 * come of it, until the next IDLE. */
void jc_connection_name(struct jc_connection *connection, const char id[JC_REQUEST_ID],
                        const struct jc_address *client);

/* Answers a new connection 503, whatever it asks (where it is encrypted: nothing), and ends it. */
void jc_connection_refuse(struct jc_connection *connection, enum jc_closed why);

/* The problem of who has too much open. Returns INVALID. */
jc_code jc_connections_fail_limit(struct jc_problem *problem);

const struct jc_address *jc_connection_address(const struct jc_connection *connection);

#endif
