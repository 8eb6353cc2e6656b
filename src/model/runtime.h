/* The numeric libraries under the model, set up once a process: one thread per caller, none of their own. */
#ifndef JC_MODEL_RUNTIME_H
#define JC_MODEL_RUNTIME_H

/* The first thing in main, before any thread starts. */
void jc_runtime_init(void);

/* "1.13.1", or "none" where built without libtorch. Static storage. */
const char *jc_runtime_torch_version(void);

#endif
