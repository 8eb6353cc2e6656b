/* FNV-1a, 64 bits (Fowler, Noll, Vo): for tables and draws, not against people who choose what collides. */
#ifndef JC_BASE_HASH_H
#define JC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t jc_hash_bytes(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
