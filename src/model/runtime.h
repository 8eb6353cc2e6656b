/* The numeric libraries under the model, set up once a process: one thread per caller, none of their own. */
#ifndef JC_MODEL_RUNTIME_H
#define JC_MODEL_RUNTIME_H

#include <stddef.h>

#include "base/err.h"

/* The first thing in main, before any thread starts. */
void jc_runtime_init(void);

/* What so many threads that classify at once need of those libraries, so that they do not ask for it when memory is
 * short. Errors: NOMEM. Before those threads start. */
JC_MUST_CHECK jc_code jc_runtime_reserve(size_t n_threads, struct jc_err *err);

/* "oneDNN 2.6.3, libtorch 1.13.1, CUDA 13.0" ("none" of what it is built without). The thread's own, until its next call. */
const char *jc_runtime_versions(void);

#endif
