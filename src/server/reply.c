/* Sending answers. See reply.h. */
#include "server/reply.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/request.h"
#include "server/routes.h"
#include "server/server.h"

static void log_request(const struct jc_request *request, int status, uint64_t duration_ns)
{
    char code[12], ms[24];
    snprintf(code, sizeof code, "%d", status);
    snprintf(ms, sizeof ms, "%.3f", (double)duration_ns / (double)JC_NS_PER_MS);
    jc_log(JC_LOG_INFO, "request", "id", request->id, "method", request->method, "path", request->path, "status", code,
           "ms", ms, NULL);
}

static void count(const struct jc_request *request, int status)
{
    uint64_t duration_ns = jc_clock_ns() - request->start_ns;
    jc_metrics_request(request->server->metrics, request->route, status, duration_ns);
    if (request->server->config->log.requests)
        log_request(request, status, duration_ns);
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

static void add_headers(struct MHD_Response *response, const struct jc_request *request)
{
    const struct jc_reply *reply = &request->reply;
    MHD_add_response_header(response, "Content-Type", reply->content_type);
    MHD_add_response_header(response, "X-Request-Id", request->id);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (reply->allow)
        MHD_add_response_header(response, "Allow", reply->allow);
    if (request->problem.retry_after_s) {
        char seconds[12];
        snprintf(seconds, sizeof seconds, "%u", request->problem.retry_after_s);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    if (atomic_load(&request->server->state) != JC_SERVER_READY)
        MHD_add_response_header(response, "Connection", "close");
}

enum MHD_Result jc_reply_send(struct jc_request *request)
{
    if (request->problem.kind != JC_PROBLEM_NONE)
        put_problem(request);
    struct jc_reply *reply = &request->reply;
    int status = reply->status ? reply->status : MHD_HTTP_OK;
    struct MHD_Response *response = create_response(reply);
    if (!response)
        return MHD_NO; /* out of memory: the connection closes */
    add_headers(response, request);
    enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    request->state = JC_REQUEST_ANSWERED;
    count(request, status);
    return result;
}
