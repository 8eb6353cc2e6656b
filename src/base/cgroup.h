/*
 * What the cgroups of this process allow it: the least of its group and of those above it, of v1 and v2.
 * Threads: any.
 */
#ifndef JC_BASE_CGROUP_H
#define JC_BASE_CGROUP_H

#include <stdint.h>

enum jc_cgroup_limit {
    JC_CGROUP_MEMORY, /* bytes */
    JC_CGROUP_CPU,    /* cores, rounded up */
};

/* UINT64_MAX = no limit. */
uint64_t jc_cgroup_least(enum jc_cgroup_limit limit);

/* The same of a cgroup mount and a text as /proc/self/cgroup's. */
uint64_t jc_cgroup_least_of(enum jc_cgroup_limit limit, const char *mount, const char *membership);

#endif
