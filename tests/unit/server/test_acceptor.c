/* The thread that accepts connections, over real sockets: how many it takes, a shortage, and its end. */
#include "server/wire/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>

#include "base/own.h"
#include "check.h"

enum { MOST_CLIENTS = 64 };

/* What the acceptor took. */
struct taken {
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t n;
    int fds[MOST_CLIENTS];
    bool refuses;
};

struct server {
    struct taken taken;
    struct sockaddr_in address;
    struct jc_acceptor *acceptor;
};

static bool take(void *context, int fd, const struct sockaddr *address, socklen_t n_address)
{
    struct taken *taken = context;
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(n_address == sizeof(struct sockaddr_in) && address->sa_family == AF_INET);
    if (taken->refuses) {
        close(fd);
        return false;
    }
    pthread_mutex_lock(&taken->lock);
    taken->fds[taken->n++] = fd;
    pthread_cond_signal(&taken->more);
    pthread_mutex_unlock(&taken->lock);
    return true;
}

static void create_server(struct server *server, unsigned most_open)
{
    struct jc_err err;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t n = sizeof server->address;
    *server = (struct server){.taken = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER},
                              .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    REQUIRE(bind(fd, (struct sockaddr *)&server->address, n) == 0 && listen(fd, MOST_CLIENTS) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)&server->address, &n) == 0);
    const struct jc_acceptor_options options = {
        .fd = fd, .most_open = most_open, .take = take, .context = &server->taken};
    REQUIRE_OK(jc_acceptor_create(&options, &server->acceptor, &err));
}

static void start(struct server *server)
{
    struct jc_err err;
    REQUIRE_OK(jc_acceptor_start(server->acceptor, &err));
}

static void destroy_server(struct server *server)
{
    jc_acceptor_destroy(server->acceptor);
    for (size_t i = 0; i < server->taken.n; i++)
        if (server->taken.fds[i] >= 0)
            close(server->taken.fds[i]);
}

static int open_client(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    return fd;
}

static void connect_client(const struct server *server, int fd)
{
    REQUIRE(connect(fd, (const struct sockaddr *)&server->address, sizeof server->address) == 0);
}

