/*
 * Ctrl-C in a long step: between begin and end a SIGINT or SIGTERM only raises a flag, which the step looks at between
 * two pieces of work. The second signal ends the process as ever. A signal that the process ignored stays ignored.
 * Threads: begin and end from one; asked from any.
 */
#ifndef JC_TRAINER_INTERRUPT_H
#define JC_TRAINER_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct jc_interrupt {
    struct sigaction old[2]; /* what jc_interrupt_finish puts back */
};

void jc_interrupt_begin(struct jc_interrupt *ret_interrupt);
bool jc_interrupt_asked(void);
void jc_interrupt_finish(struct jc_interrupt *interrupt);

#endif
