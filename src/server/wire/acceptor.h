/*
 * Accepts the connections of one listening socket, on a thread of its own. libmicrohttpd's event threads could, but out
 * of descriptors they call accept again and again, and MHD_quiesce_daemon, which stops them from accepting, races with
 * them for the removal of the socket from their event queues: who comes second ends the process.
 *
 * It counts what is open, and does not accept while that is `most_open`: one more waits in the system's queue. Where the
 * system has no descriptor or memory for a connection, it tries again when one has closed, or a little later.
 *
 * Threads: jc_acceptor_closed and jc_acceptor_open from any; the rest from one.
 */
#ifndef JC_SERVER_WIRE_ACCEPTOR_H
#define JC_SERVER_WIRE_ACCEPTOR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

struct jc_acceptor;

struct jc_acceptor_options {
    int fd; /* listens, does not block; the acceptor's when it has been created */
    unsigned most_open;
    /* Owns a connection's socket, which does not block, from here on. False: it has closed it, and that is all. Called by
     * the acceptor's thread. */
    bool (*take)(void *context, int fd, const struct sockaddr *address, socklen_t n_address);
    void *context;
};

/* Accepts nothing before it is started. Errors: NOMEM, IO. */
JC_MUST_CHECK jc_code jc_acceptor_create(const struct jc_acceptor_options *options, struct jc_acceptor **ret_acceptor,
                                         struct jc_err *err);

/* Stops first. */
void jc_acceptor_destroy(struct jc_acceptor *acceptor);

/* Once. Errors: IO. */
JC_MUST_CHECK jc_code jc_acceptor_start(struct jc_acceptor *acceptor, struct jc_err *err);

/* How many are open of those that were taken. */
unsigned jc_acceptor_open(struct jc_acceptor *acceptor);

/* One that was taken is closed, or all but. */
void jc_acceptor_closed(struct jc_acceptor *acceptor);

/* Takes what waits in the queue and still fits: those clients think that they are connected, and may have sent a request,
 * which the end of the listening socket would answer with a reset. Then closes that socket; nothing is taken from then
 * on. A second time: nothing. */
void jc_acceptor_stop(struct jc_acceptor *acceptor);

#endif
