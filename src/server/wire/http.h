/* The libmicrohttpd adapter: from its callbacks to endpoints and back. Beside it only listener.c (sockets and the
 * daemon), intake.c (connections, what a request must pass first), request.c and reply.c call the library. */
#ifndef JC_SERVER_WIRE_HTTP_H
#define JC_SERVER_WIRE_HTTP_H

#include <microhttpd.h>

/* For MHD_start_daemon, as the handler of requests; the context is the struct jc_listener. */
enum MHD_Result jc_http_access(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *data, size_t *n_data, void **request_context);

/* For MHD_OPTION_NOTIFY_COMPLETED: libmicrohttpd is done with a request, however it ended. */
void jc_http_complete(void *context, struct MHD_Connection *connection, void **request_context,
                      enum MHD_RequestTerminationCode reason);

#endif
