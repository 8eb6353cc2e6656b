/* Memory this process may use. See memory.h. */
#include "base/memory.h"

#include <unistd.h>

#include "base/cgroup.h"

uint64_t jc_memory_limit(void)
{
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = jc_cgroup_least(JC_CGROUP_MEMORY);
    return limit < machine ? limit : machine;
}
