/* The table of problems, and problem+json documents. See problem.h. */
#include "server/api/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Others may be done with theirs by then. */
#define NOMEM_RETRY_S 1

static const struct {
    int status;
    const char *code;
    const char *title;
} table[JC_N_PROBLEMS] = {
    [JC_PROBLEM_NONE] = {200, "", ""},
    [JC_PROBLEM_MALFORMED_JSON] = {400, "malformed_json", "Malformed JSON"},
    [JC_PROBLEM_AMBIGUOUS_REQUEST] = {400, "ambiguous_request", "Ambiguous request"},
    [JC_PROBLEM_UNAUTHORIZED] = {401, "unauthorized", "Unauthorized"},
    [JC_PROBLEM_NOT_FOUND] = {404, "not_found", "Not found"},
    [JC_PROBLEM_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", "Method not allowed"},
    [JC_PROBLEM_NOT_ACCEPTABLE] = {406, "not_acceptable", "Not acceptable"},
    [JC_PROBLEM_REQUEST_TIMEOUT] = {408, "request_timeout", "Request timeout"},
    [JC_PROBLEM_RELOAD_REFUSED] = {409, "reload_refused", "Reload refused"},
    [JC_PROBLEM_BODY_TOO_LARGE] = {413, "body_too_large", "Request body too large"},
    [JC_PROBLEM_UNSUPPORTED_TYPE] = {415, "unsupported_media_type", "Unsupported media type"},
    [JC_PROBLEM_INVALID_MEMBER] = {422, "invalid_member", "Invalid member or parameter"},
    [JC_PROBLEM_UNKNOWN_MEMBER] = {422, "unknown_member", "Unknown member or parameter"},
    [JC_PROBLEM_TOO_MANY_POSTINGS] = {422, "too_many_postings", "Too many postings"},
    [JC_PROBLEM_TEXT_TOO_LONG] = {422, "text_too_long", "Text too long"},
    [JC_PROBLEM_EMPTY_TEXT] = {422, "empty_text", "No usable text"},
    [JC_PROBLEM_RATE_LIMITED] = {429, "rate_limited", "Too many titles"},
    [JC_PROBLEM_INTERNAL] = {500, "internal", "Internal error"},
    [JC_PROBLEM_OUT_OF_MEMORY] = {503, "out_of_memory", "Out of memory"},
    [JC_PROBLEM_OVERLOADED] = {503, "overloaded", "Overloaded"},
    [JC_PROBLEM_CONNECTION_LIMIT] = {503, "too_many_connections", "Too many connections"},
    [JC_PROBLEM_STARTING] = {503, "starting", "Starting"},
    [JC_PROBLEM_SHUTTING_DOWN] = {503, "shutting_down", "Shutting down"},
    /* As gRPC's DEADLINE_EXCEEDED maps to HTTP: told from a 503, which says that nothing was begun. */
    [JC_PROBLEM_DEADLINE] = {504, "deadline_exceeded", "Deadline exceeded"},
};

jc_code jc_problem_set(struct jc_problem *problem, enum jc_problem_kind kind, const char *pointer, const char *fmt, ...)
{
    problem->kind = kind;
    problem->retry_after_s = 0;
    snprintf(problem->pointer, sizeof problem->pointer, "%s", pointer ? pointer : "");
    va_list args;
    va_start(args, fmt);
    vsnprintf(problem->detail, sizeof problem->detail, fmt, args);
    va_end(args);
    return JC_E_INVALID;
}

jc_code jc_problem_set_nomem(struct jc_problem *problem)
{
    jc_problem_set(problem, JC_PROBLEM_OUT_OF_MEMORY, NULL, "The server is short of memory for this request.");
    problem->retry_after_s = NOMEM_RETRY_S;
    return JC_E_NOMEM;
}

static enum jc_problem_kind kind_of(jc_code code)
{
    switch (code) {
    case JC_E_INVALID:
    case JC_E_UNSUPPORTED:
        return JC_PROBLEM_INVALID_MEMBER;
    case JC_E_TOO_LARGE:
        return JC_PROBLEM_TEXT_TOO_LONG;
    case JC_E_NOT_FOUND:
        return JC_PROBLEM_NOT_FOUND;
    case JC_E_OVERLOADED:
        return JC_PROBLEM_OVERLOADED;
    case JC_E_DEADLINE:
        return JC_PROBLEM_DEADLINE;
    case JC_E_CANCELLED:
    case JC_E_DEVICE: /* which a new process may have */
        return JC_PROBLEM_SHUTTING_DOWN;
    case JC_E_NOMEM:
        return JC_PROBLEM_OUT_OF_MEMORY;
    default:
        return JC_PROBLEM_INTERNAL;
    }
}

void jc_problem_from_err(struct jc_problem *problem, const struct jc_err *err)
{
    enum jc_problem_kind kind = kind_of(err->code);
    if (kind == JC_PROBLEM_OUT_OF_MEMORY) {
        (void)jc_problem_set_nomem(problem);
        return;
    }
    jc_problem_set(problem, kind, NULL, "%s",
                   kind == JC_PROBLEM_INTERNAL ? "The server failed; its log has the request_id."
                   : err->code == JC_E_DEVICE  ? "The server lost an accelerator and starts anew."
                                               : err->text);
}

int jc_problem_status(enum jc_problem_kind kind)
{
    return table[kind].status;
}

const char *jc_problem_code(enum jc_problem_kind kind)
{
    return table[kind].code;
}

static void put_member(struct jc_buf *out, const char *name, const char *value)
{
    jc_buf_printf(out, ",\"%s\":", name);
    jc_buf_put_json(out, value, strlen(value));
}

void jc_problem_put(const struct jc_problem *problem, const char *request_id, struct jc_buf *out)
{
    jc_buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d", table[problem->kind].title,
                  table[problem->kind].status);
    put_member(out, "code", table[problem->kind].code);
    put_member(out, "detail", problem->detail);
    if (problem->pointer[0])
        put_member(out, "pointer", problem->pointer);
    put_member(out, "request_id", request_id);
    jc_buf_puts(out, "}\n");
}
