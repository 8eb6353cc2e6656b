/* Progress of a long step on standard error: one line kept up to date on a terminal, a line every ten seconds
 * elsewhere; with rate and time left. Threads: the caller's lock. */
#ifndef JC_TRAINER_PROGRESS_H
#define JC_TRAINER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jc_progress {
    const char *what; /* "encode" */
    size_t total;
    bool terminal;
    uint64_t start_ns, last_ns;
};

struct jc_progress jc_progress_start(const char *what, size_t total);
void jc_progress_update(struct jc_progress *progress, size_t done);

/* The last line: how many, how long, how fast. Returns the seconds it took. */
double jc_progress_finish(struct jc_progress *progress, size_t done);

#endif
