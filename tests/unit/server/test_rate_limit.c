/* The token bucket against a model that knows nothing of formulas: it goes through time tick by tick. */
#include "server/policy/rate_limit.h"

#include "base/rng.h"
#include "check.h"

#define SECOND UINT64_C(1000000000)
#define UNITS INT64_C(1000000000)

/* One tick adds what a tick adds, until it is full. */
struct model {
    int64_t level;
    uint64_t at_ns;
};

static void tick_to(struct model *model, const struct jc_rate *rate, uint64_t now_ns, uint64_t tick_ns)
{
    int64_t full = (int64_t)rate->burst * UNITS;
    for (; model->at_ns < now_ns; model->at_ns += tick_ns) {
        model->level += (int64_t)(rate->titles_per_s * tick_ns);
        if (model->level > full)
            model->level = full;
    }
}

static bool model_fits(const struct model *model, const struct jc_rate *rate, uint64_t n)
{
    uint64_t needed = n < rate->burst ? n : rate->burst;
    return model->level >= (int64_t)needed * UNITS;
}

/* One random life of a bucket; all times are whole ticks. */
static void check_life(uint64_t seed)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    const struct jc_rate rate = {.titles_per_s = 1 + jc_rng_next(&rng) % 1000, .burst = 1 + jc_rng_next(&rng) % 2000};
    const uint64_t tick_ns = 1000000;
    uint64_t now = 5 * SECOND;
    struct jc_bucket bucket = jc_bucket_full(&rate, now);
    struct model model = {.level = (int64_t)rate.burst * UNITS, .at_ns = now};

    for (int i = 0; i < 300; i++) {
        now += jc_rng_next(&rng) % 3 ? jc_rng_next(&rng) % 50 * tick_ns : jc_rng_next(&rng) % 3000 * tick_ns;
        uint64_t n = 1 + jc_rng_next(&rng) % (jc_rng_next(&rng) % 4 ? rate.burst : 2 * rate.burst);
        uint64_t wait_ns = 0;
        tick_to(&model, &rate, now, tick_ns);
        bool fits = model_fits(&model, &rate, n);
        bool taken = jc_bucket_take(&bucket, &rate, n, now, &wait_ns);
        check_report(taken == fits, __FILE__, __LINE__, "seed %ju, step %d: %ju titles are %s", (uintmax_t)seed, i,
                     (uintmax_t)n, taken ? "taken" : "refused");
        if (fits) {
            model.level -= (int64_t)n * UNITS;
            continue;
        }
        /* What it says is the first moment at which they fit: tried on copies. */
        CHECK(wait_ns > 0);
        struct jc_bucket early = bucket, late = bucket;
        uint64_t unused;
        CHECK(!jc_bucket_take(&early, &rate, n, now + wait_ns - 1, &unused));
        CHECK(jc_bucket_take(&late, &rate, n, now + wait_ns, &unused));
    }
}

static void test_steps(void)
{
    const struct jc_rate rate = {.titles_per_s = 10, .burst = 5};
    struct jc_bucket bucket = jc_bucket_full(&rate, 0);
    uint64_t wait_ns = 0;
    CHECK(jc_bucket_take(&bucket, &rate, 5, 0, &wait_ns));
    CHECK(!jc_bucket_take(&bucket, &rate, 1, 0, &wait_ns));
    CHECK_INT(wait_ns, SECOND / 10);
    CHECK(!jc_bucket_take(&bucket, &rate, 1, SECOND / 10 - 1, &wait_ns));
    CHECK_INT(wait_ns, 1);
    CHECK(jc_bucket_take(&bucket, &rate, 1, SECOND / 10, &wait_ns));
    /* More than the burst: when full, and then the debt is paid off first. */
    CHECK(!jc_bucket_take(&bucket, &rate, 50, SECOND / 10, &wait_ns));
    CHECK_INT(wait_ns, SECOND / 2);
    CHECK(jc_bucket_take(&bucket, &rate, 50, SECOND, &wait_ns));
    CHECK(!jc_bucket_take(&bucket, &rate, 1, SECOND, &wait_ns));
    CHECK_INT(wait_ns, 46 * SECOND / 10);
    /* Nothing is always there, but not in debt. */
    CHECK(!jc_bucket_take(&bucket, &rate, 0, SECOND, &wait_ns));
}

static void test_clock(void)
{
    const struct jc_rate rate = {.titles_per_s = 1, .burst = 2};
    struct jc_bucket bucket = jc_bucket_full(&rate, 10 * SECOND);
    uint64_t wait_ns;
    CHECK(jc_bucket_take(&bucket, &rate, 2, 10 * SECOND, &wait_ns));
    /* Back and forth again fills nothing. */
    CHECK(!jc_bucket_take(&bucket, &rate, 1, 5 * SECOND, &wait_ns));
    CHECK(!jc_bucket_take(&bucket, &rate, 1, 10 * SECOND, &wait_ns));
    CHECK(jc_bucket_take(&bucket, &rate, 1, 11 * SECOND, &wait_ns));
}

static void test_extremes(void)
{
    const struct jc_rate rate = {.titles_per_s = JC_RATE_MAX, .burst = JC_RATE_MAX};
    struct jc_bucket bucket = jc_bucket_full(&rate, 0);
    uint64_t wait_ns;
    CHECK(jc_bucket_take(&bucket, &rate, JC_RATE_MAX, 0, &wait_ns));
    CHECK(jc_bucket_take(&bucket, &rate, JC_RATE_MAX, UINT64_MAX, &wait_ns));
    CHECK_INT(bucket.level, 0);
    const struct jc_rate slow = {.titles_per_s = 1, .burst = 1};
    bucket = jc_bucket_full(&slow, 0);
    CHECK(jc_bucket_take(&bucket, &slow, JC_RATE_MAX, 0, &wait_ns));
    CHECK(!jc_bucket_take(&bucket, &slow, 1, 0, &wait_ns));
    CHECK_INT(wait_ns, JC_RATE_MAX * SECOND);
    CHECK(jc_bucket_take(&bucket, &slow, 1, JC_RATE_MAX * SECOND, &wait_ns));
}

int main(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++)
        check_life(seed);
    test_steps();
    test_clock();
    test_extremes();
    return check_finish();
}
