/* The headers of answers: those on every one (a table), those of CORS, and what the reply itself has to say. */
#include <stdio.h>
#include <string.h>

#include "server/api/request.h"
#include "server/policy/cors.h"
#include "server/policy/etag.h"
#include "server/policy/policy.h"
#include "server/server.h"

/* On every answer. */
static const struct {
    const char *name, *value;
} fixed[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},              /* GET has titles in its address */
    {"Cross-Origin-Resource-Policy", "same-origin"}, /* for what is fetched without CORS: <script>, <img> */
};

struct sink {
    jc_policy_put *put;
    void *context;
};

static void put(const struct sink *sink, const char *name, const char *value)
{
    sink->put(sink->context, name, value);
}

static void put_seconds(const struct sink *sink, const char *name, uint64_t seconds)
{
    char text[24];
    snprintf(text, sizeof text, "%ju", (uintmax_t)seconds);
    put(sink, name, text);
}

static bool is_preflight(const struct jc_request *request)
{
    return strcmp(request->method, "OPTIONS") == 0 && jc_request_header(request, "Access-Control-Request-Method");
}

static void put_cors(const struct jc_request *request, const struct sink *sink)
{
    const struct jc_server_config *config = request->server->config;
    const char *origin = jc_cors_allow_origin(&config->cors.origins, jc_request_header(request, "Origin"));
    if (!origin)
        return;
    put(sink, "Access-Control-Allow-Origin", origin);
    if (!is_preflight(request)) {
        put(sink, "Access-Control-Expose-Headers", JC_CORS_EXPOSE_HEADERS);
        return;
    }
    if (!request->reply.allow)
        return; /* there is nothing at this path */
    put(sink, "Access-Control-Allow-Methods", request->reply.allow);
    put(sink, "Access-Control-Allow-Headers", JC_CORS_ALLOW_HEADERS);
    put_seconds(sink, "Access-Control-Max-Age", config->cors.max_age_ms / 1000);
}

static void put_vary(const struct jc_server_config *config, const struct sink *sink)
{
    bool by_origin = jc_cors_varies(&config->cors.origins), by_encoding = config->http.compress;
    if (by_origin || by_encoding)
        put(sink, "Vary",
            by_origin && by_encoding ? "Origin, Accept-Encoding"
            : by_origin              ? "Origin"
                                     : "Accept-Encoding");
}

/* Kept by nobody: titles may be personal data, and /readyz must be fresh. But for our files, which change with the
 * program: kept, and asked for again each time. */
static void put_caching(const struct jc_reply *reply, const struct sink *sink)
{
    put(sink, "Cache-Control", reply->hash ? "no-cache" : "no-store");
    if (!reply->hash)
        return;
    char tag[JC_ETAG];
    jc_etag_put(reply->hash, reply->encoding, tag);
    put(sink, "ETag", tag);
}

/* A browser that is made to open an answer as a page, a script or a frame finds nothing that it may do. */
static void put_security_policy(const struct jc_reply *reply, const struct sink *sink)
{
    put(sink, "Content-Security-Policy",
        reply->security_policy ? reply->security_policy : "default-src 'none'; frame-ancestors 'none'");
}

static void put_timing(const struct jc_request *request, uint64_t duration_ns, const struct sink *sink)
{
    char text[JC_SERVER_TIMING_TEXT];
    jc_timing_put_header(&request->timing, duration_ns, text);
    put(sink, "Server-Timing", text);
}

void jc_policy_put_headers(const struct jc_request *request, uint64_t duration_ns, jc_policy_put *put_header,
                           void *context)
{
    const struct sink sink = {.put = put_header, .context = context};
    const struct jc_server_config *config = request->server->config;
    const struct jc_reply *reply = &request->reply;
    for (size_t i = 0; i < JC_COUNT(fixed); i++)
        put(&sink, fixed[i].name, fixed[i].value);
    put_caching(reply, &sink);
    put_security_policy(reply, &sink);
    if (request->server->tls)
        put(&sink, "Strict-Transport-Security", "max-age=31536000");
    put_cors(request, &sink);
    put_vary(config, &sink);
    put(&sink, "X-Request-Id", request->id);
    if (config->http.server_timing)
        put_timing(request, duration_ns, &sink);
    if (reply->content_type)
        put(&sink, "Content-Type", reply->content_type);
    if (reply->encoding)
        put(&sink, "Content-Encoding", reply->encoding);
    if (reply->allow)
        put(&sink, "Allow", reply->allow);
    if (reply->authenticate)
        put(&sink, "WWW-Authenticate", reply->authenticate);
    if (request->problem.retry_after_s)
        put_seconds(&sink, "Retry-After", request->problem.retry_after_s);
    if (request->close || jc_server_state(request->server) >= JC_SERVER_DRAINING)
        put(&sink, "Connection", "close");
}
