/* The process, as the operating system sees it, under the names that Prometheus's own client libraries use. */
#ifndef JC_SERVER_OBSERVE_PROCESS_METRICS_H
#define JC_SERVER_OBSERVE_PROCESS_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct jc_process_stat {
    uint64_t cpu_ticks; /* user and system */
    uint64_t n_threads;
    uint64_t start_ticks; /* after the machine's start */
    uint64_t virtual_bytes;
    uint64_t resident_pages;
};

/* Reads the text of /proc/<pid>/stat. Errors: FORMAT. */
JC_MUST_CHECK jc_code jc_process_stat_parse(const char *text, struct jc_process_stat *ret_stat, struct jc_err *err);

/* Appends the metrics; what /proc does not give is left out. Threads: any. */
void jc_process_put_metrics(struct jc_buf *out);

#endif
