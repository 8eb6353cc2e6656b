/*
 * The load generator of the benchmarks: N keep-alive connections, each with one request under way, on one thread.
 *     load -p PORT -f TITLES [-c CONNECTIONS] [-k TITLES_PER_REQUEST] [-s SECONDS] [-w WARM_UP_SECONDS]
 * Requests are rendered beforehand, every title of the file once before any repeats, so that it takes little of the
 * cores it shares with the server; its own CPU time is in the result: one JSON object. An answer that is not 200 ends
 * the run with status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"

enum { MAX_CONNECTIONS = 1024, MAX_HEAD = 2048, MAX_TITLES_BYTES = 64 << 20 };

struct options {
    uint64_t port, n_connections, n_titles, seconds, warm_up_s;
    const char *titles_path;
};

/* The rendered requests, one after another. */
struct requests {
    struct jc_buf bytes;
    size_t *starts; /* [n + 1] */
    size_t n;
};

struct connection {
    int fd;
    uint64_t start_ns;
    char head[MAX_HEAD]; /* of the answer, as far as it is here */
    size_t n_head;
    bool in_body;
    size_t n_body, n_left; /* bytes of the body, and of them to come */
};

struct load {
    struct requests requests;
    size_t next; /* request to send */
    size_t n_titles;
    struct connection *connections;
    bool measuring;         /* the warm-up is over */
    uint32_t *latencies_ns; /* of the answers since then */
    size_t n_latencies, cap_latencies;
    uint64_t n_body_bytes;
};

