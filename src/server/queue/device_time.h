/*
 * The time of a device that several batches run on at once: while k do, each uses a k-th of it. So the times of all
 * batches add up to that in which the device had any, and a batch that overlaps another does not seem to cost more than
 * the same one alone, only because it waited for the other's kernels. (The virtual time of processor sharing: Parekh and
 * Gallager, A generalized processor sharing approach to flow control, IEEE/ACM ToN 1(3), 1993.)
 * Threads: the caller's lock; `now_ns` never runs backwards.
 */
#ifndef JC_SERVER_QUEUE_DEVICE_TIME_H
#define JC_SERVER_QUEUE_DEVICE_TIME_H

#include <stddef.h>
#include <stdint.h>

/* All zero: nothing runs. */
struct jc_device_time {
    size_t n_running;
    uint64_t changed_ns; /* when n_running changed last */
    uint64_t each_ns;    /* what a batch that had always run would have used by then */
};

/* A batch on the device. */
struct jc_device_span {
    uint64_t begun_ns, each_ns;
};

struct jc_device_span jc_device_time_begin(struct jc_device_time *time, uint64_t now_ns);

/* Which share of the time since its beginning the batch used: 1 where it was alone. Once for each span. */
double jc_device_time_end(struct jc_device_time *time, const struct jc_device_span *span, uint64_t now_ns);

#endif
