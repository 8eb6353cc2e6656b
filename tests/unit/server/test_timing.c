/* Stage times: gathered from a ticket's items, and written. */
#include "server/observe/timing.h"

#include "check.h"
#include "server/queue/ticket.h"

static void check_ms(uint64_t ns, const char *want)
{
    char text[JC_MS_TEXT];
    jc_timing_put_ms(ns, text);
    CHECK_STR(text, want);
}

static void test_ms(void)
{
    check_ms(0, "0.000");
    check_ms(999, "0.000");
    check_ms(1000, "0.001");
    check_ms(123456, "0.123");
    check_ms(1000000, "1.000");
    check_ms(98765432109, "98765.432");
    check_ms(UINT64_MAX, "18446744073709.551");
}

static void test_header(void)
{
    char text[JC_SERVER_TIMING_TEXT];
    struct jc_timing timing = {0};
    jc_timing_put_header(&timing, 1500000, text);
    CHECK_STR(text, "total;dur=1.500");
    timing = (struct jc_timing){{1000, 2000, 3000000, 4000, 5000}};
    jc_timing_put_header(&timing, 9000000, text);
    CHECK_STR(text, "parse;dur=0.001, tokenize;dur=0.002, queue;dur=3.000, encode;dur=0.004, score;dur=0.005, "
                    "total;dur=9.000");
    for (size_t i = 0; i < JC_N_STAGES; i++)
        timing.ns[i] = UINT64_MAX;
    jc_timing_put_header(&timing, UINT64_MAX, text);
    CHECK(strlen(text) < sizeof text);
}

static void test_gather(void)
{
    /* Two batches, the second taken first by another worker's clock, and a title that no worker saw. */
    struct jc_item items[] = {
        {.timing = {.begun_ns = 2000, .encode_ns = 10, .score_ns = 1}},
        {.timing = {.begun_ns = 2000, .encode_ns = 10, .score_ns = 1}},
        {.timing = {.begun_ns = 0}},
        {.timing = {.begun_ns = 1500, .encode_ns = 20, .score_ns = 2}},
        {.timing = {.begun_ns = 1500, .encode_ns = 20, .score_ns = 2}},
    };
    struct jc_ticket ticket = {.items = items, .n_items = JC_COUNT(items), .queued_ns = 1000};
    struct jc_timing timing = {{[JC_STAGE_PARSE] = 7}};
    jc_timing_gather(&timing, &ticket);
    CHECK_INT(timing.ns[JC_STAGE_PARSE], 7);
    CHECK_INT(timing.ns[JC_STAGE_QUEUE], 500);
    CHECK_INT(timing.ns[JC_STAGE_ENCODE], 30);
    CHECK_INT(timing.ns[JC_STAGE_SCORE], 3);

    ticket.n_items = 0;
    timing = (struct jc_timing){0};
    jc_timing_gather(&timing, &ticket);
    for (size_t i = 0; i < JC_N_STAGES; i++)
        CHECK_INT(timing.ns[i], 0);
}

int main(void)
{
    test_ms();
    test_header();
    test_gather();
    return check_finish();
}
