/*
 * To be loaded before a program (LD_PRELOAD): its main thread takes a while for each change to an event queue, so that
 * whatever other threads might do at that moment, they do.
 */
#include <stddef.h>
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
