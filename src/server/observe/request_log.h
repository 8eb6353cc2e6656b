/* The log line of a request. */
#ifndef JC_SERVER_OBSERVE_REQUEST_LOG_H
#define JC_SERVER_OBSERVE_REQUEST_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "server/wire/client_address.h"
#include "text/posting.h"

struct jc_request;

/* Keeps a posting's title for the line, where log.titles asks for it. */
void jc_request_log_title(struct jc_request *request, const struct jc_posting *posting);

/* One line, where log.requests asks for it: id, trace, method, path, route, status, bytes sent, titles, milliseconds
 * in all and by stage, the key's name, the client's address. What failed is always among those of log.sample; else the
 * id decides, so that services that share ids log the same requests. */
void jc_request_log(const struct jc_request *request, int status, size_t n_bytes, uint64_t duration_ns);

/* The line of what came to no whole request: too slow, or of an address that has too much open. Over TLS the status is
 * not sent. */
void jc_request_log_unread(const char *id, int status, const char *problem, const struct jc_address *client);

#endif
