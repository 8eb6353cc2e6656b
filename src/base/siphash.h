/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for tables over what clients choose. Who does not know the key
 * cannot choose texts that collide. Threads: any. */
#ifndef JC_BASE_SIPHASH_H
#define JC_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct jc_siphash_key {
    uint64_t k0, k1;
};

uint64_t jc_siphash(struct jc_siphash_key key, const void *bytes, size_t n);

#endif
