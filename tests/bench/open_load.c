/*
 * The load generator of overload: requests are sent when they are due, whatever became of those before, so that a slow
 * server cannot slow down who measures it. Titles are sent one a request, but for every E-th request, which has K.
 *     open_load -p PORT -f TITLES [-r TITLES_PER_S] [-c CONNECTIONS] [-k K] [-e E] [-t TIMEOUT_MS] [-s SECONDS]
 *               [-w WARM_UP_SECONDS]
 * Without -r a connection sends again as soon as it has its answer (a closed loop, whose rate is the server's peak).
 * Arrivals are a Poisson process; requests and answers are held up to the next millisecond, so that latencies come out
 * up to one longer than they are. One thread; a request that is due while no connection is free waits, and its latency
 * counts from when it was due; the latency from when it was sent is given, too. The result is one JSON object about
 * what happened after the warm-up. Where it may, it runs in real time: it stands for clients elsewhere, which do not
 * wait for the server's cores. An answer other than 200, 429, 503 and 504 ends the run with status 1.
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/rng.h"
#include "loadgen.h"

enum { MAX_CONNECTIONS = 4096, MAX_EVENTS = 256 };

enum size { SINGLE, BATCH, N_SIZES };
enum outcome { GOOD, REFUSED, EXPIRED, N_OUTCOMES };

/* Requests go out, and answers are looked for, at the ticks of this clock, as both come in bunches through a network
 * card: to wake for each would take more of the cores than all the rest of the load does, and more of the server, which
 * does the waking. */
#define TICK_NS JC_NS_PER_MS

struct options {
    uint64_t port, rate, n_connections, n_batch, batch_every, timeout_ms, seconds, warm_up_s;
    const char *titles_path;
};

struct connection {
    struct connection *next_free;
    int fd;
    enum size size;
    uint64_t due_ns, sent_ns;
    struct jc_answer answer;
};

/* All answers of one outcome and size. */
struct tally {
    struct jc_latencies from_due, from_sent;
};

struct load {
    struct options options;
    struct jc_requests requests[N_SIZES];
    size_t next[N_SIZES]; /* request to send */
    size_t n_titles[N_SIZES];
    struct connection *connections, *free;
    int epoll;
    struct jc_rng rng;
    uint64_t due_ns; /* of the next request */
    size_t n_sent;
    bool measuring; /* the warm-up is over */
    size_t n_due_titles, n_without_retry_after;
    struct jc_latencies lags; /* from due to sent */
    struct tally tallies[N_OUTCOMES][N_SIZES];
};

static jc_code open_connection(struct load *load, struct connection *connection, struct jc_err *err)
{
    connection->next_free = load->free;
    load->free = connection;
    return jc_loadgen_connect((uint16_t)load->options.port, load->epoll, connection, &connection->fd, err);
}

/* From one request to the next; 0 in a closed loop. */
static uint64_t draw_gap_ns(struct load *load)
{
    const struct options *options = &load->options;
    if (!options->rate)
        return 0;
    double mean_titles = 1 + (double)(options->n_batch - 1) / (double)options->batch_every;
    double mean_ns = mean_titles / (double)options->rate * (double)JC_NS_PER_S;
    return (uint64_t)(-log(1 - jc_rng_unit(&load->rng)) * mean_ns);
}

/* Sends the request that is due on a free connection. */
static jc_code send_due(struct load *load, struct jc_err *err)
{
    struct connection *connection = load->free;
    load->free = connection->next_free;
    enum size size = ++load->n_sent % load->options.batch_every == 0 ? BATCH : SINGLE;
    connection->size = size;
    connection->due_ns = load->due_ns;
    load->due_ns += draw_gap_ns(load);
    size_t i = load->next[size];
    load->next[size] = (i + 1) % load->requests[size].n;
    jc_answer_begin(&connection->answer);
    connection->sent_ns = jc_clock_ns();
    if (!load->options.rate)
        connection->due_ns = connection->sent_ns;
    jc_code code = jc_requests_send(&load->requests[size], i, connection->fd, err);
    if (!code && load->measuring) {
        load->n_due_titles += load->n_titles[size];
        code = jc_latencies_add(&load->lags, connection->sent_ns - connection->due_ns, err);
    }
    return code;
}

