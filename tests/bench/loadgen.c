/* What the load generators share. See loadgen.h. */
#include "loadgen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"

enum { MAX_TITLES_BYTES = 64 << 20 };

/* Renders titles[n] as one request. */
static void put_request(struct jc_buf *out, struct jc_buf *body, const char *headers, char *const *titles, size_t n)
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
                  "%sContent-Length: %zu\r\n\r\n",
                  headers, body->n);
    jc_buf_put(out, body->data, body->n);
}

jc_code jc_requests_render(const char *path, size_t n_titles, const char *headers, struct jc_requests *requests,
                           struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    JC_AUTO_BUF struct jc_buf body = {0};
    jc_code code = jc_file_read(path, MAX_TITLES_BYTES, &text, err);
    if (code)
        return code;
    size_t n_all = 0;
    JC_AUTO_FREE char **titles = calloc(text.n + 1, sizeof *titles);
    if (!titles)
        return jc_fail(err, JC_E_NOMEM, "no memory for the titles");
    for (char *rest = text.data, *line; (line = strsep(&rest, "\n"));)
        if (*line)
            titles[n_all++] = line;

    requests->n = n_all / n_titles;
    if (requests->n == 0)
        return jc_fail(err, JC_E_INVALID, "%s has only %zu titles", path, n_all);
    requests->starts = calloc(requests->n + 1, sizeof *requests->starts);
    if (!requests->starts)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu requests", requests->n);
    for (size_t i = 0; i < requests->n; i++) {
        put_request(&requests->bytes, &body, headers, titles + i * n_titles, n_titles);
        requests->starts[i + 1] = requests->bytes.n;
    }
    return body.failed ? jc_buf_check(&body, err) : jc_buf_check(&requests->bytes, err);
}

void jc_requests_finish(struct jc_requests *requests)
{
    free(requests->starts);
    jc_buf_finish(&requests->bytes);
    *requests = (struct jc_requests){0};
}

jc_code jc_requests_send(const struct jc_requests *requests, size_t i, int fd, struct jc_err *err)
{
    for (size_t at = requests->starts[i], end = requests->starts[i + 1]; at < end;) {
        ssize_t n = send(fd, requests->bytes.data + at, end - at, MSG_NOSIGNAL);
        if (n < 0)
            return jc_fail_errno(err, JC_E_IO, "send");
        at += (size_t)n;
    }
    return JC_OK;
}

jc_code jc_loadgen_connect(uint16_t port, int epoll, void *context, int *ret_fd, struct jc_err *err)
{
    int on = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = context};
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    JC_AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return jc_fail_errno(err, JC_E_IO, "connect to port %u", (unsigned)port);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return jc_fail_errno(err, JC_E_IO, "watch a connection");
    *ret_fd = fd;
    fd = -1;
    return JC_OK;
}

void jc_answer_begin(struct jc_answer *answer)
{
    answer->n_head = 0;
    answer->in_body = false;
}

/* Takes bytes of the answer's head; sets in_body where it is complete. */
static jc_code take_head(struct jc_answer *answer, const char *bytes, size_t n, struct jc_err *err)
{
    static const char protocol[] = "HTTP/1.1 ", length_name[] = "\r\nContent-Length:";
    if (n > JC_ANSWER_MAX_HEAD - 1 - answer->n_head)
        n = JC_ANSWER_MAX_HEAD - 1 - answer->n_head; /* the rest is body and is not looked at */
    memcpy(answer->head + answer->n_head, bytes, n);
    answer->n_head += n;
    answer->head[answer->n_head] = '\0';
    char *end = strstr(answer->head, "\r\n\r\n");
    if (!end)
        return answer->n_head < JC_ANSWER_MAX_HEAD - 1
                   ? JC_OK
                   : jc_fail(err, JC_E_FORMAT, "a head over %d bytes", JC_ANSWER_MAX_HEAD);
    const char *length = strcasestr(answer->head, length_name);
    const char *retry_after = strcasestr(answer->head, "\r\nRetry-After:");
    if (strncmp(answer->head, protocol, sizeof protocol - 1) != 0 || !length || length > end)
        return jc_fail(err, JC_E_FORMAT, "unexpected answer: %.200s", answer->head);
    answer->status = (unsigned)strtoul(answer->head + sizeof protocol - 1, NULL, 10);
    answer->has_retry_after = retry_after && retry_after < end;
    answer->n_left = answer->n_body = strtoul(length + sizeof length_name - 1, NULL, 10);
    answer->in_body = true;
    return JC_OK;
}

static jc_code take_bytes(struct jc_answer *answer, const char *bytes, size_t n, bool *ret_complete, struct jc_err *err)
{
    if (!answer->in_body) {
        size_t n_before = answer->n_head;
        jc_code code = take_head(answer, bytes, n, err);
        if (code || !answer->in_body)
            return code;
        size_t n_head = (size_t)(strstr(answer->head, "\r\n\r\n") + 4 - answer->head);
        n -= n_head - n_before;
    }
    if (n > answer->n_left)
        return jc_fail(err, JC_E_FORMAT, "%zu bytes more than Content-Length says", n - answer->n_left);
    answer->n_left -= n;
    *ret_complete = answer->n_left == 0;
    return JC_OK;
}

jc_code jc_answer_receive(struct jc_answer *answer, int fd, bool *ret_complete, struct jc_err *err)
{
    static char bytes[1 << 18];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    *ret_complete = false;
    if (n < 0 && errno == EAGAIN)
        return JC_OK;
    if (n <= 0)
        return jc_fail_errno(err, JC_E_IO, n ? "recv" : "the server closed a connection");
    return take_bytes(answer, bytes, (size_t)n, ret_complete, err);
}

jc_code jc_latencies_add(struct jc_latencies *latencies, uint64_t ns, struct jc_err *err)
{
    if (latencies->n == latencies->cap) {
        size_t cap = latencies->cap ? 2 * latencies->cap : 1 << 16;
        uint32_t *grown = reallocarray(latencies->ns, cap, sizeof *grown);
        if (!grown)
            return jc_fail(err, JC_E_NOMEM, "no memory for %zu latencies", cap);
        latencies->ns = grown;
        latencies->cap = cap;
    }
    latencies->ns[latencies->n++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
    return JC_OK;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void jc_latencies_sort(struct jc_latencies *latencies)
{
    if (latencies->n)
        qsort(latencies->ns, latencies->n, sizeof *latencies->ns, compare);
}

double jc_latencies_quantile_ms(const struct jc_latencies *latencies, double q)
{
    return latencies->n ? latencies->ns[(size_t)(q * (double)(latencies->n - 1))] / (double)JC_NS_PER_MS : 0;
}

void jc_latencies_finish(struct jc_latencies *latencies)
{
    free(latencies->ns);
    *latencies = (struct jc_latencies){0};
}

double jc_loadgen_cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}
