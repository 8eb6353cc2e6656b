/* Monotonic and wall-clock time. See clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t jc_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * JC_NS_PER_S + (uint64_t)now.tv_nsec;
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
