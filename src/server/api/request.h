/*
 * A request as endpoints see it. The adapter (http.c) fills the first part, an endpoint the reply or the problem, or
 * leaves a ticket that is to be waited for. Threads: the event thread that made it; workers see only the ticket.
 */
#ifndef JC_SERVER_API_REQUEST_H
#define JC_SERVER_API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/api/classify.h"
#include "server/api/problem.h"
#include "server/observe/timing.h"
#include "server/policy/keys.h"
#include "server/policy/request_id.h"
#include "server/policy/trace_context.h"
#include "server/wire/client_address.h"

struct MHD_Connection;
struct jc_connection;
struct jc_listener;
struct jc_model;
struct jc_reload;
struct jc_request;
struct jc_server;

/* What to send. Exactly one of `body` and `text` is used. */
struct jc_reply {
    const char *content_type; /* static storage */
    struct jc_buf body;       /* handed over */
    const char *text;         /* static storage: sent without a copy where not NULL */
    size_t n_text;
    int status;                  /* 0 = 200 */
    const char *allow;           /* header of a 405 and of OPTIONS; static storage */
    const char *authenticate;    /* header of a 401; static storage */
    const char *encoding;        /* Content-Encoding; static storage, NULL = none */
    const char *hash;            /* of what may be kept and asked for again: makes its ETag; static storage */
    const char *security_policy; /* of a page, in place of an answer's that nothing is allowed; static storage */
};

enum jc_request_state {
    JC_REQUEST_READING,  /* headers seen, body arriving */
    JC_REQUEST_READY,    /* `later` begins when libmicrohttpd asks again */
    JC_REQUEST_WAITING,  /* suspended until `later` is done */
    JC_REQUEST_ANSWERED, /* reply queued */
};

/* An answer that another thread has a part in: an endpoint that wants one sets request->later and returns JC_OK. */
struct jc_later {
    /* Fills the reply or the problem and returns false; or suspends, hands the work on, and returns true: any thread
     * ends it with jc_request_resume, perhaps before this returns. */
    bool (*begin)(struct jc_request *request);
    /* Resumed: fills the reply or the problem. CANCELLED, with neither: the client left. */
    jc_code (*answer)(struct jc_request *request);
};

struct jc_request {
    struct MHD_Connection *connection;
    struct jc_server *server;
    const struct jc_listener *listener; /* that it came to */
    struct jc_connection *open;
    struct jc_address client;  /* behind trusted proxies: whom they name */
    bool is_counted;           /* under `client`, for http.connections_per_address */
    bool close;                /* the last request of its connection */
    const char *method, *path; /* live as long as the connection's request */
    size_t route;              /* row of the route table, or its length where none matched */
    char id[JC_REQUEST_ID];
    struct jc_trace_context trace;
    char key_name[JC_KEY_NAME]; /* whose API key it came with; "" = none */
    uint64_t start_ns;
    enum jc_request_state state;
    struct jc_buf body;
    size_t n_discarded; /* bytes of a body that is not wanted */

    struct jc_reply reply;
    struct jc_problem problem;
    const struct jc_later *later; /* NULL: answered at once */
    struct jc_model *model;       /* the one it began with, until it is answered; NULL: none taken */
    struct jc_classify classify;  /* the classify endpoint's own */
    struct jc_reload *reload;     /* the reload endpoint's own; freed with the request */
    struct jc_timing timing;
    struct jc_buf titles; /* for the log, where it is to have them */
};

/* Sets request->model: all of the request is to be done on that one. Errors: OVERLOADED, with the problem filled, where
 * none is loaded yet. */
JC_MUST_CHECK jc_code jc_request_take_model(struct jc_request *request);

/* The connection's socket. */
int jc_request_socket(const struct jc_request *request);

/* Suspends the connection, in jc_later.begin; its socket stays open until it is resumed. */
void jc_request_suspend(struct jc_request *request);

/* What `later` was waiting for is done. Threads: any. */
void jc_request_resume(const struct jc_request *request);

/* A header's value, or NULL. */
const char *jc_request_header(const struct jc_request *request, const char *name);

/* How often the header is there. */
size_t jc_request_header_count(const struct jc_request *request, const char *name);

/* A query parameter, decoded; NULL where it is not given. *ret_n counts bytes, which may include NULs. */
const char *jc_request_query(const struct jc_request *request, const char *name, size_t *ret_n);

/* A query parameter that is a whole number in [min, max]. Errors: INVALID, with the problem filled. */
JC_MUST_CHECK jc_code jc_request_query_count(struct jc_request *request, const char *name, uint64_t min, uint64_t max,
                                             uint64_t *value);

/* Refuses query parameters other than the given (at most 32), and one that comes twice. Errors: INVALID, with the
 * problem filled. */
JC_MUST_CHECK jc_code jc_request_query_only(struct jc_request *request, const char *const *names, size_t n_names);

#endif
