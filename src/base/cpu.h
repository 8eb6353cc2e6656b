/* How many cores this process may use: the affinity mask, cut to the cgroup's CPU quota (v1 and v2). At least 1. */
#ifndef JC_BASE_CPU_H
#define JC_BASE_CPU_H

unsigned jc_cpu_count(void);

#endif
