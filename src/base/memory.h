/*
 * How much memory this process may use: the machine's, cut to the limits of its cgroup and of those above it (v1 and
 * v2). Threads: any.
 */
#ifndef JC_BASE_MEMORY_H
#define JC_BASE_MEMORY_H

#include <stdint.h>

/* In bytes. */
uint64_t jc_memory_limit(void);

#endif
