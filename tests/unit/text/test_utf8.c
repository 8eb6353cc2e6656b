/* utf8: every sequence of up to three bytes against a count made by arithmetic, and the published ill-formed ones. */
#include "text/utf8.h"

#include "check.h"

static struct jc_err err;

static int is_valid(const void *bytes, size_t n)
{
    return jc_utf8_check("x", bytes, n, &err) == JC_OK;
}

/* Every code point goes out, comes back and is valid; a cut sequence is not. */
static void test_round_trip(void)
{
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c == 0xD800)
            c = 0xE000;
        char bytes[5] = {0};
        size_t n = jc_utf8_put(c, bytes);
        size_t i = 0;
        if (!is_valid(bytes, n) || jc_utf8_next(bytes, &i) != c || i != n || jc_utf8_count(bytes, n) != 1)
            check_report(0, __FILE__, __LINE__, "U+%04X does not come back", c);
        for (size_t cut = 1; cut < n; cut++)
            if (is_valid(bytes, cut))
                check_report(0, __FILE__, __LINE__, "U+%04X cut to %zu bytes is valid", c, cut);
    }
}

/* With the round trip above, the right number of valid sequences means that no other sequence is valid. */
static void test_counts(void)
{
    long n_valid[5] = {0};
    for (unsigned v = 0; v < 1u << 24; v++) {
        unsigned char bytes[4] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
        if (bytes[0] >= 0xE0 && bytes[0] < 0xF0)
            n_valid[3] += is_valid(bytes, 3);
        if ((v & 0xFF) == 0 && bytes[0] >= 0x80)
            n_valid[2] += is_valid(bytes, 2);
        /* Four bytes: the second decides; the third and fourth take any continuation. */
        if (bytes[0] >= 0xF0) {
            bytes[3] = 0xBF;
            n_valid[4] += is_valid(bytes, 4);
        }
    }
    CHECK_INT(n_valid[2], 0x800 - 0x80);
    CHECK_INT(n_valid[3], 0x10000 - 0x800 - 0x800);
    CHECK_INT(n_valid[4], (0x110000 - 0x10000) / 64);
    for (unsigned c = 0x80; c < 0x100; c++)
        CHECK(!is_valid((const unsigned char[]){(unsigned char)c}, 1));
}

static void test_offsets(void)
{
    CHECK_FAILS(jc_utf8_check("title", "abc\xff", 4, &err), JC_E_INVALID, "title: invalid UTF-8 at byte 3");
    CHECK_FAILS(jc_utf8_check("body", "0123456789abcdef\xc3", 17, &err), JC_E_INVALID,
                "body: invalid UTF-8 at byte 16");
    CHECK_FAILS(jc_utf8_check("x", "\xc3\xa9\xed\xa0\x80", 5, &err), JC_E_INVALID, "at byte 2"); /* a surrogate */
    CHECK_FAILS(jc_utf8_check("x", "\xf4\x90\x80\x80", 4, &err), JC_E_INVALID, "at byte 0");     /* U+110000 */
    CHECK_FAILS(jc_utf8_check("x", "\xc0\xaf", 2, &err), JC_E_INVALID, "at byte 0");             /* overlong '/' */
    CHECK_FAILS(jc_utf8_check("x", "\xe0\x80\xaf", 3, &err), JC_E_INVALID, "at byte 0");
    CHECK_FAILS(jc_utf8_check("x", "\xf0\x80\x80\xaf", 4, &err), JC_E_INVALID, "at byte 0");
    REQUIRE_OK(jc_utf8_check("x", NULL, 0, &err));
    REQUIRE_OK(jc_utf8_check("x", "a\0b", 3, &err));
}

static void test_count(void)
{
    CHECK_INT(jc_utf8_count("", 0), 0);
    CHECK_INT(jc_utf8_count("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z", 11), 5);
}

int main(void)
{
    test_round_trip();
    test_counts();
    test_offsets();
    test_count();
    return check_finish();
}
