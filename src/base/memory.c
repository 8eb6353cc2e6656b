/* Memory this process may use. See memory.h. */
#include "base/memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"

#define MAX_MEMBERSHIP_BYTES ((size_t)1 << 16)

/* "max", a number, or no file at all. */
static uint64_t read_limit(const char *path)
{
    JC_AUTO_FILE FILE *file = fopen(path, "re");
    uint64_t limit;
    return file && fscanf(file, "%" SCNu64, &limit) == 1 ? limit : UINT64_MAX;
}

/* The least limit from the group up to the mount's root: inside a container the names above it may not exist. */
static uint64_t least_limit(const char *mount, const char *controller, const char *group, size_t n_group,
                            const char *name)
{
    uint64_t least = UINT64_MAX;
    char path[PATH_MAX];
    for (;;) {
        int n = snprintf(path, sizeof path, "%s%s%.*s/%s", mount, controller, (int)n_group, group, name);
        uint64_t limit = n > 0 && (size_t)n < sizeof path ? read_limit(path) : UINT64_MAX;
        least = limit < least ? limit : least;
        if (n_group == 0)
            return least;
        while (n_group > 0 && group[--n_group] != '/')
            ;
    }
}

/* Whether a comma list has the word. */
static bool has_word(const char *list, size_t n_list, const char *word)
{
    size_t n_word = strlen(word);
    for (const char *at = list, *end = list + n_list; at < end;) {
        size_t n = strcspn(at, ",:");
        if (n == n_word && memcmp(at, word, n) == 0)
            return true;
        at += n + 1;
    }
    return false;
}

/* cgroups(7): lines of hierarchy:controllers:group; that of v2 names no controllers. */
uint64_t jc_memory_limit_of_groups(const char *mount, const char *membership)
{
    uint64_t least = UINT64_MAX;
    for (const char *line = membership; *line;) {
        size_t n_line = strcspn(line, "\n");
        const char *controllers = memchr(line, ':', n_line), *end = line + n_line;
        const char *group = controllers ? memchr(controllers + 1, ':', (size_t)(end - controllers - 1)) : NULL;
        if (group) {
            size_t n_controllers = (size_t)(group - controllers) - 1, n_group = (size_t)(end - group) - 1;
            uint64_t limit = UINT64_MAX;
            if (n_controllers == 0)
                limit = least_limit(mount, "", group + 1, n_group, "memory.max");
            else if (has_word(controllers + 1, n_controllers, "memory"))
                limit = least_limit(mount, "/memory", group + 1, n_group, "memory.limit_in_bytes");
            least = limit < least ? limit : least;
        }
        line = end + (*end == '\n');
    }
    return least;
}

uint64_t jc_memory_limit(void)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf text = {0};
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), limit = UINT64_MAX;
    if (jc_file_read("/proc/self/cgroup", MAX_MEMBERSHIP_BYTES, &text, &err) == JC_OK && text.data)
        limit = jc_memory_limit_of_groups("/sys/fs/cgroup", text.data);
    return limit < machine ? limit : machine;
}
