/*
 * Metrics, in the Prometheus text format. The ONE table of them is in metrics.c. Counting is wait-free (relaxed
 * atomics). Threads: any.
 */
#ifndef JC_SERVER_OBSERVE_METRICS_H
#define JC_SERVER_OBSERVE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "server/api/problem.h"

enum jc_counter {
    JC_COUNTER_TITLES,        /* titles classified */
    JC_COUNTER_TITLES_UNIQUE, /* of them encoded: equal titles of a batch are encoded once */
    JC_COUNTER_TOKENS,        /* tokens encoded */
    JC_COUNTER_EMPTY_TEXTS,   /* postings without usable text */
    JC_COUNTER_CANCELLED,     /* requests whose client left before the answer */
    JC_COUNTER_BATCH_FAILURES,
    JC_COUNTER_CACHE_HITS,   /* titles answered from the cache */
    JC_COUNTER_CACHE_MISSES, /* titles queued to be computed */
    JC_COUNTER_CACHE_SHARED, /* titles that waited for an equal one under way */
    JC_COUNTER_CACHE_EVICTIONS,
    JC_COUNTER_RELOADS_CHANGED,   /* reloads, after the first load: another model serves */
    JC_COUNTER_RELOADS_UNCHANGED, /* ... the same content */
    JC_COUNTER_RELOADS_REFUSED,   /* ... the bundle was not good */
    JC_N_COUNTERS
};

/* Why a connection ended. */
enum jc_closed {
    JC_CLOSED_NORMALLY, /* by the client, or after an answer that said so */
    JC_CLOSED_IDLE_TIMEOUT,
    JC_CLOSED_HEADER_TIMEOUT,
    JC_CLOSED_BODY_TIMEOUT,
    JC_CLOSED_SEND_TIMEOUT,
    JC_CLOSED_PER_ADDRESS, /* one too many of its address */
    JC_CLOSED_DRAIN,       /* idle when the server stopped accepting */
    JC_N_CLOSED
};

enum jc_histogram {
    JC_HISTOGRAM_BATCH_TITLES,     /* titles a batch */
    JC_HISTOGRAM_BATCH_TOKENS,     /* tokens a batch */
    JC_HISTOGRAM_PARSE_SECONDS,    /* a classify request */
    JC_HISTOGRAM_TOKENIZE_SECONDS, /* its postings */
    JC_HISTOGRAM_QUEUE_SECONDS,    /* from the push of a request to the take of a title */
    JC_HISTOGRAM_ENCODE_SECONDS,   /* a batch */
    JC_HISTOGRAM_SCORE_SECONDS,    /* a batch */
    JC_HISTOGRAM_ANSWER_SECONDS,   /* writing a classification's JSON */
    JC_N_HISTOGRAMS
};

struct jc_metrics;

/* n_routes: how many rows the route table has; row n_routes stands for requests that match none. */
JC_MUST_CHECK jc_code jc_metrics_create(size_t n_routes, struct jc_metrics **ret_metrics, struct jc_err *err);
void jc_metrics_destroy(struct jc_metrics *metrics);
JC_DEFINE_AUTO(jc_metrics)

void jc_metrics_add(struct jc_metrics *metrics, enum jc_counter counter, uint64_t n);
uint64_t jc_metrics_counter(const struct jc_metrics *metrics, enum jc_counter counter);

/* value: in the histogram's unit (titles, tokens, or nanoseconds for the ..._SECONDS ones). */
void jc_metrics_observe(struct jc_metrics *metrics, enum jc_histogram histogram, uint64_t value);

/* An answered request. */
void jc_metrics_request(struct jc_metrics *metrics, size_t route, int status, uint64_t duration_ns);

/* One that was answered before a route had it, by libmicrohttpd or the connections' thread: it counts as without a
 * route, and has no duration. */
void jc_metrics_request_unread(struct jc_metrics *metrics, int status);

/* A request that got a problem in place of what it asked for; one that was cut off before it was whole, too. */
void jc_metrics_refused(struct jc_metrics *metrics, enum jc_problem_kind why);

/* A connection that ended. */
void jc_metrics_closed(struct jc_metrics *metrics, enum jc_closed why);

/* A load of the model, good or not; `changed`: another model serves since. */
void jc_metrics_model_loaded(struct jc_metrics *metrics, bool good, bool changed);

/* Requests under way. */
void jc_metrics_in_flight(struct jc_metrics *metrics, int change);
int64_t jc_metrics_in_flight_now(const struct jc_metrics *metrics);

/* The page, but for the values that the caller has at hand (gauges, model info). route_name writes the label of
 * a row. */
void jc_metrics_put(const struct jc_metrics *metrics, void (*route_name)(size_t route, char ret_name[64]),
                    struct jc_buf *out);

/* The HELP and TYPE lines, before a metric's samples. type: counter, gauge or histogram. */
void jc_metrics_put_head(struct jc_buf *out, const char *name, const char *help, const char *type);

/* One counter or gauge with these lines. labels: "" or "{...}". */
void jc_metrics_put_counter(struct jc_buf *out, const char *name, const char *help, double value);
void jc_metrics_put_gauge(struct jc_buf *out, const char *name, const char *help, const char *labels, double value);

/* One more sample of the metric that was put last. */
void jc_metrics_put_sample(struct jc_buf *out, const char *name, const char *labels, double value);

#endif
