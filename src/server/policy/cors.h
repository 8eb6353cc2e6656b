/*
 * Cross-origin requests (the Fetch standard, section 3.3): which web pages may read answers. Off where no origin is
 * configured. Credentials are never allowed, so a page sends a key in a header or not at all. Threads: any.
 */
#ifndef JC_SERVER_POLICY_CORS_H
#define JC_SERVER_POLICY_CORS_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/conf.h"

/* What a page may send, and read, besides what every page may. */
#define JC_CORS_ALLOW_HEADERS \
    "Authorization, Content-Type, X-API-Key, X-Request-Id, X-Request-Timeout-Ms, traceparent, tracestate"
#define JC_CORS_EXPOSE_HEADERS "X-Request-Id, Retry-After, Server-Timing"

/* An item of cors.origins: "*", or an origin as browsers write it ("https://app.example:8443"), else it would match
 * none: lower case, no default port, nothing behind the host. Errors: INVALID, saying what is wrong. */
JC_MUST_CHECK jc_code jc_cors_check_origin(const char *origin, struct jc_err *err);

/* The Access-Control-Allow-Origin for a request's Origin header (may be NULL): the origin itself, "*", or NULL where the
 * page may not read the answer. */
const char *jc_cors_allow_origin(const struct jc_conf_list *origins, const char *origin);

/* Whether answers differ by Origin: caches are told, on every answer. */
bool jc_cors_varies(const struct jc_conf_list *origins);

#endif
