/* Open connections, their deadlines and the reaper. See connections.h. */
#include "server/wire/connections.h"

#include <linux/sockios.h>
#include <linux/tcp.h> /* the C library's struct tcp_info has no byte counts */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/observe/request_log.h"

/* TCP_CLOSE_WAIT of the C library's header, which clashes with the system's. */
#define CLOSE_WAIT 8

#define TICK_MS 100

/* libmicrohttpd overlooks an end that arrives together with data (edge-triggered, and a short read counts as all there
 * is). A request that is not whole by then never will be; this long for what has been read to be looked at. */
#define GONE_MS 1000

/* The system is asked about an idle connection at first at the next tick, then every so often: a head that begins is
 * noticed within a tenth of the time that it has, or a second. With thousands of them, asking at each tick costs what
 * hundreds of requests a second do. */
#define MOST_ASK_MS 1000
#define ASKS_A_HEAD 10

/* Connections looked at before the table's lock is given back for a moment: openings and closings wait for it. */
#define STRIDE 256

struct jc_connection {
    struct jc_connections *table;
    struct jc_connection *next, *previous;
    struct jc_address address;

    pthread_mutex_t lock; /* what follows, and the socket */
    int fd;
    enum jc_phase phase;
    uint64_t since_ns;   /* the phase's beginning */
    bool has_answered;   /* not the first request */
    bool has_sample;     /* n_received is of this IDLE */
    uint64_t gone_ns;    /* since when it waits for a client that has closed; 0 = it does not */
    uint64_t n_received; /* bytes, on the socket's own count */
    uint64_t asked_ns;   /* when that was */
    bool ended;          /* shut down */

    /* Of the request that is being read. */
    char id[JC_REQUEST_ID]; /* "" = its head is not whole */
    struct jc_address client;
};

struct jc_connections {
    struct jc_connection_limits limits;
    struct jc_metrics *metrics;
    pthread_t reaper;

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    struct jc_connection *first;
    struct jc_connection *next; /* the reaper's place */
    size_t n_open;
    uint64_t drain_by_ns; /* 0 = not draining */
    bool end_idle;
    bool stopping;
};

/* The last word on a connection, straight into its socket: libmicrohttpd is not sending, and a socket buffer that has
 * no room for it is a client that does not read. */
static void send_problem(struct jc_connection *connection, const struct jc_problem *problem)
{
    const struct jc_connection_limits *limits = &connection->table->limits;
    struct jc_metrics *metrics = connection->table->metrics;
    JC_AUTO_BUF struct jc_buf body = {0};
    JC_AUTO_BUF struct jc_buf answer = {0};
    int status = jc_problem_status(problem->kind);
    if (!connection->id[0]) {
        jc_request_id_choose(NULL, connection->id);
        connection->client = connection->address;
    }
    jc_metrics_refused(metrics, problem->kind);
    if (limits->log)
        jc_request_log_unread(connection->id, status, jc_problem_code(problem->kind), &connection->client);
    if (limits->encrypted)
        return;
    jc_metrics_request_unread(metrics, status);
    jc_problem_put(problem, connection->id, &body);
    jc_buf_printf(&answer, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/problem+json\r\n", status,
                  status == 408 ? "Request Timeout" : "Service Unavailable");
    jc_buf_printf(&answer, "Content-Length: %zu\r\nX-Request-Id: %s\r\nCache-Control: no-store\r\n", body.n,
                  connection->id);
    if (problem->retry_after_s)
        jc_buf_printf(&answer, "Retry-After: %u\r\n", problem->retry_after_s);
    jc_buf_puts(&answer, "\r\n");
    jc_buf_put(&answer, body.data, body.n);
    if (answer.failed || body.failed)
        return;
    ssize_t n = send(connection->fd, answer.data, answer.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)n; /* the connection ends either way */
}

/* Under the connection's lock. */
static void end(struct jc_connection *connection, enum jc_closed why)
{
    connection->ended = true;
    jc_metrics_closed(connection->table->metrics, why);
    shutdown(connection->fd, SHUT_RDWR);
}

static void end_with_timeout(struct jc_connection *connection, enum jc_closed why, const char *what)
{
    struct jc_problem problem = {0};
    jc_problem_set(&problem, JC_PROBLEM_REQUEST_TIMEOUT, NULL, "The request's %s took too long to arrive.", what);
    send_problem(connection, &problem);
    end(connection, why);
}

