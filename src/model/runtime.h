/* The numeric libraries under the model, set up once a process: one thread per caller, none of their own. */
#ifndef JC_MODEL_RUNTIME_H
#define JC_MODEL_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The first thing in main, before any thread starts. */
void jc_runtime_init(void);

/* What so many threads that classify at once need of those libraries, so that they do not ask for it when memory is
 * short. Errors: NOMEM. Before those threads start. */
JC_MUST_CHECK jc_code jc_runtime_reserve(size_t n_threads, struct jc_err *err);

/* "oneDNN 2.6.3, libtorch 1.13.1, CUDA 13.0" ("none" of what it is built without). The thread's own, until its next call. */
const char *jc_runtime_versions(void);

/* What encoders on GPUs have done since the start; zeros where there is none. Threads: any. */
struct jc_runtime_device_counts {
    size_t held_bytes; /* of the devices' memory, now */
    uint64_t batches, tokens;
    uint64_t batch_ns;       /* of all batches, copies included */
    uint64_t graph_launches; /* batches that were launched as recorded before */
    uint64_t shrinks;        /* largest batches that were given up because a device had no room */
    uint64_t fallbacks;      /* texts that were encoded again on the CPU: halves did not hold their vectors */
};
struct jc_runtime_device_counts jc_runtime_device_counts(void);

#endif
