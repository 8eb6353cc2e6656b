/* Sending answers. See reply.h. */
#include "server/api/reply.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "server/api/request.h"
#include "server/observe/request_log.h"
#include "server/policy/policy.h"
#include "server/server.h"
#include "server/wire/connections.h"

static void count(const struct jc_request *request, int status, size_t n_bytes, uint64_t duration_ns)
{
    struct jc_metrics *metrics = request->server->metrics;
    jc_metrics_request(metrics, request->route, status, duration_ns);
    if (request->problem.kind != JC_PROBLEM_NONE)
        jc_metrics_refused(metrics, request->problem.kind);
    jc_request_log(request, status, n_bytes, duration_ns);
}

/* Replaces the reply by the problem's document. */
static void put_problem(struct jc_request *request)
{
    struct jc_reply *reply = &request->reply;
    jc_buf_finish(&reply->body);
    reply->text = NULL;
    reply->content_type = "application/problem+json";
    reply->status = jc_problem_status(request->problem.kind);
    jc_problem_put(&request->problem, request->id, &reply->body);
}

static struct MHD_Response *create_response(struct jc_reply *reply)
{
    if (reply->text)
        return MHD_create_response_from_buffer(reply->n_text, (void *)(uintptr_t)reply->text, MHD_RESPMEM_PERSISTENT);
    size_t n = reply->body.n;
    char *body = jc_buf_take(&reply->body);
    struct MHD_Response *response = body ? MHD_create_response_from_buffer(n, body, MHD_RESPMEM_MUST_FREE) : NULL;
    if (body && !response)
        free(body);
    return response;
}

static void add_header(void *context, const char *name, const char *value)
{
    MHD_add_response_header(context, name, value);
}

enum MHD_Result jc_reply_send(struct jc_request *request)
{
    if (request->problem.kind != JC_PROBLEM_NONE)
        put_problem(request);
    struct jc_reply *reply = &request->reply;
    int status = reply->status ? reply->status : MHD_HTTP_OK;
    jc_policy_compress(request);
    size_t n_bytes = strcmp(request->method, "HEAD") == 0 ? 0 : reply->text ? reply->n_text : reply->body.n;
    struct MHD_Response *response = create_response(reply);
    if (!response)
        return MHD_NO; /* out of memory: the connection closes */
    uint64_t duration_ns = jc_clock_ns() - request->start_ns;
    jc_policy_put_headers(request, duration_ns, add_header, response);
    jc_connection_enter(request->open, JC_PHASE_SENDING); /* ended: the sending fails, which the library handles */
    enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    request->state = JC_REQUEST_ANSWERED;
    count(request, status, n_bytes, duration_ns);
    /* Not when the last byte was sent: a client that does not read must not keep a model that was swapped out. */
    jc_model_give(TAKE(request->model));
    return result;
}

void jc_reply_abandon(struct jc_request *request)
{
    request->state = JC_REQUEST_ANSWERED;
    jc_metrics_add(request->server->metrics, JC_COUNTER_CANCELLED, 1);
    count(request, 499, 0, jc_clock_ns() - request->start_ns);
}
