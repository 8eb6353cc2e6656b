/* Entity tags: what is made, and what an If-None-Match lists. */
#include <string.h>

#include "check.h"
#include "server/policy/etag.h"

static void makes_tags(void)
{
    char tag[JC_ETAG];
    jc_etag_put("0123abcd", NULL, tag);
    CHECK_STR(tag, "\"0123abcd\"");
    jc_etag_put("0123abcd", "gzip", tag);
    CHECK_STR(tag, "\"0123abcd-gzip\"");
    jc_etag_put("0123456789012345678901234567890123456789012345678901234567890123456789", "a-long-coding", tag);
    CHECK(strlen(tag) < JC_ETAG);
}

static void finds_tags(void)
{
    static const struct {
        const char *header;
        bool listed;
    } cases[] = {
        {"\"a\"", true},
        {" \"a\" ", true},
        {"W/\"a\"", true},
        {"\"b\", \"a\"", true},
        {"\"b\",\"a\",\"c\"", true},
        {",, \"b\" ,, W/\"a\"", true},
        {"\"a, b\", \"a\"", true}, /* a comma inside a tag */
        {"*", true},
        {" * ", true},
        {"", false},
        {"\"b\"", false},
        {"\"aa\"", false},
        {"\"\"", false},
        {"a", false},
        {"\"a", false},
        {"W/", false},
        {"w/\"a\"", false},
        {"\"a-gzip\"", false},
        {"\"b, \"a\"", false}, /* ends at what is no tag */
        {"*, \"a\"", false},
        {"*a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(jc_etag_is_listed(cases[i].header, "\"a\"") == cases[i].listed);
}

int main(void)
{
    makes_tags();
    finds_tags();
    return check_finish();
}