static jc_code note_answer(struct load *load, const struct connection *connection, struct jc_err *err)
{
    const struct jc_answer *answer = &connection->answer;
    enum outcome outcome = answer->status == 200 ? GOOD : answer->status == 504 ? EXPIRED : REFUSED;
    if (answer->status != 200 && answer->status != 429 && answer->status != 503 && answer->status != 504)
        return jc_fail(err, JC_E_FORMAT, "unexpected answer: %.200s", answer->head);
    if (!load->measuring)
        return JC_OK;
    load->n_without_retry_after += outcome != GOOD && !answer->has_retry_after;
    struct tally *tally = &load->tallies[outcome][connection->size];
    uint64_t now_ns = jc_clock_ns();
    jc_code code = jc_latencies_add(&tally->from_due, now_ns - connection->due_ns, err);
    return code ? code : jc_latencies_add(&tally->from_sent, now_ns - connection->sent_ns, err);
}

static jc_code serve_event(struct load *load, struct connection *connection, struct jc_err *err)
{
    bool complete;
    jc_code code = jc_answer_receive(&connection->answer, connection->fd, &complete, err);
    if (code || !complete)
        return code;
    connection->next_free = load->free;
    load->free = connection;
    return note_answer(load, connection, err);
}

/* Takes all answers that are here. */
static jc_code take_answers(struct load *load, struct jc_err *err)
{
    struct epoll_event events[MAX_EVENTS];
    int n;
    do {
        n = epoll_wait(load->epoll, events, MAX_EVENTS, 0);
        if (n < 0 && errno != EINTR)
            return jc_fail_errno(err, JC_E_IO, "epoll_wait");
        for (int i = 0; i < n; i++) {
            jc_code code = serve_event(load, events[i].data.ptr, err);
            if (code)
                return code;
        }
    } while (n == MAX_EVENTS);
    return JC_OK;
}

