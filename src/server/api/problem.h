/*
 * What a client is told when something is wrong: application/problem+json (RFC 9457). The ONE table of problems is in
 * problem.c; it alone knows HTTP statuses. Each has a stable `code` that clients may switch on.
 */
#ifndef JC_SERVER_API_PROBLEM_H
#define JC_SERVER_API_PROBLEM_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

enum jc_problem_kind {
    JC_PROBLEM_NONE,
    JC_PROBLEM_MALFORMED_JSON,     /* 400 */
    JC_PROBLEM_AMBIGUOUS_REQUEST,  /* 400: the header lint's, and the connection closes */
    JC_PROBLEM_UNAUTHORIZED,       /* 401, with WWW-Authenticate */
    JC_PROBLEM_NOT_FOUND,          /* 404 */
    JC_PROBLEM_METHOD_NOT_ALLOWED, /* 405, with Allow */
    JC_PROBLEM_NOT_ACCEPTABLE,     /* 406 */
    JC_PROBLEM_REQUEST_TIMEOUT,    /* 408, and the connection closes */
    JC_PROBLEM_RELOAD_REFUSED,     /* 409: the new bundle is not good; the old one serves on */
    JC_PROBLEM_BODY_TOO_LARGE,     /* 413 */
    JC_PROBLEM_UNSUPPORTED_TYPE,   /* 415 */
    JC_PROBLEM_INVALID_MEMBER,     /* 422: a JSON member or query parameter of the wrong type or value */
    JC_PROBLEM_UNKNOWN_MEMBER,     /* 422 */
    JC_PROBLEM_TOO_MANY_POSTINGS,  /* 422 */
    JC_PROBLEM_TEXT_TOO_LONG,      /* 422 */
    JC_PROBLEM_EMPTY_TEXT,         /* 422 */
    JC_PROBLEM_RATE_LIMITED,       /* 429, with Retry-After */
    JC_PROBLEM_INTERNAL,           /* 500: the log knows more */
    JC_PROBLEM_OUT_OF_MEMORY,      /* 503, with Retry-After */
    JC_PROBLEM_OVERLOADED,         /* 503, with Retry-After */
    JC_PROBLEM_CONNECTION_LIMIT,   /* 503, with Retry-After */
    JC_PROBLEM_STARTING,           /* 503, with Retry-After */
    JC_PROBLEM_SHUTTING_DOWN,      /* 503, with Retry-After */
    JC_PROBLEM_DEADLINE,           /* 504, with Retry-After */
    JC_N_PROBLEMS
};

struct jc_problem {
    enum jc_problem_kind kind;
    unsigned retry_after_s; /* 0 = not said */
    char pointer[160];      /* JSON pointer (RFC 6901) to what is wrong; "" = none */
    char detail[512];
};

/* Fills *problem and returns JC_E_INVALID, so that a handler fails in one line. pointer may be NULL. */
jc_code jc_problem_set(struct jc_problem *problem, enum jc_problem_kind kind, const char *pointer, const char *fmt, ...)
    JC_PRINTF(4, 5);

/* OUT_OF_MEMORY. Returns JC_E_NOMEM. */
jc_code jc_problem_set_nomem(struct jc_problem *problem);

/* The problem for an error of the layers below. The detail of our own faults (5xx) stays in the log. */
void jc_problem_from_err(struct jc_problem *problem, const struct jc_err *err);

int jc_problem_status(enum jc_problem_kind kind);
const char *jc_problem_code(enum jc_problem_kind kind);

/* The document. */
void jc_problem_put(const struct jc_problem *problem, const char *request_id, struct jc_buf *out);

#endif
