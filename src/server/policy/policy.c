/* Keys, rates, names and compression of requests; the headers are in policy_headers.c. See policy.h. */
#include "server/policy/policy.h"

#include <string.h>
#include <strings.h>

#include "server/api/request.h"
#include "server/api/routes.h"
#include "server/policy/accept.h"
#include "server/policy/auth.h"
#include "server/policy/compress.h"
#include "server/policy/etag.h"
#include "server/server.h"
#include "server/wire/listener.h"
#include "server/wire/tls.h"

static jc_code load(const struct jc_server_config *config, struct jc_auth **auth, struct jc_tls **tls,
                    struct jc_err *err)
{
    const struct jc_rate rate = {.titles_per_s = config->auth.rate, .burst = config->auth.burst};
    jc_code code = JC_OK;
    if (config->auth.keys_file[0])
        code = jc_auth_create(config->auth.keys_file, &rate, auth, err);
    if (!code && config->tls.certificate[0])
        code = jc_tls_load(config->tls.certificate, config->tls.key, tls, err);
    return code;
}

jc_code jc_policy_start(struct jc_server *server, struct jc_err *err)
{
    return load(server->config, &server->auth, &server->tls, err);
}

void jc_policy_stop(struct jc_server *server)
{
    jc_auth_destroy(server->auth);
    jc_tls_destroy(server->tls);
}

jc_code jc_policy_check_files(const struct jc_server_config *config, struct jc_err *err)
{
    JC_AUTO(jc_auth) struct jc_auth *auth = NULL;
    JC_AUTO(jc_tls) struct jc_tls *tls = NULL;
    jc_code code = load(config, &auth, &tls, err);
    return code || !tls ? code : jc_listener_check_tls(config, tls, err);
}

void jc_policy_name(struct jc_request *request)
{
    jc_request_id_choose(jc_request_header(request, "X-Request-Id"), request->id);
    const char *traceparent = jc_request_header(request, "traceparent");
    /* Two of them name no trace: section 3.2 has one. */
    if (traceparent && jc_request_header_count(request, "traceparent") == 1)
        jc_trace_context_parse(traceparent, &request->trace);
}

/* "Bearer KEY" or, where there is none, X-API-Key. NULL: neither. */
static const char *find_key(const struct jc_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *authorization = jc_request_header(request, "Authorization");
    if (authorization && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0)
        return authorization + strspn(authorization + sizeof scheme - 1, " ") + sizeof scheme - 1;
    return jc_request_header(request, "X-API-Key");
}

jc_code jc_policy_authenticate(struct jc_request *request)
{
    struct jc_auth *auth = request->server->auth;
    if (!auth || !jc_routes[request->route].needs_key)
        return JC_OK;
    const char *key = find_key(request);
    if (key && jc_auth_identify(auth, key, strlen(key), request->key_name))
        return JC_OK;
    /* RFC 6750, section 3: no error code where no key was sent. */
    request->reply.authenticate =
        key ? "Bearer realm=\"jobcode\", error=\"invalid_token\"" : "Bearer realm=\"jobcode\"";
    return jc_problem_set(&request->problem, JC_PROBLEM_UNAUTHORIZED, NULL, "%s",
                          key ? "No such key." : "Send a key: Authorization: Bearer KEY, or X-API-Key: KEY.");
}

jc_code jc_policy_admit(struct jc_request *request, size_t n_titles)
{
    struct jc_auth *auth = request->server->auth;
    uint64_t wait_s;
    if (!auth || jc_auth_take(auth, request->key_name, n_titles, &wait_s))
        return JC_OK;
    const struct jc_server_config *config = request->server->config;
    jc_code code = jc_problem_set(&request->problem, JC_PROBLEM_RATE_LIMITED, NULL,
                                  "Over this key's %ju titles a second (at once: %ju).", (uintmax_t)config->auth.rate,
                                  (uintmax_t)config->auth.burst);
    request->problem.retry_after_s = (unsigned)wait_s;
    return code;
}

void jc_policy_compress(struct jc_request *request)
{
    const struct jc_server_config *config = request->server->config;
    struct jc_reply *reply = &request->reply;
    const char *data = reply->text ? reply->text : reply->body.data;
    size_t n = reply->text ? reply->n_text : reply->body.n;
    if (!config->http.compress || n < config->http.compress_min || !data || reply->body.failed)
        return;
    const char *accept = jc_request_header(request, "Accept-Encoding");
    if (!accept || !jc_accept_encoding_prefers(accept, "gzip"))
        return;
    JC_AUTO_BUF struct jc_buf compressed = {0};
    if (!jc_compress_gzip(data, n, &compressed))
        return;
    jc_buf_finish(&reply->body);
    reply->body = compressed;
    compressed = (struct jc_buf){0};
    reply->text = NULL;
    reply->encoding = "gzip";
}

void jc_policy_revalidate(struct jc_request *request)
{
    struct jc_reply *reply = &request->reply;
    const char *has = jc_request_header(request, "If-None-Match");
    if (!reply->hash || !has)
        return;
    char tag[JC_ETAG];
    jc_etag_put(reply->hash, reply->encoding, tag);
    if (!jc_etag_is_listed(has, tag))
        return;
    /* The body stays, unsent: Content-Length is that of the 200. */
    reply->status = 304;
    reply->content_type = NULL;
}
