/*
 * A token bucket in titles: it fills at so many titles a second up to `burst`, and a request takes as many as it holds.
 * A request larger than the burst is let in when the bucket is full and leaves a debt, so that the rate holds over time
 * and no request is refused for ever. The arithmetic is exact: one title is 1e9 units, and a nanosecond adds
 * titles_per_s of them. The clock is the caller's. Threads: one at a time.
 */
#ifndef JC_SERVER_POLICY_RATE_LIMIT_H
#define JC_SERVER_POLICY_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define JC_RATE_MAX 10000000 /* of either member, and of the titles of a request: nothing below overflows */

struct jc_rate {
    uint64_t titles_per_s; /* 1 .. JC_RATE_MAX */
    uint64_t burst;        /* titles, 1 .. JC_RATE_MAX */
};

struct jc_bucket {
    int64_t level;  /* units; negative: a debt */
    uint64_t at_ns; /* when the level was that */
};

/* A full bucket. */
struct jc_bucket jc_bucket_full(const struct jc_rate *rate, uint64_t now_ns);

/* Takes n titles, or nothing and says in *ret_wait_ns when that many (or a full bucket) will be there. A clock that
 * went back stands still. */
bool jc_bucket_take(struct jc_bucket *bucket, const struct jc_rate *rate, uint64_t n, uint64_t now_ns,
                    uint64_t *ret_wait_ns);

#endif
