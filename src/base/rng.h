/*
 * Seeded random numbers (splitmix64: Steele, Lea, Flood 2014): the same seed gives the same sequence on every machine.
 * Not for secrets. Threads: one per struct jc_rng.
 */
#ifndef JC_BASE_RNG_H
#define JC_BASE_RNG_H

#include <stdint.h>

struct jc_rng {
    uint64_t state;
};

static inline struct jc_rng jc_rng_seeded(uint64_t seed)
{
    return (struct jc_rng){.state = seed};
}

static inline uint64_t jc_rng_next(struct jc_rng *rng)
{
    uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in [0, 1). */
static inline double jc_rng_unit(struct jc_rng *rng)
{
    return (double)(jc_rng_next(rng) >> 11) * 0x1.0p-53;
}

/* 64 bits no one can guess (getrandom), for request ids. */
uint64_t jc_random_u64(void);

#endif
