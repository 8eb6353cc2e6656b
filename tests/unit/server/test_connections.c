/* The table of connections over real sockets: each phase's deadline, drains, refusals; many threads at once. */
#include "server/wire/connections.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#define HOUR_MS 3600000
#define SOON_MS 50

/* Both ends of a TCP connection. */
struct pair {
    int ours, theirs;
};

static struct pair connect_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    JC_AUTO_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pair pair = {.theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
    REQUIRE(getsockname(listener, (struct sockaddr *)&address, &n) == 0);
    REQUIRE(connect(pair.theirs, (struct sockaddr *)&address, sizeof address) == 0);
    pair.ours = accept(listener, NULL, NULL);
    REQUIRE(pair.ours >= 0);
    return pair;
}

static void close_pair(const struct pair *pair)
{
    close(pair->ours);
    close(pair->theirs);
}

/* All the client gets until the end; the reaper must end it, however long that takes. */
static const char *read_all(const struct pair *pair)
{
    static char text[4096];
    size_t n = 0;
    for (ssize_t got; (got = read(pair->theirs, text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    return text;
}

static bool is_open(const struct pair *pair)
{
    struct pollfd poller = {.fd = pair->theirs, .events = POLLIN};
    return poll(&poller, 1, 0) == 0;
}

struct table {
    struct jc_metrics *metrics;
    struct jc_connections *connections;
};

/* Every phase has an hour, but `short_one`. */
static struct table create_table(enum jc_phase short_one)
{
    struct jc_err err;
    struct table table;
    struct jc_connection_limits limits = {.timeout_ms = {HOUR_MS, HOUR_MS, HOUR_MS, 0, HOUR_MS}};
    limits.timeout_ms[short_one] = short_one == JC_PHASE_WORKING ? 0 : SOON_MS;
    REQUIRE_OK(jc_metrics_create(1, &table.metrics, &err));
    REQUIRE_OK(jc_connections_create(&limits, table.metrics, &table.connections, &err));
    return table;
}

static void destroy_table(struct table *table)
{
    jc_connections_destroy(table->connections);
    jc_metrics_destroy(table->metrics);
}

static struct jc_connection *open_pair(const struct table *table, const struct pair *pair)
{
    struct jc_address address = {{0}};
    struct jc_connection *connection = jc_connection_create(table->connections, pair->ours, &address);
    REQUIRE(connection);
    return connection;
}

/* A connection that is in `phase` when that is the one with a deadline. */
static void check_phase(enum jc_phase phase, const char *answer)
{
    struct table table = create_table(phase);
    struct pair pair = connect_pair(), other = connect_pair();
    struct jc_connection *connection = open_pair(&table, &pair), *working = open_pair(&table, &other);
    CHECK(jc_connection_enter(working, JC_PHASE_WORKING));
    CHECK_INT(jc_connections_open(table.connections), 2);
    for (enum jc_phase passed = JC_PHASE_HEAD; passed <= phase; passed++)
        CHECK(jc_connection_enter(connection, passed) || passed == phase);
    CHECK_CONTAINS(read_all(&pair), answer);
    CHECK(!jc_connection_enter(connection, JC_PHASE_SENDING));
    CHECK(is_open(&other)); /* a request that waits for a worker has no deadline */
    jc_connection_destroy(connection);
    jc_connection_destroy(working);
    CHECK_INT(jc_connections_open(table.connections), 0);
    close_pair(&pair);
    close_pair(&other);
    destroy_table(&table);
}

/* The first bytes of a request start the clock of its head, though no one has read them. */
static void test_first_bytes(void)
{
    struct table table = create_table(JC_PHASE_HEAD);
    struct pair fresh = connect_pair(), silent = connect_pair();
    struct jc_connection *one = open_pair(&table, &fresh), *two = open_pair(&table, &silent);
    REQUIRE(write(fresh.theirs, "G", 1) == 1);
    CHECK_CONTAINS(read_all(&fresh), "HTTP/1.1 408 ");
    CHECK(is_open(&silent));
    jc_connection_destroy(one);
    jc_connection_destroy(two);
    close_pair(&fresh);
    close_pair(&silent);
    destroy_table(&table);
}

/* What has come and was not read, where no request is under way. */
static void test_unread(void)
{
    struct table table = create_table(JC_PHASE_WORKING);
    struct pair pair = connect_pair(), silent = connect_pair();
    struct jc_connection *one = open_pair(&table, &pair), *two = open_pair(&table, &silent);
    struct pollfd poller = {.fd = pair.ours, .events = POLLIN};
    char byte;
    CHECK(!jc_connections_unread(table.connections));
    REQUIRE(write(pair.theirs, "G", 1) == 1 && poll(&poller, 1, -1) == 1);
    CHECK(jc_connections_unread(table.connections));
    REQUIRE(read(pair.ours, &byte, 1) == 1);
    CHECK(!jc_connections_unread(table.connections));
    REQUIRE(write(pair.theirs, "E", 1) == 1 && poll(&poller, 1, -1) == 1);
    CHECK(jc_connection_enter(one, JC_PHASE_WORKING));
    CHECK(!jc_connections_unread(table.connections)); /* it counts as under way */
    jc_connection_destroy(one);
    jc_connection_destroy(two);
    close_pair(&pair);
    close_pair(&silent);
    destroy_table(&table);
}

/* A client that closed and whose request is not whole is let go long before any deadline. */
static void test_gone(void)
{
    struct table table = create_table(JC_PHASE_WORKING);
    struct pair half = connect_pair(), idle = connect_pair();
    struct jc_connection *one = open_pair(&table, &half), *two = open_pair(&table, &idle);
    char byte;
    REQUIRE(write(half.theirs, "P", 1) == 1 && read(half.ours, &byte, 1) == 1);
    CHECK(jc_connection_enter(one, JC_PHASE_BODY));
    shutdown(half.theirs, SHUT_WR);
    shutdown(idle.theirs, SHUT_WR);
    CHECK_STR(read_all(&half), "");
    CHECK_STR(read_all(&idle), "");
    jc_connection_destroy(one);
    jc_connection_destroy(two);
    close_pair(&half);
    close_pair(&idle);
    destroy_table(&table);
}

static void test_drain(void)
{
    struct table table = create_table(JC_PHASE_WORKING);
    struct pair half = connect_pair(), idle = connect_pair(), working = connect_pair();
    struct jc_connection *one = open_pair(&table, &half), *two = open_pair(&table, &idle),
                         *three = open_pair(&table, &working);
    CHECK(jc_connection_enter(one, JC_PHASE_BODY));
    CHECK(jc_connection_enter(two, JC_PHASE_SENDING) && jc_connection_enter(two, JC_PHASE_IDLE));
    CHECK(jc_connection_enter(three, JC_PHASE_WORKING));
    jc_connections_end_idle(table.connections);
    CHECK_STR(read_all(&idle), "");
    CHECK(is_open(&half) && is_open(&working));
    jc_connections_drain(table.connections, SOON_MS);
    CHECK_CONTAINS(read_all(&half), "request_timeout");
    CHECK(is_open(&working));
    jc_connection_destroy(one);
    jc_connection_destroy(two);
    jc_connection_destroy(three);
    close_pair(&half);
    close_pair(&idle);
    close_pair(&working);
    destroy_table(&table);
}

/* Who begins a request before the idle ones are ended is not idle, however seldom the system is asked otherwise. */
static void test_drain_of_begun(void)
{
    struct table table = create_table(JC_PHASE_WORKING);
    struct pair idle = connect_pair(), begun = connect_pair();
    struct jc_connection *one = open_pair(&table, &idle), *two = open_pair(&table, &begun);
    CHECK(jc_connection_enter(one, JC_PHASE_SENDING) && jc_connection_enter(one, JC_PHASE_IDLE));
    CHECK(jc_connection_enter(two, JC_PHASE_SENDING) && jc_connection_enter(two, JC_PHASE_IDLE));
    usleep(250000); /* it has been asked by then, most likely */
    REQUIRE(write(begun.theirs, "G", 1) == 1);
    jc_connections_end_idle(table.connections);
    CHECK_STR(read_all(&idle), "");
    CHECK(is_open(&begun));
    jc_connection_destroy(one);
    jc_connection_destroy(two);
    close_pair(&idle);
    close_pair(&begun);
    destroy_table(&table);
}

static void test_refuse(void)
{
    struct table table = create_table(JC_PHASE_WORKING);
    struct pair pair = connect_pair();
    struct jc_connection *connection = open_pair(&table, &pair);
    jc_connection_refuse(connection, JC_CLOSED_PER_ADDRESS);
    const char *text = read_all(&pair);
    CHECK_CONTAINS(text, "HTTP/1.1 503 ");
    CHECK_CONTAINS(text, "\r\nRetry-After: 1\r\n");
    CHECK_CONTAINS(text, "\"code\":\"too_many_connections\"");
    CHECK(!jc_connection_enter(connection, JC_PHASE_HEAD));
    jc_connection_destroy(connection);
    close_pair(&pair);
    destroy_table(&table);
}

enum { N_THREADS = 4, N_ROUNDS = 2000 };

/* Opens, goes through the phases and closes while the reaper ends what it can: a descriptor is used again at once, and
 * must not be hit by the end of the one before. */
static void *open_and_close(void *context)
{
    const struct table *table = context;
    long n_hit = 0;
    for (int i = 0; i < N_ROUNDS; i++) {
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
            return (void *)-1L;
        struct jc_address address = {{0}};
        struct jc_connection *connection = jc_connection_create(table->connections, fds[0], &address);
        if (!connection)
            return (void *)-1L;
        if (i % 3 == 0)
            usleep(100);
        /* A phase without a deadline, and then not in the table: no one may shut it down now. */
        bool alive = jc_connection_enter(connection, JC_PHASE_WORKING);
        jc_connection_destroy(connection);
        n_hit += alive && (write(fds[1], "x", 1) != 1 || read(fds[0], &(char){0}, 1) != 1);
        close(fds[0]);
        close(fds[1]);
    }
    return (void *)n_hit;
}

static void test_threads(void)
{
    struct table table = create_table(JC_PHASE_IDLE);
    pthread_t threads[N_THREADS];
    struct pair pair = connect_pair();
    struct jc_connection *connection = open_pair(&table, &pair);
    for (size_t i = 0; i < N_THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, open_and_close, &table) == 0);
    CHECK_STR(read_all(&pair), "");
    for (size_t i = 0; i < N_THREADS; i++) {
        void *n_hit;
        pthread_join(threads[i], &n_hit);
        CHECK(n_hit == NULL);
    }
    jc_connection_destroy(connection);
    CHECK_INT(jc_connections_open(table.connections), 0);
    close_pair(&pair);
    destroy_table(&table);
}

int main(void)
{
    check_phase(JC_PHASE_IDLE, "");
    check_phase(JC_PHASE_HEAD, "HTTP/1.1 408 ");
    check_phase(JC_PHASE_BODY, "HTTP/1.1 408 ");
    check_phase(JC_PHASE_SENDING, "");
    test_first_bytes();
    test_unread();
    test_gone();
    test_drain();
    test_drain_of_begun();
    test_refuse();
    test_threads();
    return check_finish();
}
