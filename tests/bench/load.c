/*
 * The load generator of the benchmarks: N keep-alive connections, each with one request under way, on one thread.
 *     load -p PORT -f TITLES [-c CONNECTIONS] [-k TITLES_PER_REQUEST] [-s SECONDS] [-w WARM_UP_SECONDS]
 * Requests are rendered beforehand, every title of the file once before any repeats, so that it takes little of the
 * cores it shares with the server; its own CPU time is in the result: one JSON object. An answer that is not 200 ends
 * the run with status 1.
 */
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/parse.h"
#include "loadgen.h"

enum { MAX_CONNECTIONS = 1024 };

struct options {
    uint64_t port, n_connections, n_titles, seconds, warm_up_s;
    const char *titles_path;
};

struct connection {
    int fd;
    uint64_t start_ns;
    struct jc_answer answer;
};

struct load {
    struct jc_requests requests;
    size_t next; /* request to send */
    size_t n_titles;
    struct connection *connections;
    bool measuring;                /* the warm-up is over */
    struct jc_latencies latencies; /* of the answers since then */
    uint64_t n_body_bytes;
};

static jc_code send_next(struct load *load, struct connection *connection, struct jc_err *err)
{
    size_t i = load->next;
    load->next = (i + 1) % load->requests.n;
    jc_answer_begin(&connection->answer);
    connection->start_ns = jc_clock_ns();
    return jc_requests_send(&load->requests, i, connection->fd, err);
}

static jc_code note_answer(struct load *load, const struct connection *connection, struct jc_err *err)
{
    if (connection->answer.status != 200)
        return jc_fail(err, JC_E_FORMAT, "unexpected answer: %.200s", connection->answer.head);
    if (!load->measuring)
        return JC_OK;
    load->n_body_bytes += connection->answer.n_body;
    return jc_latencies_add(&load->latencies, jc_clock_ns() - connection->start_ns, err);
}

static jc_code serve_event(struct load *load, struct connection *connection, struct jc_err *err)
{
    bool complete;
    jc_code code = jc_answer_receive(&connection->answer, connection->fd, &complete, err);
    if (code || !complete)
        return code;
    code = note_answer(load, connection, err);
    return code ? code : send_next(load, connection, err);
}

static jc_code run_until(struct load *load, int epoll, uint64_t end_ns, struct jc_err *err)
{
    for (uint64_t now; (now = jc_clock_ns()) < end_ns;) {
        struct epoll_event events[MAX_CONNECTIONS];
        int n = epoll_wait(epoll, events, MAX_CONNECTIONS, (int)((end_ns - now) / JC_NS_PER_MS) + 1);
        for (int i = 0; i < n; i++) {
            jc_code code = serve_event(load, events[i].data.ptr, err);
            if (code)
                return code;
        }
    }
    return JC_OK;
}

static void report(struct load *load, double seconds, double cpu_s)
{
    size_t n = load->latencies.n;
    jc_latencies_sort(&load->latencies);
    printf("{\"requests\":%zu,\"seconds\":%.3f,\"requests_per_s\":%.1f,\"titles_per_s\":%.1f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"load_cpu_s\":%.3f,\"body_bytes\":%.0f}\n",
           n, seconds, (double)n / seconds, (double)(n * load->n_titles) / seconds,
           jc_latencies_quantile_ms(&load->latencies, .5), jc_latencies_quantile_ms(&load->latencies, .99), cpu_s,
           (double)load->n_body_bytes / (double)n);
}

static jc_code run(struct load *load, const struct options *options, struct jc_err *err)
{
    jc_code code = jc_requests_render(options->titles_path, options->n_titles, "", &load->requests, err);
    load->n_titles = options->n_titles;
    load->connections = calloc(options->n_connections, sizeof *load->connections);
    JC_AUTO_FD int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!code && (!load->connections || epoll < 0))
        code = jc_fail(err, JC_E_NOMEM, "no memory for %ju connections", (uintmax_t)options->n_connections);
    for (size_t i = 0; i < options->n_connections && !code; i++)
        code = jc_loadgen_connect((uint16_t)options->port, epoll, &load->connections[i], &load->connections[i].fd, err);
    for (size_t i = 0; i < options->n_connections && !code; i++)
        code = send_next(load, &load->connections[i], err);
    if (!code)
        code = run_until(load, epoll, jc_clock_ns() + options->warm_up_s * JC_NS_PER_S, err);
    if (code)
        return code;

    load->measuring = true;
    uint64_t start_ns = jc_clock_ns();
    double cpu_s = jc_loadgen_cpu_s();
    code = run_until(load, epoll, start_ns + options->seconds * JC_NS_PER_S, err);
    if (!code && load->latencies.n == 0)
        code = jc_fail(err, JC_E_DEADLINE, "no answer in %ju s", (uintmax_t)options->seconds);
    if (!code)
        report(load, (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S, jc_loadgen_cpu_s() - cpu_s);
    return code;
}

static jc_code parse_options(int argc, char **argv, struct options *options, struct jc_err *err)
{
    *options = (struct options){.n_connections = 64, .n_titles = 1, .seconds = 5, .warm_up_s = 1};
    uint64_t *const numbers[] = {['p'] = &options->port,
                                 ['c'] = &options->n_connections,
                                 ['k'] = &options->n_titles,
                                 ['s'] = &options->seconds,
                                 ['w'] = &options->warm_up_s};
    for (int option; (option = getopt(argc, argv, "p:f:c:k:s:w:")) != -1;) {
        jc_code code = JC_OK;
        if (option == '?')
            return jc_fail(err, JC_E_INVALID, "see the head of load.c");
        if (option == 'f')
            options->titles_path = optarg;
        else
            code = jc_parse_u64(optarg, numbers[option], err);
        if (code)
            return code;
    }
    if (!options->titles_path || options->port < 1 || options->port > UINT16_MAX || options->n_titles < 1 ||
        options->n_connections < 1 || options->n_connections > MAX_CONNECTIONS || options->seconds < 1 || optind < argc)
        return jc_fail(err, JC_E_INVALID, "see the head of load.c");
    return JC_OK;
}

int main(int argc, char **argv)
{
    struct options options;
    struct load load = {0};
    struct jc_err err;
    jc_code code = parse_options(argc, argv, &options, &err);
    if (!code)
        code = run(&load, &options, &err);
    if (code)
        fprintf(stderr, "load: %s\n", err.text);
    for (size_t i = 0; load.connections && i < options.n_connections; i++)
        if (load.connections[i].fd > 0)
            close(load.connections[i].fd);
    free(load.connections);
    jc_latencies_finish(&load.latencies);
    jc_requests_finish(&load.requests);
    return code ? 1 : 0;
}