static void connect_clients(const struct server *server, int fds[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        connect_client(server, fds[i] = open_client());
}

static void close_clients(const int fds[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

static void wait_until_taken(struct server *server, size_t n)
{
    pthread_mutex_lock(&server->taken.lock);
    while (server->taken.n < n)
        pthread_cond_wait(&server->taken.more, &server->taken.lock);
    pthread_mutex_unlock(&server->taken.lock);
}

/* Waits for its end. */
static bool is_reset(int fd)
{
    char byte;
    return read(fd, &byte, 1) < 0 && errno == ECONNRESET;
}

static bool is_refused(const struct server *server)
{
    JC_AUTO_FD int fd = open_client();
    return connect(fd, (const struct sockaddr *)&server->address, sizeof server->address) < 0 && errno == ECONNREFUSED;
}

static void close_one(struct server *server, size_t i)
{
    close(server->taken.fds[i]);
    server->taken.fds[i] = -1;
    jc_acceptor_closed(server->acceptor);
}

static void test_not_started(void)
{
    struct server server;
    int client;
    jc_acceptor_destroy(NULL);
    create_server(&server, 1);
    connect_clients(&server, &client, 1);
    destroy_server(&server);
    CHECK(is_reset(client));
    CHECK_INT(server.taken.n, 0);
    close(client);
}

/* One too many waits, and is taken when another has closed; what waits in the end, and does not fit, is reset. */
static void test_most_open(void)
{
    struct server server;
    int clients[4];
    create_server(&server, 2);
    connect_clients(&server, clients, 4);
    start(&server);
    wait_until_taken(&server, 2);
    close_one(&server, 0);
    wait_until_taken(&server, 3);
    jc_acceptor_stop(server.acceptor);
    CHECK_INT(server.taken.n, 3);
    CHECK(is_reset(clients[3]));
    CHECK(is_refused(&server));
    jc_acceptor_stop(server.acceptor);
    close_one(&server, 1);
    destroy_server(&server);
    close_clients(clients, 4);
}

/* However soon the end comes. */
static void test_waiting_are_taken(void)
{
    for (int round = 0; round < 100; round++) {
        struct server server;
        int clients[16];
        create_server(&server, MOST_CLIENTS);
        connect_clients(&server, clients, 8);
        start(&server);
        connect_clients(&server, clients + 8, 8);
        jc_acceptor_stop(server.acceptor);
        CHECK_INT(server.taken.n, 16);
        CHECK(is_refused(&server));
        destroy_server(&server);
        close_clients(clients, 16);
    }
}

/* A connection that was not to be had makes room again. */
static void test_refused(void)
{
    struct server server;
    int clients[8];
    char byte;
    create_server(&server, 1);
    server.taken.refuses = true;
    start(&server);
    connect_clients(&server, clients, 8);
    for (size_t i = 0; i < 8; i++)
        CHECK_INT(read(clients[i], &byte, 1), 0);
    destroy_server(&server);
    close_clients(clients, 8);
}

/* Without descriptors connections wait, until there are some; that ends, too, with a shortage under way. */
static void test_shortage(void)
{
    struct rlimit limit, none = {0};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none.rlim_max = limit.rlim_max;
    for (rlim_t left = 0; left <= 3; left += 3) { /* with none, poll fails, too */
        struct server server;
        int clients[4];
        create_server(&server, MOST_CLIENTS);
        for (size_t i = 0; i < 4; i++)
            clients[i] = open_client();
        start(&server);
        none.rlim_cur = left;
        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
        connect_client(&server, clients[0]);
        connect_client(&server, clients[1]);
        usleep(50 * 1000); /* for it to try; the rest holds with less, too */
        CHECK_INT(server.taken.n, 0);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        wait_until_taken(&server, 2);

        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
        connect_client(&server, clients[2]);
        connect_client(&server, clients[3]);
        jc_acceptor_stop(server.acceptor);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHECK_INT(server.taken.n, 2);
        CHECK(is_reset(clients[2]) && is_reset(clients[3]));
        destroy_server(&server);
        close_clients(clients, 4);
    }
}

enum { N_CLOSERS = 3, N_ROUNDS = 2000 };

/* Connections that are closed by other threads as soon as they are taken. */
struct crowd {
    struct server server;
    size_t n_closed;
};

static void *close_taken(void *context)
{
    struct crowd *crowd = context;
    struct taken *taken = &crowd->server.taken;
    pthread_mutex_lock(&taken->lock);
    for (;;) {
        while (!taken->n && crowd->n_closed < N_ROUNDS)
            pthread_cond_wait(&taken->more, &taken->lock);
        if (!taken->n)
            break;
        int fd = taken->fds[--taken->n];
        crowd->n_closed++;
        pthread_mutex_unlock(&taken->lock);
        close(fd);
        jc_acceptor_closed(crowd->server.acceptor);
        pthread_mutex_lock(&taken->lock);
    }
    pthread_cond_broadcast(&taken->more);
    pthread_mutex_unlock(&taken->lock);
    return NULL;
}

/* No wake-up is lost where room is always short. */
static void test_threads(void)
{
    struct crowd crowd = {.n_closed = 0};
    pthread_t threads[N_CLOSERS];
    int clients[8];
    create_server(&crowd.server, 2);
    start(&crowd.server);
    for (size_t i = 0; i < N_CLOSERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, close_taken, &crowd) == 0);
    for (size_t round = 0; round < N_ROUNDS / 8; round++) {
        char byte;
        connect_clients(&crowd.server, clients, 8);
        for (size_t i = 0; i < 8; i++)
            CHECK_INT(read(clients[i], &byte, 1), 0);
        close_clients(clients, 8);
    }
    for (size_t i = 0; i < N_CLOSERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(crowd.n_closed, N_ROUNDS);
    destroy_server(&crowd.server);
}

int main(void)
{
    test_not_started();
    test_most_open();
    test_waiting_are_taken();
    test_refused();
    test_shortage();
    test_threads();
    return check_finish();
}
