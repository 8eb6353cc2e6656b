/* Strict number parsing. */
#include "base/parse.h"

#include "check.h"

static struct jc_err err;

static void test_bool(void)
{
    bool value = false;
    REQUIRE_OK(jc_parse_bool("true", &value, &err));
    CHECK(value);
    CHECK_FAILS(jc_parse_bool("yes", &value, &err), JC_E_INVALID, "'yes'");
    CHECK_FAILS(jc_parse_bool("", &value, &err), JC_E_INVALID, "true or false");
}

static void test_u64(void)
{
    uint64_t value = 7;
    REQUIRE_OK(jc_parse_u64("18446744073709551615", &value, &err));
    CHECK(value == UINT64_MAX);
    const char *bad[] = {"", "-1", "+1", " 1", "1 ", "1x", "18446744073709551616", "0x10", "1.0"};
    for (size_t i = 0; i < JC_COUNT(bad); i++)
        CHECK_FAILS(jc_parse_u64(bad[i], &value, &err), JC_E_INVALID, "whole number");
    CHECK(value == UINT64_MAX); /* untouched by failures */
}

static void test_f64(void)
{
    double value = 0;
    REQUIRE_OK(jc_parse_f64("-2.5e-3", &value, &err));
    CHECK_NEAR(value, -0.0025, 0);
    const char *bad[] = {"", "nan", "inf", "1e999", "1,5", "abc", "1.0 "};
    for (size_t i = 0; i < JC_COUNT(bad); i++)
        CHECK_FAILS(jc_parse_f64(bad[i], &value, &err), JC_E_INVALID, "number");
}

static void test_units(void)
{
    uint64_t value = 0;
    REQUIRE_OK(jc_parse_size("64KiB", &value, &err));
    CHECK_INT(value, 65536);
    REQUIRE_OK(jc_parse_size("123", &value, &err));
    CHECK_INT(value, 123);
    CHECK_FAILS(jc_parse_size("64KB", &value, &err), JC_E_INVALID, "64KiB");
    CHECK_FAILS(jc_parse_size("99999999999GiB", &value, &err), JC_E_INVALID, "too large");
    REQUIRE_OK(jc_parse_duration("250ms", &value, &err));
    CHECK_INT(value, 250);
    REQUIRE_OK(jc_parse_duration("2m", &value, &err));
    CHECK_INT(value, 120000);
    REQUIRE_OK(jc_parse_duration("0", &value, &err));
    CHECK_INT(value, 0);
    CHECK_FAILS(jc_parse_duration("5", &value, &err), JC_E_INVALID, "5s");
    CHECK_FAILS(jc_parse_duration("-5s", &value, &err), JC_E_INVALID, "duration");
}

int main(void)
{
    test_bool();
    test_u64();
    test_f64();
    test_units();
    return check_finish();
}
