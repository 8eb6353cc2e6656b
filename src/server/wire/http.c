/* The libmicrohttpd adapter. See http.h. */
#include "server/wire/http.h"

#include "base/clock.h"
#include "base/parse.h"
#include "server/api/reply.h"
#include "server/api/request.h"
#include "server/api/routes.h"
#include "server/policy/accept.h"
#include "server/policy/policy.h"
#include "server/server.h"
#include "server/wire/connections.h"
#include "server/wire/intake.h"

/* A client that goes on sending a body we refused is cut off after this many times the cap. */
#define MAX_DISCARD_FACTOR 4

static struct jc_request *create_request(const struct jc_listener *listener, struct MHD_Connection *connection,
                                         const char *method, const char *path)
{
    struct jc_server *server = listener->server;
    struct jc_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->server = server;
    request->listener = listener;
    request->connection = connection;
    request->method = method;
    request->path = path;
    request->route = jc_n_routes;
    request->start_ns = jc_clock_ns();
    jc_policy_name(request);
    jc_metrics_in_flight(server->metrics, 1);
    return request;
}

/* No worker has its ticket: it was not suspended. */
void jc_http_complete(void *context, struct MHD_Connection *connection, void **request_context,
                      enum MHD_RequestTerminationCode reason)
{
    (void)connection;
    const struct jc_listener *listener = context;
    struct jc_request *request = *request_context;
    if (!request)
        return;
    jc_intake_complete(request, reason == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    *request_context = NULL;
    if (request->state == JC_REQUEST_WAITING)
        jc_reply_abandon(request);
    jc_buf_finish(&request->body);
    jc_buf_finish(&request->reply.body);
    jc_classify_finish(&request->classify);
    jc_buf_finish(&request->titles);
    jc_model_give(request->model);
    free(request->reload);
    free(request);
    jc_metrics_in_flight(listener->server->metrics, -1);
}

static jc_code fail_too_large(struct jc_request *request)
{
    return jc_problem_set(&request->problem, JC_PROBLEM_BODY_TOO_LARGE, NULL, "The limit is %ju bytes.",
                          (uintmax_t)request->server->config->limits.body_bytes);
}

/* 0 where none is announced; UINT64_MAX stands for all that 64 bits do not hold. */
static uint64_t announced_length(const struct jc_request *request)
{
    struct jc_err err;
    uint64_t length = 0;
    const char *text = jc_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text && jc_parse_u64(text, &length, &err) != JC_OK ? UINT64_MAX : length;
}

static jc_code check_body_headers(struct jc_request *request)
{
    const char *type = jc_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (!type || !jc_media_type_is(type, "application/json"))
        return jc_problem_set(&request->problem, JC_PROBLEM_UNSUPPORTED_TYPE, NULL,
                              "Send Content-Type: application/json.");
    if (jc_request_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING))
        return jc_problem_set(&request->problem, JC_PROBLEM_UNSUPPORTED_TYPE, NULL,
                              "Content-Encoding is not supported.");
    return JC_OK;
}

/* What can be refused from the headers alone, before a byte of the body is read. */
static jc_code check_headers(struct jc_request *request)
{
    bool path_exists;
    unsigned offers = request->listener->offers;
    request->route = jc_route_find(offers, request->method, request->path, &path_exists);
    if (!path_exists)
        return jc_problem_set(&request->problem, JC_PROBLEM_NOT_FOUND, NULL, "There is nothing at %s.", request->path);
    if (request->route == jc_n_routes) {
        request->reply.allow = jc_route_allow(offers, request->path);
        return jc_problem_set(&request->problem, JC_PROBLEM_METHOD_NOT_ALLOWED, NULL,
                              "%s does not take %s; it takes %s.", request->path, request->method,
                              request->reply.allow);
    }
    const struct jc_route *route = &jc_routes[request->route];
    jc_code code = jc_policy_authenticate(request);
    if (code)
        return code;
    const char *accept = jc_request_header(request, MHD_HTTP_HEADER_ACCEPT);
    if (accept && route->produces && !jc_accept_allows(accept, route->produces))
        return jc_problem_set(&request->problem, JC_PROBLEM_NOT_ACCEPTABLE, NULL, "This resource is %s.",
                              route->produces);
    if (announced_length(request) > request->server->config->limits.body_bytes)
        return fail_too_large(request); /* also where nobody would read it */
    return route->has_body ? check_body_headers(request) : JC_OK;
}

