/* Sharing a device's time. See device_time.h. */
#include "server/queue/device_time.h"

/* In whole nanoseconds: what one batch alone used is exact. */
static void advance(struct jc_device_time *time, uint64_t now_ns)
{
    if (time->n_running)
        time->each_ns += (now_ns - time->changed_ns) / time->n_running;
    time->changed_ns = now_ns;
}

struct jc_device_span jc_device_time_begin(struct jc_device_time *time, uint64_t now_ns)
{
    advance(time, now_ns);
    time->n_running++;
    return (struct jc_device_span){.begun_ns = now_ns, .each_ns = time->each_ns};
}

double jc_device_time_end(struct jc_device_time *time, const struct jc_device_span *span, uint64_t now_ns)
{
    advance(time, now_ns);
    time->n_running--;
    return now_ns > span->begun_ns ? (double)(time->each_ns - span->each_ns) / (double)(now_ns - span->begun_ns) : 1;
}
