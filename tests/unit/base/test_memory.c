/* The memory limit: of cgroups v1 and v2, nested, hidden by a container, or none. */
#include "base/memory.h"

#include <sys/stat.h>

#include "base/file.h"
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

static void test_v2(void)
{
    write_limit("", "memory.max", "max\n");
    write_limit("/system.slice", "memory.max", "900\n");
    write_limit("/system.slice/jobcode.service", "memory.max", "max\n");
    write_limit("/system.slice/small.service", "memory.max", "500\n");
    CHECK(jc_memory_limit_of_groups(mount, "0::/\n") == UINT64_MAX);
    CHECK_INT(jc_memory_limit_of_groups(mount, "0::/system.slice/jobcode.service\n"), 900);
    CHECK_INT(jc_memory_limit_of_groups(mount, "0::/system.slice/small.service"), 500);
    CHECK(jc_memory_limit_of_groups(mount, "0::/no/such/group\n") == UINT64_MAX);
}

static void test_v1(void)
{
    write_limit("/memory", "memory.limit_in_bytes", "9223372036854771712\n");
    write_limit("/memory/docker", "memory.limit_in_bytes", "4096\n");
    CHECK_INT(jc_memory_limit_of_groups(mount, "5:cpu,cpuacct:/docker\n4:hugetlb,memory:/docker\n0::/\n"), 4096);
    CHECK(jc_memory_limit_of_groups(mount, "4:memoryx:/docker\n") == UINT64_MAX);
    write_limit("/memory", "memory.limit_in_bytes", "7000\n");
    CHECK_INT(jc_memory_limit_of_groups(mount, "4:memory:/the/host/s/name\n0::/\n"), 7000);
}

static void test_odd_text(void)
{
    static const char *const odd[] = {"", "\n\n", "0", "0:", "0:\n:", "x:memory", "::", ":::::"};
    for (size_t i = 0; i < JC_COUNT(odd); i++)
        CHECK(jc_memory_limit_of_groups("/nowhere", odd[i]) == UINT64_MAX);
}

int main(void)
{
    snprintf(mount, sizeof mount, "/tmp/test_memory.XXXXXX");
    REQUIRE(mkdtemp(mount));
    test_v2();
    test_v1();
    test_odd_text();
    CHECK(jc_memory_limit() > 0 && jc_memory_limit() <= (uint64_t)1 << 60);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", mount);
    CHECK_INT(system(command), 0);
    return check_finish();
}
