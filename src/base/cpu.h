/* How many cores this process may use: the affinity mask, cut to the CPU quotas of its cgroup and of those above it (v1
 * and v2), rounded up. At least 1. Threads: any. */
#ifndef JC_BASE_CPU_H
#define JC_BASE_CPU_H

unsigned jc_cpu_count(void);

#endif
