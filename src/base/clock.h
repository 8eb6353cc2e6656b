/* Time: a monotonic clock in nanoseconds for durations and waits, wall-clock text for logs. Threads: any. */
#ifndef JC_BASE_CLOCK_H
#define JC_BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define JC_NS_PER_MS UINT64_C(1000000)
#define JC_NS_PER_S UINT64_C(1000000000)

uint64_t jc_clock_ns(void);

struct timespec jc_clock_timespec(uint64_t ns);

/* pthread_cond_wait until due_ns of jc_clock_ns (UINT64_MAX: for ever). Returns whether that time has come. */
bool jc_clock_wait(pthread_cond_t *changed, pthread_mutex_t *lock, uint64_t due_ns);

/* Now in UTC as "2026-01-31T23:59:59.123Z" (24 characters and a NUL). */
#define JC_CLOCK_TEXT 25
void jc_clock_utc(char ret_text[JC_CLOCK_TEXT]);

#endif
