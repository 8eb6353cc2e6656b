/* Monotonic and wall-clock time. See clock.h. */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

uint64_t jc_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * JC_NS_PER_S + (uint64_t)now.tv_nsec;
}

struct timespec jc_clock_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / JC_NS_PER_S), .tv_nsec = (long)(ns % JC_NS_PER_S)};
}

bool jc_clock_wait(pthread_cond_t *changed, pthread_mutex_t *lock, uint64_t due_ns)
{
    const struct timespec due = jc_clock_timespec(due_ns);
    return pthread_cond_clockwait(changed, lock, CLOCK_MONOTONIC, &due) == ETIMEDOUT;
}

void jc_clock_utc(char ret_text[JC_CLOCK_TEXT])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(ret_text, JC_CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_text + n, JC_CLOCK_TEXT - n, ".%03uZ", (unsigned)(now.tv_nsec / 1000000) % 1000U);
}
