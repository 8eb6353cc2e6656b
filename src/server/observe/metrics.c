/* The table of metrics and their Prometheus page. See metrics.h. */
#include "server/observe/metrics.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define MAX_BUCKETS 20

static const struct {
    const char *name, *help;
    const char *labels; /* "" or "{...}"; rows of one name stand together, and the first alone has the help */
} counters[JC_N_COUNTERS] = {
    [JC_COUNTER_TITLES] = {"jobcode_titles_total", "Titles classified, those of the health canary included.", ""},
    [JC_COUNTER_TITLES_UNIQUE] = {"jobcode_titles_encoded_total",
                                  "Titles encoded; equal titles of a batch are encoded once.", ""},
    [JC_COUNTER_TOKENS] = {"jobcode_tokens_total", "Tokens encoded.", ""},
    [JC_COUNTER_EMPTY_TEXTS] = {"jobcode_empty_texts_total", "Postings without usable text.", ""},
    [JC_COUNTER_CANCELLED] = {"jobcode_requests_cancelled_total", "Requests whose client left before the answer.", ""},
    [JC_COUNTER_BATCH_FAILURES] = {"jobcode_batch_failures_total", "Batches that failed and were run title by title.",
                                   ""},
    [JC_COUNTER_CACHE_HITS] = {"jobcode_cache_hits_total", "Titles answered from the result cache.", ""},
    [JC_COUNTER_CACHE_MISSES] = {"jobcode_cache_misses_total", "Titles that were not in the result cache.", ""},
    [JC_COUNTER_CACHE_SHARED] = {"jobcode_cache_shared_total",
                                 "Titles that were not computed but got the answer of an equal one under way.", ""},
    [JC_COUNTER_CACHE_EVICTIONS] = {"jobcode_cache_evictions_total", "Answers the result cache made room with.", ""},
    [JC_COUNTER_RELOADS_CHANGED] = {"jobcode_model_reloads_total", "Reloads of the model, by what came of them.",
                                    "{result=\"changed\"}"},
    [JC_COUNTER_RELOADS_UNCHANGED] = {"jobcode_model_reloads_total", NULL, "{result=\"unchanged\"}"},
    [JC_COUNTER_RELOADS_REFUSED] = {"jobcode_model_reloads_total", NULL, "{result=\"refused\"}"},
};

/* Labels of jobcode_http_connections_closed_total. */
static const char *const closed[JC_N_CLOSED] = {
    [JC_CLOSED_NORMALLY] = "normal",
    [JC_CLOSED_IDLE_TIMEOUT] = "idle_timeout",
    [JC_CLOSED_HEADER_TIMEOUT] = "header_timeout",
    [JC_CLOSED_BODY_TIMEOUT] = "body_timeout",
    [JC_CLOSED_SEND_TIMEOUT] = "send_timeout",
    [JC_CLOSED_PER_ADDRESS] = "per_address",
    [JC_CLOSED_DRAIN] = "drain",
};

struct histogram_row {
    const char *name, *help;
    double unit; /* what one counted unit is in the exposed unit: 1e-9 for nanoseconds shown as seconds */
    size_t n_buckets;
    double buckets[MAX_BUCKETS]; /* upper bounds, exposed unit */
};

#define SECONDS 1e-9
#define LATENCY_BUCKETS                                                                         \
    17,                                                                                         \
    {                                                                                           \
        .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30 \
    }

static const struct histogram_row histograms[JC_N_HISTOGRAMS] = {
    [JC_HISTOGRAM_BATCH_TITLES] =
        {"jobcode_batch_titles", "Titles in a batch.", 1, 10, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}},
    [JC_HISTOGRAM_BATCH_TOKENS] = {"jobcode_batch_tokens",
                                   "Tokens in a batch.",
                                   1,
                                   13,
                                   {8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768}},
    [JC_HISTOGRAM_PARSE_SECONDS] = {"jobcode_parse_seconds", "Time to parse a classify request.", SECONDS,
                                    LATENCY_BUCKETS},
    [JC_HISTOGRAM_TOKENIZE_SECONDS] = {"jobcode_tokenize_seconds", "Time to clean and tokenise a request's postings.",
                                       SECONDS, LATENCY_BUCKETS},
    [JC_HISTOGRAM_QUEUE_SECONDS] = {"jobcode_queue_seconds", "Time a title waits for a worker.", SECONDS,
                                    LATENCY_BUCKETS},
    [JC_HISTOGRAM_ENCODE_SECONDS] = {"jobcode_encode_seconds", "Time to encode a batch.", SECONDS, LATENCY_BUCKETS},
    [JC_HISTOGRAM_SCORE_SECONDS] = {"jobcode_score_seconds", "Time to score and rank a batch.", SECONDS,
                                    LATENCY_BUCKETS},
    [JC_HISTOGRAM_ANSWER_SECONDS] = {"jobcode_answer_seconds", "Time to write the JSON of a classification.", SECONDS,
                                     LATENCY_BUCKETS},
};
static const struct histogram_row request_histogram = {
    "jobcode_http_request_duration_seconds", "Time from a request's headers to its answer.", SECONDS, LATENCY_BUCKETS};

