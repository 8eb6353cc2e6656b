/* Limits of memory and cores: of cgroups v1 and v2, nested, hidden by a container, or none. */
#include "base/cgroup.h"

#include <sys/stat.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/memory.h"
#include "check.h"

static char mount[64];

static void write_limit(const char *group, const char *file, const char *text)
{
    char path[256];
    struct jc_err err;
    snprintf(path, sizeof path, "%s%s", mount, group);
    for (char *at = path + strlen(mount) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        mkdir(path, 0700);
    }
    mkdir(path, 0700);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", file);
    REQUIRE_OK(jc_file_write(path, text, strlen(text), &err));
}

static uint64_t least_memory(const char *membership)
{
    return jc_cgroup_least_of(JC_CGROUP_MEMORY, mount, membership);
}

static uint64_t least_cpu(const char *membership)
{
    return jc_cgroup_least_of(JC_CGROUP_CPU, mount, membership);
}

static void test_memory_v2(void)
{
    write_limit("", "memory.max", "max\n");
    write_limit("/system.slice", "memory.max", "900\n");
    write_limit("/system.slice/jobcode.service", "memory.max", "max\n");
    write_limit("/system.slice/small.service", "memory.max", "500\n");
    CHECK(least_memory("0::/\n") == UINT64_MAX);
    CHECK_INT(least_memory("0::/system.slice/jobcode.service\n"), 900);
    CHECK_INT(least_memory("0::/system.slice/small.service"), 500);
    CHECK(least_memory("0::/no/such/group\n") == UINT64_MAX);
}

static void test_memory_v1(void)
{
    write_limit("/memory", "memory.limit_in_bytes", "9223372036854771712\n");
    write_limit("/memory/docker", "memory.limit_in_bytes", "4096\n");
    CHECK_INT(least_memory("5:cpu,cpuacct:/docker\n4:hugetlb,memory:/docker\n0::/\n"), 4096);
    CHECK(least_memory("4:memoryx:/docker\n") == UINT64_MAX);
    write_limit("/memory", "memory.limit_in_bytes", "7000\n");
    CHECK_INT(least_memory("4:memory:/the/host/s/name\n0::/\n"), 7000);
}

static void test_cpu_v2(void)
{
    write_limit("/kubepods", "cpu.max", "max 100000\n");
    write_limit("/kubepods/pod", "cpu.max", "350000 100000\n");
    write_limit("/kubepods/pod/one", "cpu.max", "max 100000\n");
    write_limit("/kubepods/pod/two", "cpu.max", "50000 100000\n");
    CHECK(least_cpu("0::/\n") == UINT64_MAX);
    CHECK(least_cpu("0::/kubepods\n") == UINT64_MAX);
    CHECK_INT(least_cpu("0::/kubepods/pod/one\n"), 4);
    CHECK_INT(least_cpu("0::/kubepods/pod/two\n"), 1);
    write_limit("", "cpu.max", "200000 100000\n"); /* of a container: its own */
    CHECK_INT(least_cpu("0::/kubepods/pod/one\n"), 2);
    CHECK_INT(least_cpu("0::/the/host/s/name\n"), 2);
    write_limit("", "cpu.max", "200000 0\n");
    CHECK_INT(least_cpu("0::/kubepods/pod/one\n"), 4);
}

static void test_cpu_v1(void)
{
    write_limit("/cpu", "cpu.cfs_quota_us", "-1\n");
    write_limit("/cpu", "cpu.cfs_period_us", "100000\n");
    write_limit("/cpu/docker", "cpu.cfs_quota_us", "100001\n");
    write_limit("/cpu/docker", "cpu.cfs_period_us", "50000\n");
    write_limit("/cpu/docker/odd", "cpu.cfs_quota_us", "1\n"); /* without a period */
    CHECK(least_cpu("5:cpu,cpuacct:/\n") == UINT64_MAX);
    CHECK_INT(least_cpu("5:cpu,cpuacct:/docker/odd\n4:memory:/docker\n"), 3);
    CHECK(least_cpu("5:cpuacct:/docker\n4:memory:/docker\n") == UINT64_MAX);
}

static void test_odd_text(void)
{
    static const char *const odd[] = {"", "\n\n", "0", "0:", "0:\n:", "x:memory", "::", ":::::"};
    for (size_t i = 0; i < JC_COUNT(odd); i++) {
        CHECK(jc_cgroup_least_of(JC_CGROUP_MEMORY, "/nowhere", odd[i]) == UINT64_MAX);
        CHECK(jc_cgroup_least_of(JC_CGROUP_CPU, "/nowhere", odd[i]) == UINT64_MAX);
    }
}

int main(void)
{
    snprintf(mount, sizeof mount, "/tmp/test_cgroup.XXXXXX");
    REQUIRE(mkdtemp(mount));
    test_memory_v2();
    test_memory_v1();
    test_cpu_v2();
    test_cpu_v1();
    test_odd_text();
    CHECK(jc_memory_limit() > 0 && jc_memory_limit() <= (uint64_t)1 << 60);
    CHECK(jc_cpu_count() > 0 && jc_cpu_count() <= 1 << 16);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", mount);
    CHECK_INT(system(command), 0);
    return check_finish();
}