static void sleep_until(uint64_t ns)
{
    const struct timespec until = jc_clock_timespec(ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static jc_code run_until(struct load *load, uint64_t end_ns, struct jc_err *err)
{
    for (uint64_t now_ns; (now_ns = jc_clock_ns()) < end_ns;) {
        jc_code code = take_answers(load, err);
        while (load->free && (!load->options.rate || load->due_ns <= now_ns) && !code)
            code = send_due(load, err);
        if (code)
            return code;
        sleep_until(now_ns + TICK_NS - now_ns % TICK_NS);
    }
    return JC_OK;
}

static void put_latencies(const char *name, struct jc_latencies *latencies)
{
    jc_latencies_sort(latencies);
    printf("\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,\"%s_max_ms\":%.3f,", name, jc_latencies_quantile_ms(latencies, .5),
           name, jc_latencies_quantile_ms(latencies, .99), name, jc_latencies_quantile_ms(latencies, 1));
}

static void put_tally(const char *name, struct load *load, enum outcome outcome, enum size size)
{
    struct tally *tally = &load->tallies[outcome][size];
    size_t n = tally->from_due.n;
    printf("\"%s\":{", name);
    put_latencies("due", &tally->from_due);
    put_latencies("sent", &tally->from_sent);
    printf("\"requests\":%zu,\"titles\":%zu},", n, n * load->n_titles[size]);
}

static void report(struct load *load, double seconds, double cpu_s, bool real_time)
{
    static const char *const names[N_OUTCOMES][N_SIZES] = {[GOOD] = {"good_single", "good_batch"},
                                                           [REFUSED] = {"refused_single", "refused_batch"},
                                                           [EXPIRED] = {"expired_single", "expired_batch"}};
    putchar('{');
    for (enum outcome outcome = 0; outcome < N_OUTCOMES; outcome++)
        for (enum size size = 0; size < N_SIZES; size++)
            put_tally(names[outcome][size], load, outcome, size);
    put_latencies("lag", &load->lags);
    size_t overdue = 0;
    for (uint64_t now_ns = jc_clock_ns(); load->options.rate && load->due_ns < now_ns; overdue++)
        load->due_ns += draw_gap_ns(load);
    printf("\"seconds\":%.3f,\"sent_titles\":%zu,\"never_sent\":%zu,\"without_retry_after\":%zu,\"load_cpu_s\":%.3f,"
           "\"real_time\":%s}\n",
           seconds, load->n_due_titles, overdue, load->n_without_retry_after, cpu_s, real_time ? "true" : "false");
}

static jc_code prepare(struct load *load, struct jc_err *err)
{
    const struct options *options = &load->options;
    char timeout[64] = "";
    if (options->timeout_ms)
        snprintf(timeout, sizeof timeout, "X-Request-Timeout-Ms: %ju\r\n", (uintmax_t)options->timeout_ms);
    load->n_titles[SINGLE] = 1;
    load->n_titles[BATCH] = options->n_batch;
    load->rng = jc_rng_seeded(1);
    jc_code code = JC_OK;
    for (enum size size = 0; size < N_SIZES && !code; size++)
        code = jc_requests_render(options->titles_path, load->n_titles[size], timeout, &load->requests[size], err);
    load->next[BATCH] = load->requests[BATCH].n / 2; /* not the titles that go alone: those the server knows then */
    load->connections = calloc(options->n_connections, sizeof *load->connections);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!code && (!load->connections || load->epoll < 0))
        code = jc_fail(err, JC_E_NOMEM, "no memory for %ju connections", (uintmax_t)options->n_connections);
    for (size_t i = 0; i < options->n_connections && !code; i++)
        code = open_connection(load, &load->connections[i], err);
    return code;
}

static jc_code run(struct load *load, struct jc_err *err)
{
    jc_code code = prepare(load, err);
    if (code)
        return code;
    bool real_time = sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) == 0;
    load->due_ns = jc_clock_ns();
    if ((code = run_until(load, load->due_ns + load->options.warm_up_s * JC_NS_PER_S, err)))
        return code;

    load->measuring = true;
    uint64_t start_ns = jc_clock_ns();
    double cpu_s = jc_loadgen_cpu_s();
    code = run_until(load, start_ns + load->options.seconds * JC_NS_PER_S, err);
    if (!code)
        report(load, (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S, jc_loadgen_cpu_s() - cpu_s, real_time);
    return code;
}

static jc_code parse_options(int argc, char **argv, struct options *options, struct jc_err *err)
{
    *options = (struct options){.n_connections = 64, .n_batch = 32, .batch_every = 20, .seconds = 5, .warm_up_s = 2};
    uint64_t *const numbers[] = {
        ['p'] = &options->port,    ['r'] = &options->rate,        ['c'] = &options->n_connections,
        ['k'] = &options->n_batch, ['e'] = &options->batch_every, ['t'] = &options->timeout_ms,
        ['s'] = &options->seconds, ['w'] = &options->warm_up_s,
    };
    for (int option; (option = getopt(argc, argv, "p:f:r:c:k:e:t:s:w:")) != -1;) {
        jc_code code = JC_OK;
        if (option == '?')
            return jc_fail(err, JC_E_INVALID, "see the head of open_load.c");
        if (option == 'f')
            options->titles_path = optarg;
        else
            code = jc_parse_u64(optarg, numbers[option], err);
        if (code)
            return code;
    }
    if (!options->titles_path || options->port < 1 || options->port > UINT16_MAX || options->n_batch < 1 ||
        options->batch_every < 1 || options->n_connections < 1 || options->n_connections > MAX_CONNECTIONS ||
        options->seconds < 1 || optind < argc)
        return jc_fail(err, JC_E_INVALID, "see the head of open_load.c");
    return JC_OK;
}

static void finish(struct load *load)
{
    for (size_t i = 0; load->connections && i < load->options.n_connections; i++)
        if (load->connections[i].fd > 0)
            close(load->connections[i].fd);
    free(load->connections);
    if (load->epoll > 0)
        close(load->epoll);
    jc_latencies_finish(&load->lags);
    for (enum outcome outcome = 0; outcome < N_OUTCOMES; outcome++)
        for (enum size size = 0; size < N_SIZES; size++) {
            jc_latencies_finish(&load->tallies[outcome][size].from_due);
            jc_latencies_finish(&load->tallies[outcome][size].from_sent);
        }
    for (enum size size = 0; size < N_SIZES; size++)
        jc_requests_finish(&load->requests[size]);
}

int main(int argc, char **argv)
{
    static struct load load;
    struct jc_err err;
    jc_code code = parse_options(argc, argv, &load.options, &err);
    if (!code)
        code = run(&load, &err);
    if (code)
        fprintf(stderr, "open_load: %s\n", err.text);
    finish(&load);
    return code ? 1 : 0;
}