/* Statuses this server and libmicrohttpd send, and nginx's 499: not sent, the client left. The last counts any other. */
static const int statuses[] = {200, 204, 304, 400, 401, 404, 405, 406, 408, 409, 413,
                               414, 415, 422, 429, 431, 499, 500, 503, 504, 505, 0};

struct histogram {
    _Atomic uint64_t counts[MAX_BUCKETS + 1]; /* not cumulative; the last is +Inf */
    _Atomic uint64_t sum;                     /* counted units */
};

struct route {
    _Atomic uint64_t requests[JC_COUNT(statuses)];
    struct histogram duration;
};

struct jc_metrics {
    _Atomic uint64_t counters[JC_N_COUNTERS];
    struct histogram histograms[JC_N_HISTOGRAMS];
    _Atomic uint64_t refused[JC_N_PROBLEMS];
    _Atomic uint64_t closed[JC_N_CLOSED];
    _Atomic int64_t in_flight;
    _Atomic uint64_t load_refused;   /* 1 where the last load of a model was */
    _Atomic uint64_t model_loaded_s; /* when the model that serves was loaded, Unix time; 0 = none yet */
    size_t n_routes;                 /* with the row for "none" */
    struct route routes[];
};

jc_code jc_metrics_create(size_t n_routes, struct jc_metrics **ret_metrics, struct jc_err *err)
{
    struct jc_metrics *metrics = calloc(1, sizeof *metrics + (n_routes + 1) * sizeof metrics->routes[0]);
    if (!metrics)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    metrics->n_routes = n_routes + 1;
    *ret_metrics = metrics;
    return JC_OK;
}

