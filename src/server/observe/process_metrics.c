/* The process's own metrics, from /proc. See process_metrics.h. */
#include "server/observe/process_metrics.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "server/observe/metrics.h"

#define MAX_STAT_BYTES ((size_t)1 << 16)
#define MAX_SYSTEM_STAT_BYTES ((size_t)1 << 22) /* grows with the cores and the interrupts */

jc_code jc_process_stat_parse(const char *text, struct jc_process_stat *ret_stat, struct jc_err *err)
{
    /* The second field, the program's name in brackets, may hold blanks and brackets: count from behind the last one.
     * proc(5): 14 utime, 15 stime, 20 num_threads, 22 starttime, 23 vsize, 24 rss. */
    const char *behind = strrchr(text, ')');
    uintmax_t utime, stime, n_threads, start, virtual_bytes, resident_pages;
    if (!behind ||
        sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ju %ju %*d %*d %*d %*d %ju %*d %ju %ju %ju",
               &utime, &stime, &n_threads, &start, &virtual_bytes, &resident_pages) != 6)
        return jc_fail(err, JC_E_FORMAT, "not a line of /proc/<pid>/stat");
    *ret_stat = (struct jc_process_stat){.cpu_ticks = utime + stime,
                                         .n_threads = n_threads,
                                         .start_ticks = start,
                                         .virtual_bytes = virtual_bytes,
                                         .resident_pages = resident_pages};
    return JC_OK;
}

/* When the machine started, in seconds since 1970; 0 = not known. It does not change, but a look costs little. */
static double boot_seconds(void)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf text = {0};
    if (jc_file_read("/proc/stat", MAX_SYSTEM_STAT_BYTES, &text, &err) != JC_OK)
        return 0;
    uintmax_t seconds;
    const char *line = text.data ? strstr(text.data, "\nbtime ") : NULL;
    return line && sscanf(line, " btime %ju", &seconds) == 1 ? (double)seconds : 0;
}

static void put_stat(struct jc_buf *out)
{
    struct jc_err err;
    struct jc_process_stat stat;
    JC_AUTO_BUF struct jc_buf text = {0};
    if (jc_file_read("/proc/self/stat", MAX_STAT_BYTES, &text, &err) != JC_OK || !text.data ||
        jc_process_stat_parse(text.data, &stat, &err) != JC_OK)
        return;
    double ticks_per_s = (double)sysconf(_SC_CLK_TCK), boot = boot_seconds();
    jc_metrics_put_counter(out, "process_cpu_seconds_total", "User and system CPU time, in seconds.",
                           (double)stat.cpu_ticks / ticks_per_s);
    jc_metrics_put_gauge(out, "process_resident_memory_bytes", "Resident memory, in bytes.", "",
                         (double)stat.resident_pages * (double)sysconf(_SC_PAGESIZE));
    jc_metrics_put_gauge(out, "process_virtual_memory_bytes", "Virtual memory, in bytes.", "",
                         (double)stat.virtual_bytes);
    jc_metrics_put_gauge(out, "process_threads", "Threads.", "", (double)stat.n_threads);
    if (boot > 0)
        jc_metrics_put_gauge(out, "process_start_time_seconds", "When the process started, in seconds since 1970.", "",
                             boot + (double)stat.start_ticks / ticks_per_s);
}

static void put_fds(struct jc_buf *out)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return;
    size_t n = 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        n += entry->d_name[0] != '.';
    closedir(folder);
    n--; /* the one that looked */
    jc_metrics_put_gauge(out, "process_open_fds", "Open file descriptors.", "", (double)n);
}

void jc_process_put_metrics(struct jc_buf *out)
{
    struct rlimit limit;
    put_stat(out);
    put_fds(out);
    jc_metrics_put_gauge(out, "jobcode_memory_limit_bytes",
                         "Memory the process may use: its cgroup's limit, or the machine's.", "",
                         (double)jc_memory_limit());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        jc_metrics_put_gauge(out, "process_max_fds", "Most file descriptors that may be open.", "",
                             (double)limit.rlim_cur);
}
