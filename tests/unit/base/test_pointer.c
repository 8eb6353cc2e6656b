/* JSON pointers: the escapes of RFC 6901, and what is cut where there is no room. */
#include "base/pointer.h"

#include "check.h"

int main(void)
{
    char pointer[16];
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "", "top_n"), "/top_n");
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "/a/3", "id"), "/a/3/id");
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "", "a/b"), "/a~1b"); /* section 5 of the RFC */
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "", "m~n"), "/m~0n");
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "", ""), "/");
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "", "0123456789abcdefgh"), "/0123456789ab");
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "", "~~~~~~~~~~~~~~~~~~"), "/~0~0~0~0~0~0");
    CHECK_STR(jc_pointer_join(pointer, sizeof pointer, "/a parent that is too long", "x"), "/a parent that ");
    return check_finish();
}
