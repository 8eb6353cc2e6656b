/* The limit of open files. See descriptors.h. */
#include "server/wire/descriptors.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/log.h"

/* The log, listening sockets, event queues, and a model's files while it loads. */
#define OURS 64

/* Raises the soft limit to `need` where the hard one allows it. Returns the limit in force. */
static uint64_t raise_limit(uint64_t need)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return UINT64_MAX;
    if (limit.rlim_cur >= need)
        return limit.rlim_cur;
    const struct rlimit raised = {.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need,
                                  .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

static void warn(unsigned wanted, unsigned left, uint64_t limit)
{
    char texts[3][24];
    snprintf(texts[0], sizeof texts[0], "%u", wanted);
    snprintf(texts[1], sizeof texts[1], "%u", left);
    snprintf(texts[2], sizeof texts[2], "%ju", (uintmax_t)limit);
    jc_log(JC_LOG_WARN, "connections_limited", "http.connections", texts[0], "connections", texts[1],
           "open_files_limit", texts[2], NULL);
}

jc_code jc_descriptors_reserve(unsigned wanted, unsigned n_least, unsigned n_others, unsigned *ret_connections,
                               struct jc_err *err)
{
    const uint64_t besides = (uint64_t)n_others + OURS;
    uint64_t limit = raise_limit(wanted + besides);
    if (limit < n_least + besides)
        return jc_fail(err, JC_E_IO,
                       "the limit of open files is %ju; at least %ju are needed, and for http.connections=%u %ju",
                       (uintmax_t)limit, (uintmax_t)(n_least + besides), wanted, (uintmax_t)(wanted + besides));
    unsigned left = limit - besides < wanted ? (unsigned)(limit - besides) : wanted;
    if (left < wanted)
        warn(wanted, left, limit);
    *ret_connections = left;
    return JC_OK;
}
