/* Cores this process may use. See cpu.h. */
#include "base/cpu.h"

#include <sched.h>

#include "base/cgroup.h"

unsigned jc_cpu_count(void)
{
    cpu_set_t set;
    unsigned n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        n = (unsigned)CPU_COUNT(&set);
    uint64_t quota = jc_cgroup_least(JC_CGROUP_CPU);
    return quota >= n ? n : quota > 0 ? (unsigned)quota : 1;
}
