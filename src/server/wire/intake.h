/*
 * What stands between libmicrohttpd and requests: it keeps the table of connections, refuses ambiguous heads, finds out
 * whose request it is, and counts by client address. http.c asks in this order:
 *   notify (a connection begins or ends), target (a request line has been read),
 *   begin, check, admit (the head has been read), complete (the request is over).
 * Threads: event threads, but for create and destroy, with the daemon stopped.
 */
#ifndef JC_SERVER_WIRE_INTAKE_H
#define JC_SERVER_WIRE_INTAKE_H

#include <microhttpd.h>
#include <stdbool.h>

#include "base/err.h"
#include "server/config.h"
#include "server/observe/metrics.h"
#include "server/wire/connections.h"

struct jc_intake;
struct jc_request;

/* Errors: INVALID (http.trusted_proxies), UNSUPPORTED (another libmicrohttpd than the header lint knows), NOMEM, IO. */
JC_MUST_CHECK jc_code jc_intake_create(const struct jc_server_config *config, struct jc_metrics *metrics,
                                       struct jc_intake **ret_intake, struct jc_err *err);
void jc_intake_destroy(struct jc_intake *intake);
JC_DEFINE_AUTO(jc_intake)

/* Lives as long as the intake. */
struct jc_connections *jc_intake_connections(struct jc_intake *intake);

/* The server takes its leave: what is not a whole request soon after the grace is cut off; a later call, with less
 * grace, makes it sooner. Threads: any. */
void jc_intake_drain(struct jc_intake *intake, uint64_t grace_ms);

/* For MHD_OPTION_NOTIFY_CONNECTION and MHD_OPTION_URI_LOG_CALLBACK; the context is the intake. The latter is called
 * before the target is decoded in place, and keeps what it learns until the head is whole. */
void jc_intake_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code);
void *jc_intake_target(void *context, const char *target, struct MHD_Connection *connection);

/* Sets request->open and ->client. False: the connection has ended, close it. */
bool jc_intake_begin(struct jc_request *request);

/* The header lint. Sets request->path to the path alone, and ->close where the request is the last. Errors: INVALID,
 * with the problem filled: answer at once. */
JC_MUST_CHECK jc_code jc_intake_check(struct jc_request *request, const char *version);

/* Counts a request that came through a trusted proxy. Errors: INVALID, with the problem filled. */
JC_MUST_CHECK jc_code jc_intake_admit(struct jc_request *request);

/* The request is over; `goes_on`: its connection is not. */
void jc_intake_complete(struct jc_request *request, bool goes_on);

#endif
