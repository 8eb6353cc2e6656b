/* Time: a monotonic clock in nanoseconds for durations, wall-clock text for logs. Threads: any. */
#ifndef JC_BASE_CLOCK_H
#define JC_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define JC_NS_PER_MS UINT64_C(1000000)
#define JC_NS_PER_S UINT64_C(1000000000)

uint64_t jc_clock_ns(void);

/* Now in UTC as "2026-01-31T23:59:59.123Z" (24 characters and a NUL). */
#define JC_CLOCK_TEXT 25
void jc_clock_utc(char ret_text[JC_CLOCK_TEXT]);

#endif
