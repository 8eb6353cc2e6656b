/* The flag and its handler. */
#include "trainer/vectors/interrupt.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/attr.h"

static const int signals[] = {SIGINT, SIGTERM};
static atomic_int asked; /* lock-free: a handler may write it */

static void ask(int signal)
{
    (void)signal;
    atomic_store(&asked, 1);
}

void jc_interrupt_begin(struct jc_interrupt *ret_interrupt)
{
    atomic_store(&asked, 0);
    struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < JC_COUNT(signals); i++) {
        sigaction(signals[i], NULL, &ret_interrupt->old[i]);
        if (ret_interrupt->old[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

bool jc_interrupt_asked(void)
{
    return atomic_load(&asked);
}

void jc_interrupt_finish(struct jc_interrupt *interrupt)
{
    for (size_t i = 0; i < JC_COUNT(signals); i++)
        sigaction(signals[i], &interrupt->old[i], NULL);
}