/* What the system knows of a connection that waits for its client. */
static void ask_system(struct jc_connection *connection, uint64_t now_ns)
{
    struct tcp_info info;
    socklen_t n = sizeof info;
    int n_unread = 0;
    memset(&info, 0, sizeof info);
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return;
    ioctl(connection->fd, SIOCINQ, &n_unread);
    connection->asked_ns = now_ns;
    bool peer_closed = info.tcpi_state == CLOSE_WAIT;
    uint64_t n_received = info.tcpi_bytes_received - peer_closed; /* the FIN counts as one */
    bool begun = n_unread > 0 || (connection->has_sample && n_received > connection->n_received);
    if (connection->phase == JC_PHASE_IDLE && begun) {
        connection->phase = JC_PHASE_HEAD;
        connection->since_ns = now_ns;
    }
    connection->has_sample = true;
    connection->n_received = n_received;

    if (!peer_closed || n_unread > 0)
        connection->gone_ns = 0;
    else if (!connection->gone_ns)
        connection->gone_ns = now_ns;
}

static bool is_late(const struct jc_connection *connection, uint64_t now_ns)
{
    const struct jc_connections *table = connection->table;
    uint64_t timeout_ms = table->limits.timeout_ms[connection->phase];
    if (timeout_ms && now_ns >= connection->since_ns + timeout_ms * JC_NS_PER_MS)
        return true;
    bool incomplete = connection->phase <= JC_PHASE_BODY;
    return incomplete && table->drain_by_ns && now_ns >= table->drain_by_ns;
}

/* Whether what the system knows may decide something now. */
static bool is_to_be_asked(const struct jc_connection *connection, uint64_t now_ns)
{
    const struct jc_connections *table = connection->table;
    uint64_t ask_ms = table->limits.timeout_ms[JC_PHASE_HEAD] / ASKS_A_HEAD;
    ask_ms = ask_ms < MOST_ASK_MS ? ask_ms : MOST_ASK_MS;
    if (connection->phase != JC_PHASE_IDLE)
        return connection->phase <= JC_PHASE_BODY;
    return !connection->has_sample || connection->gone_ns || now_ns >= connection->asked_ns + ask_ms * JC_NS_PER_MS ||
           table->drain_by_ns || table->end_idle || is_late(connection, now_ns);
}

/* Under both locks. */
static void look(struct jc_connection *connection, uint64_t now_ns)
{
    if (connection->ended)
        return;
    if (is_to_be_asked(connection, now_ns))
        ask_system(connection, now_ns);
    if (connection->gone_ns && now_ns >= connection->gone_ns + GONE_MS * JC_NS_PER_MS)
        end(connection, JC_CLOSED_NORMALLY);
    else if (connection->phase == JC_PHASE_IDLE && connection->has_answered && connection->table->end_idle)
        end(connection, JC_CLOSED_DRAIN);
    if (connection->ended || !is_late(connection, now_ns))
        return;
    switch (connection->phase) {
    case JC_PHASE_IDLE:
        end(connection, connection->table->drain_by_ns ? JC_CLOSED_DRAIN : JC_CLOSED_IDLE_TIMEOUT);
        return;
    case JC_PHASE_HEAD:
        end_with_timeout(connection, JC_CLOSED_HEADER_TIMEOUT, "head");
        return;
    case JC_PHASE_BODY:
        end_with_timeout(connection, JC_CLOSED_BODY_TIMEOUT, "body");
        return;
    default:
        end(connection, JC_CLOSED_SEND_TIMEOUT);
        return;
    }
}

/* Once through the table, under its lock but for a moment each STRIDE connections. */
static void look_at_all(struct jc_connections *connections)
{
    size_t n = 0;
    uint64_t now_ns = jc_clock_ns();
    connections->next = connections->first;
    while (connections->next) {
        struct jc_connection *connection = connections->next;
        connections->next = connection->next;
        pthread_mutex_lock(&connection->lock);
        look(connection, now_ns);
        pthread_mutex_unlock(&connection->lock);
        if (++n % STRIDE == 0) {
            pthread_mutex_unlock(&connections->lock);
            pthread_mutex_lock(&connections->lock);
        }
    }
}

static void *reap(void *argument)
{
    struct jc_connections *connections = argument;
    pthread_mutex_lock(&connections->lock);
    while (!connections->stopping) {
        look_at_all(connections);
        if (!connections->stopping)
            jc_clock_wait(&connections->wake, &connections->lock, jc_clock_ns() + TICK_MS * JC_NS_PER_MS);
    }
    pthread_mutex_unlock(&connections->lock);
    return NULL;
}

jc_code jc_connections_create(const struct jc_connection_limits *limits, struct jc_metrics *metrics,
                              struct jc_connections **ret_connections, struct jc_err *err)
{
    JC_AUTO_FREE struct jc_connections *connections = calloc(1, sizeof *connections);
    if (!connections)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    connections->limits = *limits;
    connections->metrics = metrics;
    pthread_mutex_init(&connections->lock, NULL);
    pthread_cond_init(&connections->wake, NULL);
    int error = pthread_create(&connections->reaper, NULL, reap, connections);
    if (error)
        return jc_fail(err, JC_E_IO, "start the connections' thread: %s", strerror(error));
    *ret_connections = TAKE(connections);
    return JC_OK;
}

