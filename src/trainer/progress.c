/* Progress of a long step on standard error. */
#include "trainer/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static const uint64_t terminal_every_ns = 200 * JC_NS_PER_MS, lines_every_ns = 10 * JC_NS_PER_S;

struct jc_progress jc_progress_start(const char *what, size_t total)
{
    uint64_t now_ns = jc_clock_ns();
    return (struct jc_progress){
        .what = what, .total = total, .terminal = isatty(STDERR_FILENO), .start_ns = now_ns, .last_ns = now_ns};
}

void jc_progress_update(struct jc_progress *progress, size_t done)
{
    uint64_t now_ns = jc_clock_ns();
    if (done == 0 || now_ns - progress->last_ns < (progress->terminal ? terminal_every_ns : lines_every_ns))
        return;
    progress->last_ns = now_ns;
    double seconds = (double)(now_ns - progress->start_ns) / (double)JC_NS_PER_S;
    double rate = (double)done / seconds;
    fprintf(stderr, "%s%s: %zu of %zu, %.0f/s, %.0f s left%s", progress->terminal ? "\r" : "", progress->what, done,
            progress->total, rate, (double)(progress->total - done) / rate, progress->terminal ? "\x1b[K" : "\n");
}

double jc_progress_finish(struct jc_progress *progress, size_t done)
{
    double seconds = (double)(jc_clock_ns() - progress->start_ns) / (double)JC_NS_PER_S;
    fprintf(stderr, "%s%s: %zu in %.1f s, %.0f/s\n", progress->terminal ? "\r\x1b[K" : "", progress->what, done,
            seconds, seconds > 0 ? (double)done / seconds : 0.0);
    return seconds;
}
