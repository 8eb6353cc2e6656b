/* Request targets and authorities. */
#include "server/wire/target.h"

#include "base/own.h"
#include "check.h"

static const char *parse(const char *text, struct jc_target *target)
{
    /* In a block of its exact size, without a NUL. */
    size_t n = strlen(text);
    JC_AUTO_FREE char *exact = malloc(n + !n);
    REQUIRE(exact);
    memcpy(exact, text, n);
    return jc_target_parse(exact, n, target);
}

static void test_forms(void)
{
    static const struct {
        const char *text;
        enum jc_target_form form;
        const char *authority, *path;
    } rows[] = {
        {"/", JC_TARGET_ORIGIN, "", "/"},
        {"/a?b=%00%zz\\", JC_TARGET_ORIGIN, "", "/a"}, /* in a query it is data */
        {"/a%41?b?c/d", JC_TARGET_ORIGIN, "", "/a%41"},
        {"//a", JC_TARGET_ORIGIN, "", "//a"},
        {"*", JC_TARGET_ASTERISK, "", "*"},
        {"http://x", JC_TARGET_ABSOLUTE, "x", ""},
        {"http://x?y", JC_TARGET_ABSOLUTE, "x", ""},
        {"HTTPS://[::1]:443/a?b", JC_TARGET_ABSOLUTE, "[::1]:443", "/a"},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_target target = {0};
        const char *reason = parse(rows[i].text, &target);
        if (!check_report(!reason, __FILE__, __LINE__, "'%s': %s", rows[i].text, reason ? reason : ""))
            continue;
        CHECK_INT(target.form, rows[i].form);
        CHECK_INT(target.n, strlen(rows[i].text));
        CHECK_INT(target.n_authority, strlen(rows[i].authority));
        CHECK(strncmp(rows[i].text + target.authority_at, rows[i].authority, target.n_authority) == 0);
        CHECK_INT(target.n_path, strlen(rows[i].path));
        CHECK(strncmp(rows[i].text + target.path_at, rows[i].path, target.n_path) == 0);
    }
}

static void test_refused(void)
{
    static const char *const rows[] = {
        "",      "a",     "a:80",   "ftp://x/",    "http:/x",     "http://",     "http:///",
        "/a b",  "/a\tb", "/a\x7f", "/\xc3\xa9",   "/a#b",        "/a?b#c",      "/%",
        "/%4",   "/%4g",  "/%00",   "/%1f",        "/%7F",        "/%2f",        "/%5C",
        "/a\\b", "/?a b", "**",     "http://u@x/", "http://x:y/", "http://x\\y", "/?\n"};
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_target target, untouched;
        memset(&target, 0xa5, sizeof target);
        memset(&untouched, 0xa5, sizeof untouched);
        check_report(parse(rows[i], &target) != NULL, __FILE__, __LINE__, "'%s' passes", rows[i]);
        CHECK(memcmp(&target, &untouched, sizeof target) == 0);
    }
}

static void test_authority(void)
{
    static const struct {
        const char *text;
        int port; /* -2 = refused */
    } rows[] = {
        {"x", -1},        {"x:", -1},
        {"x:0", 0},       {"x:65535", 65535},
        {"a-b_c.d~", -1}, {"127.0.0.1:1", 1},
        {"[::]:8", 8},    {"[::ffff:1.2.3.4]", -1},
        {"", -2},         {":80", -2},
        {"x:65536", -2},  {"x:99999999999999999999", -2},
        {"x:+1", -2},     {"x:1 ", -2},
        {"x y", -2},      {"x,y", -2},
        {"u@x", -2},      {"x/", -2},
        {"[", -2},        {"[]", -2},
        {"[1]", -2},      {"[::1", -2},
        {"[::1]x", -2},   {"[::1%25a]", -2},
        {"::1", -2},      {"x%41", -2},
        {"\xc3\xa9", -2}, {"[00000000000000000000000000000000000000000000000001::]", -2},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_authority authority = {.port = -3};
        const char *reason = jc_authority_parse(rows[i].text, strlen(rows[i].text), &authority);
        check_report((reason != NULL) == (rows[i].port == -2), __FILE__, __LINE__, "'%s': %s", rows[i].text,
                     reason ? reason : "passes");
        if (!reason)
            CHECK_INT(authority.port, rows[i].port);
    }
}

static bool equal(const char *a, const char *b, unsigned port)
{
    struct jc_authority x, y;
    REQUIRE(!jc_authority_parse(a, strlen(a), &x) && !jc_authority_parse(b, strlen(b), &y));
    return jc_authority_equal(&x, &y, port);
}

static void test_equal(void)
{
    CHECK(equal("x", "X", 80));
    CHECK(equal("x:80", "x", 80));
    CHECK(equal("x:", "x:443", 443));
    CHECK(!equal("x:443", "x", 80));
    CHECK(!equal("x", "xy", 80));
    CHECK(!equal("[::1]", "[::2]", 80));
}

int main(void)
{
    test_forms();
    test_refused();
    test_authority();
    test_equal();
    return check_finish();
}
