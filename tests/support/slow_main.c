/*
 * To be loaded before a program (LD_PRELOAD): its main thread takes a while for each change to an event queue, so that
 * whatever other threads might do at that moment, they do. Where SLOW_EVENTS_MS is set, every thread takes so long from
 * an event to what it does about it, as on a machine that has other work.
 */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLOW_NS (2 * 1000 * 1000)

int epoll_ctl(int queue, int operation, int fd, struct epoll_event *event)
{
    if (getpid() == (pid_t)syscall(SYS_gettid))
        nanosleep(&(struct timespec){.tv_nsec = SLOW_NS}, NULL);
    return (int)syscall(SYS_epoll_ctl, queue, operation, fd, event);
}

int epoll_wait(int queue, struct epoll_event *events, int most, int timeout_ms)
{
    const char *slow_ms = getenv("SLOW_EVENTS_MS");
    int n = (int)syscall(SYS_epoll_pwait, queue, events, most, timeout_ms, NULL, _NSIG / 8);
    if (n > 0 && slow_ms)
        usleep((useconds_t)atoi(slow_ms) * 1000);
    return n;
}