/* Returns MHD_NO to close the connection of a client that will not stop sending. */
static enum MHD_Result take_body(struct jc_request *request, const char *data, size_t n)
{
    size_t cap = request->server->config->limits.body_bytes;
    bool wanted = request->problem.kind == JC_PROBLEM_NONE && jc_routes[request->route].has_body;
    if (wanted && n <= cap - request->body.n) {
        jc_buf_put(&request->body, data, n);
        if (!request->body.failed)
            return MHD_YES;
        (void)jc_problem_set_nomem(&request->problem);
    } else if (wanted) {
        fail_too_large(request);
    }
    jc_buf_finish(&request->body);
    request->n_discarded += n;
    return request->n_discarded > cap * MAX_DISCARD_FACTOR ? MHD_NO : MHD_YES;
}

/*
 * An answer before the body is read makes libmicrohttpd close, and what the client is still sending then resets the
 * connection, often before the answer is read. So a body is discarded first, unless it is too long for that or the
 * client waits for our word before it sends.
 */
static bool answers_at_once(const struct jc_request *request)
{
    uint64_t most = request->server->config->limits.body_bytes * MAX_DISCARD_FACTOR;
    return jc_request_header(request, MHD_HTTP_HEADER_EXPECT) || announced_length(request) > most;
}

int jc_request_socket(const struct jc_request *request)
{
    return MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

void jc_request_suspend(struct jc_request *request)
{
    request->state = JC_REQUEST_WAITING;
    MHD_suspend_connection(request->connection);
}

void jc_request_resume(const struct jc_request *request)
{
    MHD_resume_connection(request->connection);
}

static enum MHD_Result begin_later(struct jc_request *request)
{
    return request->later->begin(request) ? MHD_YES : jc_reply_send(request);
}

static enum MHD_Result end_later(struct jc_request *request)
{
    bool left = request->later->answer(request) == JC_E_CANCELLED && request->problem.kind == JC_PROBLEM_NONE;
    return left ? MHD_NO : jc_reply_send(request); /* MHD_NO: jc_http_complete counts it */
}

/*
 * The whole request is here: from now on none of its client's deadlines counts. One that has to wait is suspended not in
 * this call but in the next, which comes at once: a connection suspended here would be read first of all when it
 * resumes, and closed unanswered where the client has said that it will send no more. Where the final call was left
 * without an answer, libmicrohttpd does not read.
 */
static enum MHD_Result dispatch(struct jc_request *request)
{
    if (!jc_connection_enter(request->open, JC_PHASE_WORKING))
        return MHD_NO;
    if (request->problem.kind == JC_PROBLEM_NONE) {
        jc_code code = jc_routes[request->route].handle(request);
        if (code == JC_OK && request->later) {
            request->state = JC_REQUEST_READY;
            return MHD_YES;
        }
    }
    return jc_reply_send(request);
}

enum MHD_Result jc_http_access(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *data, size_t *n_data, void **request_context)
{
    struct jc_request *request = *request_context;
    if (!request) {
        *request_context = request = create_request(context, connection, method, url);
        if (!request || !jc_intake_begin(request))
            return MHD_NO;
        if (jc_intake_check(request, version))
            return jc_reply_send(request); /* with its body unread: where it would end is the question */
        jc_code code = jc_intake_admit(request);
        if (!code)
            code = check_headers(request);
        return code && answers_at_once(request) ? jc_reply_send(request) : MHD_YES;
    }
    if (*n_data) {
        enum MHD_Result result = take_body(request, data, *n_data);
        *n_data = 0;
        return result;
    }
    if (request->state == JC_REQUEST_READING)
        return dispatch(request);
    if (request->state == JC_REQUEST_READY)
        return begin_later(request);
    if (request->state == JC_REQUEST_WAITING)
        return end_later(request);
    return MHD_YES;
}
