/* Building JSON pointers. See pointer.h. */
#include "base/pointer.h"

#include <stdio.h>

const char *jc_pointer_join(char *ret_pointer, size_t n_pointer, const char *parent, const char *member)
{
    size_t n = (size_t)snprintf(ret_pointer, n_pointer, "%s/", parent);
    for (; *member && n + 3 < n_pointer; member++) {
        if (*member == '~' || *member == '/') {
            ret_pointer[n++] = '~';
            ret_pointer[n++] = *member == '~' ? '0' : '1';
        } else {
            ret_pointer[n++] = *member;
        }
    }
    ret_pointer[n < n_pointer ? n : n_pointer - 1] = '\0';
    return ret_pointer;
}
