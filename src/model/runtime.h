/* The numeric libraries under the model, set up once a process: one thread per caller, none of their own. */
#ifndef JC_MODEL_RUNTIME_H
#define JC_MODEL_RUNTIME_H

/* The first thing in main, before any thread starts. */
void jc_runtime_init(void);

/* "oneDNN 2.6.3, libtorch 1.13.1" ("libtorch none" where built without). The thread's own, until its next call. */
const char *jc_runtime_versions(void);

#endif
