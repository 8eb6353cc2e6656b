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
    reply->hash = reply->security_policy = NULL;
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

struct draft {
    struct MHD_Response *response; /* NULL: out of memory */
    bool failed;
    size_t n_bytes; /* that will be sent of the body */
    uint64_t duration_ns;
};

static void add_header(void *context, const char *name, const char *value)
{
    struct draft *draft = context;
    draft->failed |= MHD_add_response_header(draft->response, name, value) != MHD_YES;
}

/* The problem, where one is set, or the reply, with every header or not at all: one without its Connection: close would
 * leave an ambiguous request's connection open. */
static struct draft draft_response(struct jc_request *request)
{
    struct jc_reply *reply = &request->reply;
    struct draft draft = {0};
    if (request->problem.kind != JC_PROBLEM_NONE)
        put_problem(request);
    jc_policy_compress(request);
    jc_policy_revalidate(request);
    bool is_bare = reply->status == MHD_HTTP_NOT_MODIFIED || strcmp(request->method, "HEAD") == 0;
    draft.n_bytes = is_bare ? 0 : reply->text ? reply->n_text : reply->body.n;
    draft.response = create_response(reply);
    draft.duration_ns = jc_clock_ns() - request->start_ns;
    if (!draft.response)
        return draft;
    jc_policy_put_headers(request, draft.duration_ns, add_header, &draft);
    if (draft.failed) {
        MHD_destroy_response(draft.response);
        draft.response = NULL;
    }
    return draft;
}

/* In place of an answer that there was no memory for: what it had is free by now. */
static struct draft draft_nomem(struct jc_request *request)
{
    jc_buf_finish(&request->reply.body);
    request->reply = (struct jc_reply){0};
    (void)jc_problem_set_nomem(&request->problem);
    return draft_response(request);
}

enum MHD_Result jc_reply_send(struct jc_request *request)
{
    struct draft draft = draft_response(request);
    if (!draft.response)
        draft = draft_nomem(request);
    int status = request->reply.status ? request->reply.status : MHD_HTTP_OK;
    enum MHD_Result result = MHD_NO; /* no memory even for that: the connection closes */
    if (draft.response) {
        jc_connection_enter(request->open, JC_PHASE_SENDING); /* ended: the sending fails, which the library handles */
        result = MHD_queue_response(request->connection, (unsigned)status, draft.response);
        MHD_destroy_response(draft.response);
    }
    request->state = JC_REQUEST_ANSWERED;
    count(request, status, draft.n_bytes, draft.duration_ns);
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
