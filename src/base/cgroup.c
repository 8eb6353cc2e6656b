/* The limits of cgroups. See cgroup.h. */
#include "base/cgroup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"

#define MAX_MEMBERSHIP_BYTES ((size_t)1 << 16)

/* Where a limit stands. A quota is for a period: in v2 behind it in the same file, in v1 in another one. */
static const struct place {
    const char *controller; /* of v1 */
    const char *v2, *v1, *v1_period;
} places[] = {
    [JC_CGROUP_MEMORY] = {"memory", "memory.max", "memory.limit_in_bytes", NULL},
    [JC_CGROUP_CPU] = {"cpu", "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us"},
};

/* Returns how many of the two numbers there are: none where it says "max", or is no file at all. */
static int read_numbers(const char *folder, const char *name, int64_t *ret_first, int64_t *ret_second)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    JC_AUTO_FILE FILE *file = n > 0 && (size_t)n < sizeof path ? fopen(path, "re") : NULL;
    return file ? fscanf(file, "%" SCNd64 " %" SCNd64, ret_first, ret_second) : 0;
}

static uint64_t read_limit(const char *folder, const char *name, const char *period_name)
{
    int64_t limit, period = 1, none;
    if (read_numbers(folder, name, &limit, &period) < 1 || limit < 0)
        return UINT64_MAX;
    if ((period_name && read_numbers(folder, period_name, &period, &none) < 1) || period < 1)
        return UINT64_MAX;
    return (uint64_t)(limit / period + (limit % period != 0));
}

/* The least limit from the group up to the mount's root: inside a container the names above it may not exist. */
static uint64_t find_least(const char *mount, const char *controller, const char *group, size_t n_group,
                           const char *name, const char *period_name)
{
    uint64_t least = UINT64_MAX;
    char folder[PATH_MAX];
    for (;;) {
        int n = snprintf(folder, sizeof folder, "%s/%s%.*s", mount, controller, (int)n_group, group);
        uint64_t limit = n > 0 && (size_t)n < sizeof folder ? read_limit(folder, name, period_name) : UINT64_MAX;
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
uint64_t jc_cgroup_least_of(enum jc_cgroup_limit limit, const char *mount, const char *membership)
{
    const struct place *place = &places[limit];
    uint64_t least = UINT64_MAX;
    for (const char *line = membership; *line;) {
        size_t n_line = strcspn(line, "\n");
        const char *controllers = memchr(line, ':', n_line), *end = line + n_line;
        const char *group = controllers ? memchr(controllers + 1, ':', (size_t)(end - controllers - 1)) : NULL;
        if (group) {
            size_t n_controllers = (size_t)(group - controllers) - 1, n_group = (size_t)(end - group) - 1;
            uint64_t found = UINT64_MAX;
            if (n_controllers == 0)
                found = find_least(mount, "", group + 1, n_group, place->v2, NULL);
            else if (has_word(controllers + 1, n_controllers, place->controller))
                found = find_least(mount, place->controller, group + 1, n_group, place->v1, place->v1_period);
            least = found < least ? found : least;
        }
        line = end + (*end == '\n');
    }
    return least;
}

uint64_t jc_cgroup_least(enum jc_cgroup_limit limit)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf text = {0};
    if (jc_file_read("/proc/self/cgroup", MAX_MEMBERSHIP_BYTES, &text, &err) != JC_OK || !text.data)
        return UINT64_MAX;
    return jc_cgroup_least_of(limit, "/sys/fs/cgroup", text.data);
}
