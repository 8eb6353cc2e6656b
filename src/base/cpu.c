/* Cores this process may use. See cpu.h. */
#include "base/cpu.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

/* The CPU quota of a cgroup v2 file ("max 100000" or "150000 100000") in cores, or 0 for none. */
static double read_quota_v2(const char *path)
{
    JC_AUTO_FILE FILE *file = fopen(path, "re");
    double quota, period;
    return file && fscanf(file, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0 ? quota / period : 0;
}

static double read_number(const char *path)
{
    JC_AUTO_FILE FILE *file = fopen(path, "re");
    double value;
    return file && fscanf(file, "%lf", &value) == 1 ? value : 0;
}

/* Inside a container the process sees its own group at the root of the mount. */
static double read_quota(void)
{
    double cores = read_quota_v2("/sys/fs/cgroup/cpu.max");
    if (cores > 0)
        return cores;
    double quota = read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    double period = read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    return quota > 0 && period > 0 ? quota / period : 0;
}

unsigned jc_cpu_count(void)
{
    cpu_set_t set;
    unsigned n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        n = (unsigned)CPU_COUNT(&set);

    double quota = read_quota();
    if (quota > 0 && quota < n)
        n = (unsigned)fmax(1, ceil(quota));
    return n;
}
