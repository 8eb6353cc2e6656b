/* Signals as wishes. See signals.h. */
#include "server/life/signals.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

static int posted = -1; /* an eventfd that counts the wishes below */
static atomic_uint n_wishes[JC_N_WISHES];
static atomic_int last_stop;

void jc_signals_post(enum jc_wish wish)
{
    const uint64_t one = 1;
    atomic_fetch_add(&n_wishes[wish], 1);
    /* Fails only where 2^64 wishes wait already. */
    (void)!write(posted, &one, sizeof one);
}

static void note(int number)
{
    int saved = errno;
    if (number != SIGHUP)
        atomic_store(&last_stop, number);
    jc_signals_post(number == SIGHUP ? JC_WISH_RELOAD : JC_WISH_STOP);
    errno = saved;
}

/* A handler, and not sigwait: libraries start threads before main, which do not block signals, so that a second SIGTERM
 * would end the process while it drains. */
jc_code jc_signals_catch(struct jc_err *err)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    posted = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    if (posted < 0)
        return jc_fail_errno(err, JC_E_IO, "make an event descriptor");
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return JC_OK;
}

/* Whether there is a wish before the time is up. */
static bool wait_for_wish(uint64_t timeout_ms)
{
    const uint64_t start = jc_clock_ns();
    uint64_t one, passed_ms;
    while (read(posted, &one, sizeof one) != sizeof one) {
        if ((passed_ms = (jc_clock_ns() - start) / JC_NS_PER_MS) >= timeout_ms)
            return false;
        uint64_t left_ms = timeout_ms - passed_ms;
        struct pollfd fd = {.fd = posted, .events = POLLIN};
        poll(&fd, 1, left_ms > INT_MAX ? -1 : (int)left_ms);
    }
    return true;
}

enum jc_wish jc_signals_wait(uint64_t timeout_ms)
{
    if (!wait_for_wish(timeout_ms))
        return JC_WISH_NONE;
    /* Each post counted one wish first, and only this thread takes them. */
    for (enum jc_wish wish = JC_WISH_STOP; wish < JC_N_WISHES; wish++) {
        if (atomic_load(&n_wishes[wish]) > 0) {
            atomic_fetch_sub(&n_wishes[wish], 1);
            return wish;
        }
    }
    return JC_WISH_NONE;
}

int jc_signals_last(void)
{
    return atomic_load(&last_stop);
}