void jc_metrics_destroy(struct jc_metrics *metrics)
{
    free(metrics);
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void observe(struct histogram *histogram, const struct histogram_row *row, uint64_t value)
{
    size_t bucket = 0;
    while (bucket < row->n_buckets && (double)value * row->unit > row->buckets[bucket])
        bucket++;
    add(&histogram->counts[bucket], 1);
    add(&histogram->sum, value);
}

void jc_metrics_add(struct jc_metrics *metrics, enum jc_counter counter, uint64_t n)
{
    add(&metrics->counters[counter], n);
}

uint64_t jc_metrics_counter(const struct jc_metrics *metrics, enum jc_counter counter)
{
    return load(&metrics->counters[counter]);
}

void jc_metrics_observe(struct jc_metrics *metrics, enum jc_histogram histogram, uint64_t value)
{
    observe(&metrics->histograms[histogram], &histograms[histogram], value);
}

static void count_request(struct route *route, int status)
{
    size_t i = 0;
    while (statuses[i] && statuses[i] != status)
        i++;
    add(&route->requests[i], 1);
}

void jc_metrics_request(struct jc_metrics *metrics, size_t route, int status, uint64_t duration_ns)
{
    count_request(&metrics->routes[route], status);
    observe(&metrics->routes[route].duration, &request_histogram, duration_ns);
}

void jc_metrics_request_unread(struct jc_metrics *metrics, int status)
{
    count_request(&metrics->routes[metrics->n_routes - 1], status);
}

void jc_metrics_refused(struct jc_metrics *metrics, enum jc_problem_kind why)
{
    add(&metrics->refused[why], 1);
}

void jc_metrics_closed(struct jc_metrics *metrics, enum jc_closed why)
{
    add(&metrics->closed[why], 1);
}

void jc_metrics_in_flight(struct jc_metrics *metrics, int change)
{
    atomic_fetch_add(&metrics->in_flight, change);
}

int64_t jc_metrics_in_flight_now(const struct jc_metrics *metrics)
{
    return atomic_load(&metrics->in_flight);
}

void jc_metrics_model_loaded(struct jc_metrics *metrics, bool good, bool changed)
{
    atomic_store_explicit(&metrics->load_refused, !good, memory_order_relaxed);
    if (changed)
        atomic_store_explicit(&metrics->model_loaded_s, (uint64_t)time(NULL), memory_order_relaxed);
}

void jc_metrics_put_head(struct jc_buf *out, const char *name, const char *help, const char *type)
{
    jc_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* labels: "" or "route=\"x\"," */
static void put_histogram(struct jc_buf *out, const struct histogram_row *row, const struct histogram *histogram,
                          const char *labels)
{
    uint64_t total = 0;
    for (size_t i = 0; i < row->n_buckets; i++) {
        total += load(&histogram->counts[i]);
        jc_buf_printf(out, "%s_bucket{%sle=\"%g\"} %ju\n", row->name, labels, row->buckets[i], (uintmax_t)total);
    }
    total += load(&histogram->counts[row->n_buckets]);
    int n = (int)strlen(labels);
    const char *open = n ? "{" : "", *close = n ? "}" : "";
    n -= n > 0; /* without the comma */
    jc_buf_printf(out, "%s_bucket{%sle=\"+Inf\"} %ju\n", row->name, labels, (uintmax_t)total);
    jc_buf_printf(out, "%s_sum%s%.*s%s %.9g\n", row->name, open, n, labels, close,
                  (double)load(&histogram->sum) * row->unit);
    jc_buf_printf(out, "%s_count%s%.*s%s %ju\n", row->name, open, n, labels, close, (uintmax_t)total);
}

static void put_requests(const struct jc_metrics *metrics, void (*route_name)(size_t route, char ret_name[64]),
                         struct jc_buf *out)
{
    jc_metrics_put_head(out, "jobcode_http_requests_total", "Requests answered, by route and status.", "counter");
    for (size_t r = 0; r < metrics->n_routes; r++) {
        char name[64];
        route_name(r, name);
        for (size_t s = 0; s < JC_COUNT(statuses); s++) {
            uint64_t n = load(&metrics->routes[r].requests[s]);
            if (n)
                jc_buf_printf(out, "jobcode_http_requests_total{route=\"%s\",code=\"%d\"} %ju\n", name, statuses[s],
                              (uintmax_t)n);
        }
    }
    jc_metrics_put_head(out, request_histogram.name, request_histogram.help, "histogram");
    for (size_t r = 0; r < metrics->n_routes; r++) {
        char name[64], labels[96];
        route_name(r, name);
        snprintf(labels, sizeof labels, "route=\"%s\",", name);
        put_histogram(out, &request_histogram, &metrics->routes[r].duration, labels);
    }
}

/* Every reason from the start on: an increase from nothing to one is seen by rate(), a series that begins at one is
 * not. */
static void put_refused(const struct jc_metrics *metrics, struct jc_buf *out)
{
    jc_metrics_put_head(out, "jobcode_requests_refused_total", "Requests answered with a problem, by its code.",
                        "counter");
    for (enum jc_problem_kind i = JC_PROBLEM_NONE + 1; i < JC_N_PROBLEMS; i++)
        jc_buf_printf(out, "jobcode_requests_refused_total{reason=\"%s\"} %ju\n", jc_problem_code(i),
                      (uintmax_t)load(&metrics->refused[i]));
}

static void put_closed(const struct jc_metrics *metrics, struct jc_buf *out)
{
    jc_metrics_put_head(out, "jobcode_http_connections_closed_total", "Connections ended, by reason.", "counter");
    for (size_t i = 0; i < JC_N_CLOSED; i++)
        jc_buf_printf(out, "jobcode_http_connections_closed_total{reason=\"%s\"} %ju\n", closed[i],
                      (uintmax_t)load(&metrics->closed[i]));
}

void jc_metrics_put(const struct jc_metrics *metrics, void (*route_name)(size_t route, char ret_name[64]),
                    struct jc_buf *out)
{
    put_requests(metrics, route_name, out);
    put_refused(metrics, out);
    put_closed(metrics, out);
    for (size_t i = 0; i < JC_N_COUNTERS; i++) {
        if (counters[i].help)
            jc_metrics_put_head(out, counters[i].name, counters[i].help, "counter");
        jc_buf_printf(out, "%s%s %ju\n", counters[i].name, counters[i].labels, (uintmax_t)load(&metrics->counters[i]));
    }
    for (size_t i = 0; i < JC_N_HISTOGRAMS; i++) {
        jc_metrics_put_head(out, histograms[i].name, histograms[i].help, "histogram");
        put_histogram(out, &histograms[i], &metrics->histograms[i], "");
    }
    jc_metrics_put_gauge(out, "jobcode_model_last_load_successful", "0 where the last load of a model was refused.", "",
                         load(&metrics->load_refused) ? 0 : 1);
    jc_metrics_put_gauge(out, "jobcode_model_loaded_timestamp_seconds",
                         "When the model that serves was loaded, in Unix time; 0 before the first.", "",
                         (double)load(&metrics->model_loaded_s));
}

void jc_metrics_put_sample(struct jc_buf *out, const char *name, const char *labels, double value)
{
    jc_buf_printf(out, "%s%s %.15g\n", name, labels, value);
}

void jc_metrics_put_counter(struct jc_buf *out, const char *name, const char *help, double value)
{
    jc_metrics_put_head(out, name, help, "counter");
    jc_metrics_put_sample(out, name, "", value);
}

void jc_metrics_put_gauge(struct jc_buf *out, const char *name, const char *help, const char *labels, double value)
{
    jc_metrics_put_head(out, name, help, "gauge");
    jc_metrics_put_sample(out, name, labels, value);
}