/* Renders titles[n] as one request. */
static void put_request(struct jc_buf *out, struct jc_buf *body, char *const *titles, size_t n)
{
    jc_buf_clear(body);
    jc_buf_puts(body, n > 1 ? "{\"postings\":[" : "");
    for (size_t i = 0; i < n; i++) {
        jc_buf_puts(body, i ? ",{\"title\":" : "{\"title\":");
        jc_buf_put_json(body, titles[i], strlen(titles[i]));
        jc_buf_putc(body, '}');
    }
    jc_buf_puts(body, n > 1 ? "]}" : "");
    jc_buf_printf(out,
                  "POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  body->n);
    jc_buf_put(out, body->data, body->n);
}

static jc_code render(const struct options *options, struct requests *requests, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    JC_AUTO_BUF struct jc_buf body = {0};
    jc_code code = jc_file_read(options->titles_path, MAX_TITLES_BYTES, &text, err);
    if (code)
        return code;
    size_t n_titles = 0;
    JC_AUTO_FREE char **titles = calloc(text.n + 1, sizeof *titles);
    if (!titles)
        return jc_fail(err, JC_E_NOMEM, "no memory for the titles");
    for (char *rest = text.data, *line; (line = strsep(&rest, "\n"));)
        if (*line)
            titles[n_titles++] = line;

    size_t k = options->n_titles;
    requests->n = n_titles / k;
    if (requests->n == 0)
        return jc_fail(err, JC_E_INVALID, "%s has only %zu titles", options->titles_path, n_titles);
    requests->starts = calloc(requests->n + 1, sizeof *requests->starts);
    if (!requests->starts)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu requests", requests->n);
    for (size_t i = 0; i < requests->n; i++) {
        put_request(&requests->bytes, &body, titles + i * k, k);
        requests->starts[i + 1] = requests->bytes.n;
    }
    return body.failed ? jc_buf_check(&body, err) : jc_buf_check(&requests->bytes, err);
}

static jc_code open_connection(struct connection *connection, uint16_t port, int epoll, struct jc_err *err)
{
    int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        return jc_fail_errno(err, JC_E_IO, "connect to port %u", (unsigned)port);
    return JC_OK;
}

/* The whole request at once: the kernel's buffers hold it, and the server reads a body before it answers. */
static jc_code send_next(struct load *load, struct connection *connection, struct jc_err *err)
{
    const size_t *start = &load->requests.starts[load->next];
    load->next = (load->next + 1) % load->requests.n;
    connection->n_head = 0;
    connection->in_body = false;
    connection->start_ns = jc_clock_ns();
    for (size_t at = start[0]; at < start[1];) {
        ssize_t n = send(connection->fd, load->requests.bytes.data + at, start[1] - at, MSG_NOSIGNAL);
        if (n < 0)
            return jc_fail_errno(err, JC_E_IO, "send");
        at += (size_t)n;
    }
    return JC_OK;
}

static jc_code note_answer(struct load *load, const struct connection *connection, struct jc_err *err)
{
    if (!load->measuring)
        return JC_OK;
    uint64_t latency_ns = jc_clock_ns() - connection->start_ns;
    load->n_body_bytes += connection->n_body;
    if (load->n_latencies == load->cap_latencies) {
        size_t cap = load->cap_latencies ? 2 * load->cap_latencies : 1 << 16;
        uint32_t *grown = reallocarray(load->latencies_ns, cap, sizeof *grown);
        if (!grown)
            return jc_fail(err, JC_E_NOMEM, "no memory for %zu latencies", cap);
        load->latencies_ns = grown;
        load->cap_latencies = cap;
    }
    load->latencies_ns[load->n_latencies++] = latency_ns < UINT32_MAX ? (uint32_t)latency_ns : UINT32_MAX;
    return JC_OK;
}

/* Takes bytes of the answer's head; sets in_body where it is complete. */
static jc_code take_head(struct connection *connection, const char *bytes, size_t n, struct jc_err *err)
{
    if (n > MAX_HEAD - 1 - connection->n_head)
        n = MAX_HEAD - 1 - connection->n_head; /* the rest is body and is not looked at */
    memcpy(connection->head + connection->n_head, bytes, n);
    connection->n_head += n;
    connection->head[connection->n_head] = '\0';
    const char *end = strstr(connection->head, "\r\n\r\n");
    if (!end)
        return connection->n_head < MAX_HEAD - 1 ? JC_OK : jc_fail(err, JC_E_FORMAT, "a head over %d bytes", MAX_HEAD);
    const char *length = strcasestr(connection->head, "\r\nContent-Length:");
    if (strncmp(connection->head, "HTTP/1.1 200 ", 13) != 0 || !length || length > end)
        return jc_fail(err, JC_E_FORMAT, "unexpected answer: %.200s", connection->head);
    connection->in_body = true;
    connection->n_left = connection->n_body = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    return JC_OK;
}

/* Takes what came. *ret_complete: the answer is whole. */
static jc_code take_bytes(struct connection *connection, const char *bytes, size_t n, bool *ret_complete,
                          struct jc_err *err)
{
    *ret_complete = false;
    if (!connection->in_body) {
        size_t n_before = connection->n_head;
        jc_code code = take_head(connection, bytes, n, err);
        if (code || !connection->in_body)
            return code;
        size_t n_head = (size_t)(strstr(connection->head, "\r\n\r\n") + 4 - connection->head);
        n -= n_head - n_before;
    }
    if (n > connection->n_left)
        return jc_fail(err, JC_E_FORMAT, "%zu bytes more than Content-Length says", n - connection->n_left);
    connection->n_left -= n;
    *ret_complete = connection->n_left == 0;
    return JC_OK;
}

static jc_code serve_event(struct load *load, struct connection *connection, struct jc_err *err)
{
    static char bytes[1 << 18];
    ssize_t n = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return JC_OK;
    if (n <= 0)
        return jc_fail_errno(err, JC_E_IO, n ? "recv" : "the server closed a connection");
    bool complete;
    jc_code code = take_bytes(connection, bytes, (size_t)n, &complete, err);
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

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double quantile_ms(const struct load *load, double q)
{
    return load->latencies_ns[(size_t)(q * (double)(load->n_latencies - 1))] / (double)JC_NS_PER_MS;
}

static void report(struct load *load, double seconds, double cpu_s)
{
    size_t n = load->n_latencies;
    qsort(load->latencies_ns, n, sizeof *load->latencies_ns, compare);
    printf("{\"requests\":%zu,\"seconds\":%.3f,\"requests_per_s\":%.1f,\"titles_per_s\":%.1f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"load_cpu_s\":%.3f,\"body_bytes\":%.0f}\n",
           n, seconds, (double)n / seconds, (double)(n * load->n_titles) / seconds, quantile_ms(load, .5),
           quantile_ms(load, .99), cpu_s, (double)load->n_body_bytes / (double)n);
}

static jc_code run(struct load *load, const struct options *options, struct jc_err *err)
{
    jc_code code = render(options, &load->requests, err);
    load->n_titles = options->n_titles;
    load->connections = calloc(options->n_connections, sizeof *load->connections);
    JC_AUTO_FD int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!code && (!load->connections || epoll < 0))
        code = jc_fail(err, JC_E_NOMEM, "no memory for %ju connections", (uintmax_t)options->n_connections);
    for (size_t i = 0; i < options->n_connections && !code; i++)
        code = open_connection(&load->connections[i], (uint16_t)options->port, epoll, err);
    for (size_t i = 0; i < options->n_connections && !code; i++)
        code = send_next(load, &load->connections[i], err);
    if (!code)
        code = run_until(load, epoll, jc_clock_ns() + options->warm_up_s * JC_NS_PER_S, err);
    if (code)
        return code;

    load->measuring = true;
    uint64_t start_ns = jc_clock_ns();
    double cpu_s = cpu_seconds();
    code = run_until(load, epoll, start_ns + options->seconds * JC_NS_PER_S, err);
    if (!code && load->n_latencies == 0)
        code = jc_fail(err, JC_E_DEADLINE, "no answer in %ju s", (uintmax_t)options->seconds);
    if (!code)
        report(load, (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S, cpu_seconds() - cpu_s);
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
    free(load.latencies_ns);
    free(load.requests.starts);
    jc_buf_finish(&load.requests.bytes);
    return code ? 1 : 0;
}
