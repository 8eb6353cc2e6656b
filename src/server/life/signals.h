/*
 * What the program is asked to do from outside, one wish at a time: SIGTERM and SIGINT (stop), SIGHUP (reload), and
 * other threads' jc_signals_post. Threads: catch and wait from the main thread; post from any.
 */
#ifndef JC_SERVER_LIFE_SIGNALS_H
#define JC_SERVER_LIFE_SIGNALS_H

#include <stdint.h>

#include "base/err.h"

enum jc_wish {
    JC_WISH_NONE, /* the time was up */
    JC_WISH_STOP,
    JC_WISH_LEAVE, /* an accelerator is lost, and only a new process gets it back: as a stop, with a bad exit status */
    JC_WISH_RELOAD,
    JC_WISH_LOOK, /* something changed that the main thread waits for */
    JC_N_WISHES
};

/* Before threads start. SIGPIPE is ignored. Errors: IO (no descriptor to be had). */
JC_MUST_CHECK jc_code jc_signals_catch(struct jc_err *err);

/* The next wish; where there are several, a stop first. */
enum jc_wish jc_signals_wait(uint64_t timeout_ms);
#define JC_SIGNALS_FOREVER UINT64_MAX

void jc_signals_post(enum jc_wish wish);

/* The number of the last stopping signal. */
int jc_signals_last(void);

#endif
