/* Names of requests: which of the client's are kept, and that made ones are new. */
#include "server/policy/request_id.h"

#include <stdbool.h>

#include "check.h"

static void check_kept(const char *offered, bool kept)
{
    char id[JC_REQUEST_ID];
    jc_request_id_choose(offered, id);
    if (kept) {
        CHECK_STR(id, offered);
        return;
    }
    CHECK_INT(strlen(id), 16);
    CHECK_INT(strspn(id, "0123456789abcdef"), 16);
}

int main(void)
{
    static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123";
    check_kept("x", true);
    check_kept("0d0f5f5e-7a9f-4f5c-9c8e-2f0c8f6c1b2a", true);
    check_kept("Root=1-67891233-abcdef012345678912345678/a+b:c@d", true);
    check_kept(longest, true);
    static const char *const refused[] = {NULL,   "",      "a b",      " a",  "a ",  "a\tb", "a\"b", "a\\b", "a<b>",
                                          "a\nb", "a\x7f", "\xc3\xbc", "a,b", "a;b", "(a)",  "{a}",  "[a]",  "a?b"};
    for (size_t i = 0; i < JC_COUNT(refused); i++)
        check_kept(refused[i], false);
    char longer[sizeof longest + 1];
    snprintf(longer, sizeof longer, "%sx", longest);
    check_kept(longer, false);

    char a[JC_REQUEST_ID], b[JC_REQUEST_ID];
    jc_request_id_choose(NULL, a);
    jc_request_id_choose(NULL, b);
    CHECK(strcmp(a, b) != 0);
    return check_finish();
}
