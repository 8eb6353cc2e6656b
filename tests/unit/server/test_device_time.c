/* A device's time, shared: by hand, and by many random batches against the sum of every nanosecond. */
#include "server/queue/device_time.h"

#include <stdbool.h>

#include "base/rng.h"
#include "check.h"

static void test_alone(void)
{
    struct jc_device_time time = {0};
    for (uint64_t at = 1000; at < 100000; at += 1000) {
        struct jc_device_span span = jc_device_time_begin(&time, at);
        CHECK_INT(time.n_running, 1);
        CHECK_NEAR(jc_device_time_end(&time, &span, at + 777), 1, 0); /* exactly: what is idle is nobody's */
        CHECK_INT(time.n_running, 0);
    }
    struct jc_device_span span = jc_device_time_begin(&time, 100000);
    CHECK_NEAR(jc_device_time_end(&time, &span, 100000), 1, 0);
}

/* 0 to 100 and 40 to 140: 60 of 100 are shared by two. */
static void test_two(void)
{
    struct jc_device_time time = {0};
    struct jc_device_span first = jc_device_time_begin(&time, 0), second = jc_device_time_begin(&time, 40);
    CHECK_NEAR(jc_device_time_end(&time, &first, 100), .7, 1e-12);
    CHECK_NEAR(jc_device_time_end(&time, &second, 140), .7, 1e-12);
}

static void test_many(void)
{
    enum { N_LANES = 5, N_STEPS = 20000, TICK = 60 }; /* 60 is divided evenly by as many as run */
    struct jc_device_time time = {0};
    struct jc_device_span spans[N_LANES];
    double used[N_LANES], all_used = 0, reported = 0;
    uint64_t begun[N_LANES];
    bool runs[N_LANES] = {false};
    struct jc_rng rng = jc_rng_seeded(3);
    for (uint64_t now = 0; now < N_STEPS * TICK; now += TICK) {
        size_t lane = jc_rng_next(&rng) % N_LANES;
        if (runs[lane]) {
            double share = jc_device_time_end(&time, &spans[lane], now);
            CHECK_NEAR(share * (double)(now - begun[lane]), used[lane], 1e-6);
            reported += share * (double)(now - begun[lane]);
        } else {
            spans[lane] = jc_device_time_begin(&time, now);
            begun[lane] = now;
            used[lane] = 0;
        }
        runs[lane] = !runs[lane];
        size_t n_running = 0;
        for (size_t i = 0; i < N_LANES; i++)
            n_running += runs[i];
        CHECK_INT(time.n_running, n_running);
        for (size_t i = 0; i < N_LANES; i++)
            used[i] += runs[i] ? (double)TICK / (double)n_running : 0;
        all_used += n_running ? TICK : 0;
    }
    for (size_t i = 0; i < N_LANES; i++)
        if (runs[i])
            reported += used[i];
    CHECK_NEAR(reported, all_used, 1e-3); /* what all used is what the device was used */
}

int main(void)
{
    test_alone();
    test_two();
    test_many();
    return check_finish();
}
