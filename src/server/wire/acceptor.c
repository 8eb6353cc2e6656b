/* A thread that accepts connections, as many as may be open. See acceptor.h. */
#include "server/wire/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/own.h"

/* Until the next try where the system is short of descriptors or memory: whoever frees some may be another process. */
#define SHORTAGE_MS 20

/* Connections taken without a look at anything else: all that a queue may hold. More may come meanwhile. */
#define MOST_AT_ONCE SOMAXCONN

struct jc_acceptor {
    struct jc_acceptor_options options;
    int wake; /* an eventfd */
    pthread_t thread;
    bool started; /* and not joined */

    pthread_mutex_t lock; /* what follows */
    unsigned n_open;
    bool waits_for_room; /* who closes one wakes it */
    bool stopping;
};

static void wake_up(const struct jc_acceptor *acceptor)
{
    const uint64_t one = 1;
    (void)!write(acceptor->wake, &one, sizeof one); /* fails only where it is awake already */
}

static bool is_full(struct jc_acceptor *acceptor)
{
    return jc_acceptor_open(acceptor) >= acceptor->options.most_open;
}

static void hand_over(struct jc_acceptor *acceptor, int fd, const struct sockaddr *address, socklen_t n_address)
{
    pthread_mutex_lock(&acceptor->lock);
    acceptor->n_open++; /* first: it may be closed before `take` returns */
    pthread_mutex_unlock(&acceptor->lock);
    if (!acceptor->options.take(acceptor->options.context, fd, address, n_address))
        jc_acceptor_closed(acceptor);
}

/* Until the queue is empty or no more may be open. Returns whether it ended because the system is short of something. */
static bool take_waiting(struct jc_acceptor *acceptor)
{
    for (int i = 0; i < MOST_AT_ONCE && !is_full(acceptor); i++) {
        struct sockaddr_storage address;
        socklen_t n = sizeof address;
        int fd = accept4(acceptor->options.fd, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            hand_over(acceptor, fd, (struct sockaddr *)&address, n);
        else if (errno == EAGAIN)
            return false;
        else if (errno != EINTR && errno != ECONNABORTED)
            return true; /* whatever it is, trying again at once would be for ever */
    }
    return false;
}

/* Until a connection waits that may be taken, or it is told to stop, and then returns false. */
static bool wait_for_work(struct jc_acceptor *acceptor, bool is_short)
{
    pthread_mutex_lock(&acceptor->lock);
    bool stopping = acceptor->stopping;
    bool needs_room = is_short || acceptor->n_open >= acceptor->options.most_open;
    acceptor->waits_for_room = needs_room;
    pthread_mutex_unlock(&acceptor->lock);
    if (stopping)
        return false;

    struct pollfd fds[] = {{.fd = acceptor->wake, .events = POLLIN},
                           {.fd = needs_room ? -1 : acceptor->options.fd, .events = POLLIN}};
    uint64_t count;
    if (poll(fds, 2, is_short ? SHORTAGE_MS : -1) < 0 && errno != EINTR) /* short of memory, too */
        nanosleep(&(struct timespec){.tv_nsec = SHORTAGE_MS * 1000 * 1000}, NULL);
    (void)!read(acceptor->wake, &count, sizeof count);
    return true;
}

static void *accept_connections(void *argument)
{
    struct jc_acceptor *acceptor = argument;
    bool is_short = false;
    while (wait_for_work(acceptor, is_short))
        is_short = take_waiting(acceptor);
    (void)take_waiting(acceptor);
    return NULL;
}

jc_code jc_acceptor_create(const struct jc_acceptor_options *options, struct jc_acceptor **ret_acceptor,
                           struct jc_err *err)
{
    JC_AUTO_FREE struct jc_acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (!acceptor)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    acceptor->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (acceptor->wake < 0)
        return jc_fail_errno(err, JC_E_IO, "make an event descriptor");
    acceptor->options = *options;
    pthread_mutex_init(&acceptor->lock, NULL);
    *ret_acceptor = TAKE(acceptor);
    return JC_OK;
}

void jc_acceptor_destroy(struct jc_acceptor *acceptor)
{
    if (!acceptor)
        return;
    jc_acceptor_stop(acceptor);
    close(acceptor->wake);
    pthread_mutex_destroy(&acceptor->lock);
    free(acceptor);
}

jc_code jc_acceptor_start(struct jc_acceptor *acceptor, struct jc_err *err)
{
    int error = pthread_create(&acceptor->thread, NULL, accept_connections, acceptor);
    if (error)
        return jc_fail(err, JC_E_IO, "start the thread that accepts connections: %s", strerror(error));
    acceptor->started = true;
    return JC_OK;
}

unsigned jc_acceptor_open(struct jc_acceptor *acceptor)
{
    pthread_mutex_lock(&acceptor->lock);
    unsigned n = acceptor->n_open;
    pthread_mutex_unlock(&acceptor->lock);
    return n;
}

void jc_acceptor_closed(struct jc_acceptor *acceptor)
{
    pthread_mutex_lock(&acceptor->lock);
    acceptor->n_open--;
    bool wakes = acceptor->waits_for_room;
    acceptor->waits_for_room = false;
    pthread_mutex_unlock(&acceptor->lock);
    if (wakes)
        wake_up(acceptor);
}

void jc_acceptor_stop(struct jc_acceptor *acceptor)
{
    if (acceptor->started) {
        pthread_mutex_lock(&acceptor->lock);
        acceptor->stopping = true;
        pthread_mutex_unlock(&acceptor->lock);
        wake_up(acceptor);
        pthread_join(acceptor->thread, NULL);
    }
    acceptor->started = false;
    if (acceptor->options.fd >= 0)
        close(acceptor->options.fd);
    acceptor->options.fd = -1;
}
