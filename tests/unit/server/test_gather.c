/* The rule of waiting for more, by given figures: what is small, which batch is preferred, until when to wait. */
#include "server/queue/gather.h"

#include "check.h"

enum { FIXED = 1000000, TOKEN = 10000 }; /* T(n) = 1 ms + n * 10 us: 700 tokens are preferred */

static struct jc_gather taught(size_t batch_tokens)
{
    struct jc_gather gather = {.batch_titles = 64, .batch_tokens = batch_tokens};
    for (uint64_t i = 0; i < 100; i++) {
        size_t n = i % 2 ? 500 : 10;
        struct jc_device_span span = jc_device_time_begin(&gather.device, i);
        jc_gather_learn(&gather, &span, n, FIXED + n * TOKEN, i);
    }
    return gather;
}

static void test_preferred(void)
{
    struct jc_gather gather = taught(4096), small = taught(512), unknown = {.batch_titles = 64, .batch_tokens = 4096};
    CHECK_NEAR((double)jc_gather_preferred(&gather), 700, 1);
    CHECK_INT(jc_gather_preferred(&small), 512);
    CHECK_INT(jc_gather_preferred(&unknown), 0);
    jc_device_time_begin(&unknown.device, 0);
    CHECK(!jc_gather_is_small(&unknown, 1, 1));
}

static void test_small(void)
{
    struct jc_gather gather = taught(4096);
    CHECK(!jc_gather_is_small(&gather, 1, 10)); /* nothing runs */
    struct jc_device_span span = jc_device_time_begin(&gather.device, 1000);
    CHECK(jc_gather_is_small(&gather, 1, 10));
    CHECK(jc_gather_is_small(&gather, 63, 690));
    CHECK(!jc_gather_is_small(&gather, 64, 690));
    CHECK(!jc_gather_is_small(&gather, 1, 701));
    CHECK(!jc_gather_is_small(&gather, 0, 0)); /* there is nothing to wait with */
    jc_gather_learn(&gather, &span, 0, 0, 2000);
    CHECK(!jc_gather_is_small(&gather, 1, 10));
}

/* 100 tokens take 2 ms. */
static void test_until(void)
{
    struct jc_gather gather = taught(4096);
    const uint64_t half = 1000000, whole = 2000000, came = 5000000000;
    const struct {
        uint64_t deadline_ns, until_ns;
    } rows[] = {{UINT64_MAX, came + half},
                {came + half + whole + 100, came + half},
                {came + half + whole - 100, came + half - 100},
                {came + whole, came},
                {came + 100, came + 100 - whole}, /* late already, so at once */
                {100, 0}};
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        const struct jc_gather_queue queue = {.n_tokens = 100, .oldest_ns = came, .deadline_ns = rows[i].deadline_ns};
        CHECK_NEAR((double)jc_gather_until(&gather, &queue), (double)rows[i].until_ns, 2);
    }
}

/* Two batches that ran for as long, the whole time together, cost half of it each: what the device has learned stays. */
static void test_overlap(void)
{
    struct jc_gather gather = taught(4096);
    for (uint64_t i = 1; i < 400; i++) {
        size_t n = i % 2 ? 500 : 10;
        uint64_t busy_ns = 2 * (FIXED + n * TOKEN), begun_ns = i * 1000000000;
        struct jc_device_span one = jc_device_time_begin(&gather.device, begun_ns),
                              other = jc_device_time_begin(&gather.device, begun_ns);
        jc_gather_learn(&gather, &one, n, busy_ns, begun_ns + busy_ns);
        jc_gather_learn(&gather, &other, n, busy_ns, begun_ns + busy_ns);
    }
    CHECK_NEAR(jc_batch_cost_line(&gather.cost).fixed_ns, FIXED, 1);
    CHECK_NEAR(jc_batch_cost_line(&gather.cost).token_ns, TOKEN, .1);
}

int main(void)
{
    test_preferred();
    test_small();
    test_until();
    test_overlap();
    return check_finish();
}
