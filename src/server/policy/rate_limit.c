/* The token bucket. See rate_limit.h. */
#include "server/policy/rate_limit.h"

#define UNITS INT64_C(1000000000) /* a title */

struct jc_bucket jc_bucket_full(const struct jc_rate *rate, uint64_t now_ns)
{
    return (struct jc_bucket){.level = (int64_t)rate->burst * UNITS, .at_ns = now_ns};
}

static void refill(struct jc_bucket *bucket, const struct jc_rate *rate, uint64_t now_ns)
{
    if (now_ns <= bucket->at_ns)
        return;
    uint64_t elapsed_ns = now_ns - bucket->at_ns;
    int64_t full = (int64_t)rate->burst * UNITS;
    uint64_t room = (uint64_t)(full - bucket->level);
    /* The product is formed only where it fits into the room. */
    bucket->level =
        elapsed_ns > room / rate->titles_per_s ? full : bucket->level + (int64_t)(elapsed_ns * rate->titles_per_s);
    bucket->at_ns = now_ns;
}

bool jc_bucket_take(struct jc_bucket *bucket, const struct jc_rate *rate, uint64_t n, uint64_t now_ns,
                    uint64_t *ret_wait_ns)
{
    refill(bucket, rate, now_ns);
    int64_t needed = (int64_t)(n < rate->burst ? n : rate->burst) * UNITS;
    if (bucket->level >= needed) {
        bucket->level -= (int64_t)n * UNITS;
        return true;
    }
    uint64_t missing = (uint64_t)(needed - bucket->level);
    *ret_wait_ns = (missing + rate->titles_per_s - 1) / rate->titles_per_s;
    return false;
}