void jc_connections_destroy(struct jc_connections *connections)
{
    if (!connections)
        return;
    pthread_mutex_lock(&connections->lock);
    connections->stopping = true;
    pthread_cond_signal(&connections->wake);
    pthread_mutex_unlock(&connections->lock);
    pthread_join(connections->reaper, NULL);
    pthread_cond_destroy(&connections->wake);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

size_t jc_connections_open(struct jc_connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    size_t n = connections->n_open;
    pthread_mutex_unlock(&connections->lock);
    return n;
}

void jc_connections_drain(struct jc_connections *connections, uint64_t within_ms)
{
    pthread_mutex_lock(&connections->lock);
    uint64_t by_ns = jc_clock_ns() + within_ms * JC_NS_PER_MS;
    if (!connections->drain_by_ns || by_ns < connections->drain_by_ns)
        connections->drain_by_ns = by_ns;
    pthread_mutex_unlock(&connections->lock);
}

void jc_connections_end_idle(struct jc_connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    connections->end_idle = true;
    pthread_cond_signal(&connections->wake);
    pthread_mutex_unlock(&connections->lock);
}

bool jc_connections_unread(struct jc_connections *connections)
{
    bool unread = false;
    pthread_mutex_lock(&connections->lock);
    for (struct jc_connection *connection = connections->first; connection && !unread; connection = connection->next) {
        int n_unread = 0;
        pthread_mutex_lock(&connection->lock);
        unread = !connection->ended && connection->phase <= JC_PHASE_BODY &&
                 ioctl(connection->fd, SIOCINQ, &n_unread) == 0 && n_unread > 0;
        pthread_mutex_unlock(&connection->lock);
    }
    pthread_mutex_unlock(&connections->lock);
    return unread;
}

struct jc_connection *jc_connection_create(struct jc_connections *connections, int fd, const struct jc_address *address)
{
    struct jc_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    connection->table = connections;
    connection->fd = fd;
    connection->address = *address;
    connection->since_ns = jc_clock_ns();
    connection->has_sample = true; /* of a new socket: nothing has been taken from it */
    pthread_mutex_init(&connection->lock, NULL);
    pthread_mutex_lock(&connections->lock);
    connection->next = connections->first;
    if (connection->next)
        connection->next->previous = connection;
    connections->first = connection;
    connections->n_open++;
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void jc_connection_destroy(struct jc_connection *connection)
{
    struct jc_connections *connections = connection->table;
    pthread_mutex_lock(&connections->lock);
    if (connections->next == connection)
        connections->next = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        connections->first = connection->next;
    connections->n_open--;
    pthread_mutex_unlock(&connections->lock);
    /* The reaper holds both locks to touch it, and cannot find it any more. */
    if (!connection->ended)
        jc_metrics_closed(connections->metrics, JC_CLOSED_NORMALLY);
    pthread_mutex_destroy(&connection->lock);
    free(connection);
}

bool jc_connection_enter(struct jc_connection *connection, enum jc_phase phase)
{
    pthread_mutex_lock(&connection->lock);
    bool goes_on = !connection->ended;
    if (phase == JC_PHASE_IDLE) {
        connection->has_answered = true;
        connection->has_sample = false;
        connection->id[0] = '\0';
    }
    connection->gone_ns = 0;
    if (phase != connection->phase) { /* a head that was noticed before its first line was whole keeps its time */
        connection->phase = phase;
        connection->since_ns = jc_clock_ns();
    }
    pthread_mutex_unlock(&connection->lock);
    return goes_on;
}

void jc_connection_name(struct jc_connection *connection, const char id[JC_REQUEST_ID], const struct jc_address *client)
{
    pthread_mutex_lock(&connection->lock);
    memcpy(connection->id, id, JC_REQUEST_ID);
    connection->client = *client;
    pthread_mutex_unlock(&connection->lock);
}

jc_code jc_connections_fail_limit(struct jc_problem *problem)
{
    jc_code code = jc_problem_set(problem, JC_PROBLEM_CONNECTION_LIMIT, NULL, "Too much is open from your address.");
    problem->retry_after_s = 1;
    return code;
}

void jc_connection_refuse(struct jc_connection *connection, enum jc_closed why)
{
    struct jc_problem problem = {0};
    jc_connections_fail_limit(&problem);
    pthread_mutex_lock(&connection->lock);
    send_problem(connection, &problem);
    end(connection, why);
    pthread_mutex_unlock(&connection->lock);
}

const struct jc_address *jc_connection_address(const struct jc_connection *connection)
{
    return &connection->address;
}
