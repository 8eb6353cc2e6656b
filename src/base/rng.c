/* Random bits from the system. See rng.h. */
#include "base/rng.h"

#include <sys/random.h>

#include "base/clock.h"

/* Drawn by the handful: a system call for every request's id would be seen in a profile. */
#define N_POOL 32

uint64_t jc_random_u64(void)
{
    static _Thread_local uint64_t pool[N_POOL];
    static _Thread_local size_t n_left;
    if (n_left == 0 && getrandom(pool, sizeof pool, 0) == (ssize_t)sizeof pool)
        n_left = N_POOL;
    if (n_left)
        return pool[--n_left];
    struct jc_rng rng = jc_rng_seeded(jc_clock_ns()); /* only where the system has no getrandom */
    return jc_rng_next(&rng);
}
