/* Counts by client address: limits, IPv6 subscribers, more addresses than buckets. */
#include "server/wire/address_counts.h"

#include "check.h"

static struct jc_address address(const char *text)
{
    struct jc_address parsed;
    REQUIRE(jc_address_parse(text, strlen(text), &parsed));
    return parsed;
}

static void test_counts(void)
{
    struct jc_err err;
    JC_AUTO(jc_address_counts) struct jc_address_counts *counts = NULL;
    REQUIRE_OK(jc_address_counts_create(2, &counts, &err));
    struct jc_address a = address("192.0.2.1"), b = address("192.0.2.2");
    struct jc_address v6 = address("2001:db8::1"), same_subscriber = address("2001:db8::ffff:1");
    CHECK(jc_address_counts_take(counts, &a) && jc_address_counts_take(counts, &a));
    CHECK(!jc_address_counts_take(counts, &a));
    CHECK(jc_address_counts_take(counts, &b));
    CHECK(jc_address_counts_take(counts, &v6) && jc_address_counts_take(counts, &same_subscriber));
    CHECK(!jc_address_counts_take(counts, &v6));
    CHECK_INT(jc_address_counts_size(counts), 3);
    jc_address_counts_return(counts, &a);
    CHECK(jc_address_counts_take(counts, &a) && !jc_address_counts_take(counts, &a));
    jc_address_counts_return(counts, &a);
    jc_address_counts_return(counts, &a);
    jc_address_counts_return(counts, &b);
    jc_address_counts_return(counts, &v6);
    jc_address_counts_return(counts, &v6);
    CHECK_INT(jc_address_counts_size(counts), 0);

    /* More addresses than buckets, all held and all given back. */
    for (uint32_t i = 0; i < 20000; i++) {
        memcpy(a.bytes + 12, &i, sizeof i);
        CHECK(jc_address_counts_take(counts, &a));
    }
    CHECK_INT(jc_address_counts_size(counts), 20000);
    for (uint32_t i = 0; i < 20000; i++) {
        memcpy(a.bytes + 12, &i, sizeof i);
        jc_address_counts_return(counts, &a);
    }
    CHECK_INT(jc_address_counts_size(counts), 0);

    JC_AUTO(jc_address_counts) struct jc_address_counts *unlimited = NULL;
    REQUIRE_OK(jc_address_counts_create(0, &unlimited, &err));
    for (int i = 0; i < 1000; i++)
        CHECK(jc_address_counts_take(unlimited, &a));
    CHECK_INT(jc_address_counts_size(unlimited), 0);
}

int main(void)
{
    test_counts();
    return check_finish();
}
