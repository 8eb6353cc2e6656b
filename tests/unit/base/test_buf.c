/* The byte buffer: growth, NUL behind the data, JSON strings, the sticky failure. */
#include "base/buf.h"

#include <stdint.h>

#include "check.h"

static void check_json(const char *text, size_t n, const char *want)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    jc_buf_put_json(&buf, text, n);
    CHECK_STR(buf.data, want);
}

static void test_growth(void)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf buf = {0};
    for (int i = 0; i < 1000; i++)
        jc_buf_printf(&buf, "%d,", i);
    REQUIRE_OK(jc_buf_check(&buf, &err));
    CHECK_INT(buf.n, 10 * 2 + 90 * 3 + 900 * 4);
    CHECK_INT(buf.data[buf.n], 0);
    CHECK(strncmp(buf.data + buf.n - 8, "998,999,", 8) == 0);

    char wide[300];
    memset(wide, 'x', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    jc_buf_clear(&buf);
    jc_buf_printf(&buf, "%s|", wide); /* longer than the first try */
    CHECK_INT(buf.n, 300);
}

static void test_json(void)
{
    check_json("", 0, "\"\"");
    check_json("a\"b\\c\n\t\x01\x7f", 9, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"");
    check_json("caf\xc3\xa9 \xf0\x9f\x98\x80", 10, "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
    check_json("\0", 1, "\"\\u0000\"");
    check_json("a\xc3", 2, "\"a\xef\xbf\xbd\"");                               /* cut sequence */
    check_json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* a surrogate */
    check_json("\xc0\xaf\xff", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong, no byte */
}

static void test_failure_sticks(void)
{
    struct jc_err err;
    struct jc_buf buf = {0};
    jc_buf_puts(&buf, "abc");
    CHECK(jc_buf_reserve(&buf, SIZE_MAX - 1) == NULL);
    jc_buf_puts(&buf, "def");
    CHECK_INT(buf.n, 3);
    CHECK_FAILS(jc_buf_check(&buf, &err), JC_E_NOMEM, "memory");
    CHECK(jc_buf_take(&buf) == NULL);
    CHECK(buf.data == NULL && buf.cap == 0);
}

static void test_take(void)
{
    struct jc_buf buf = {0};
    JC_AUTO_FREE char *empty = jc_buf_take(&buf);
    CHECK_STR(empty, "");
    jc_buf_puts(&buf, "x");
    JC_AUTO_FREE char *x = jc_buf_take(&buf);
    CHECK_STR(x, "x");
    CHECK(buf.data == NULL);
}

int main(void)
{
    test_growth();
    test_json();
    test_failure_sticks();
    test_take();
    return check_finish();
}
