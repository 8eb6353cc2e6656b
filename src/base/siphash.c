/* SipHash-2-4. See siphash.h. */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void run_round(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void take_word(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    run_round(s);
    run_round(s);
    s->v0 ^= word;
}

uint64_t jc_siphash(struct jc_siphash_key key, const void *bytes, size_t n)
{
    struct state s = {key.k0 ^ UINT64_C(0x736f6d6570736575), key.k1 ^ UINT64_C(0x646f72616e646f6d),
                      key.k0 ^ UINT64_C(0x6c7967656e657261), key.k1 ^ UINT64_C(0x7465646279746573)};
    const unsigned char *at = bytes;
    uint64_t word;
    for (size_t left = n; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        take_word(&s, le64toh(word));
    }
    word = (uint64_t)n << 56;
    for (size_t i = 0; i < n % sizeof word; i++)
        word |= (uint64_t)at[i] << (8 * i);
    take_word(&s, word);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        run_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
