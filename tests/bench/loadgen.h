/*
 * What the load generators share: requests rendered beforehand, answers taken apart as they come, latencies.
 * Threads: one.
 */
#ifndef JC_BENCH_LOADGEN_H
#define JC_BENCH_LOADGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { JC_ANSWER_MAX_HEAD = 2048 };

/* POST /v1/classify, one after another. */
struct jc_requests {
    struct jc_buf bytes;
    size_t *starts; /* [n + 1] */
    size_t n;
};

/* Every title of the file (one a line) once, n_titles a request. `headers`: lines that each end in CRLF, or "".
 * Errors: JC_E_INVALID with too few titles for one request; as jc_file_read. */
JC_MUST_CHECK jc_code jc_requests_render(const char *path, size_t n_titles, const char *headers,
                                         struct jc_requests *requests, struct jc_err *err);
void jc_requests_finish(struct jc_requests *requests);

/* The whole request i at once: the kernel's buffers hold it, and the server reads a body before it answers. */
JC_MUST_CHECK jc_code jc_requests_send(const struct jc_requests *requests, size_t i, int fd, struct jc_err *err);

/* A blocking, undelayed connection to the loopback address, whose answers `epoll` tells of by `context`. */
JC_MUST_CHECK jc_code jc_loadgen_connect(uint16_t port, int epoll, void *context, int *ret_fd, struct jc_err *err);

struct jc_answer {
    char head[JC_ANSWER_MAX_HEAD]; /* as far as it is here */
    size_t n_head;
    bool in_body;
    size_t n_body, n_left; /* bytes of the body, and of them to come */
    unsigned status;       /* valid in the body, as the next */
    bool has_retry_after;
};

void jc_answer_begin(struct jc_answer *answer);

/* Takes what came, if anything did. *ret_complete: the answer is whole. Errors: JC_E_IO, also where the server closed;
 * JC_E_FORMAT for what is no answer with a Content-Length, or more than one answer. */
JC_MUST_CHECK jc_code jc_answer_receive(struct jc_answer *answer, int fd, bool *ret_complete, struct jc_err *err);

struct jc_latencies {
    uint32_t *ns; /* [n]; those of 4.3 s and over are cut */
    size_t n, cap;
};

JC_MUST_CHECK jc_code jc_latencies_add(struct jc_latencies *latencies, uint64_t ns, struct jc_err *err);
void jc_latencies_sort(struct jc_latencies *latencies);
/* Of sorted ones; 0 without any. */
double jc_latencies_quantile_ms(const struct jc_latencies *latencies, double q);
void jc_latencies_finish(struct jc_latencies *latencies);

/* User and system time of this process. */
double jc_loadgen_cpu_s(void);

#endif
