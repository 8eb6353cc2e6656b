/* Entity tags. See etag.h. */
#include "server/policy/etag.h"

#include <stdio.h>
#include <string.h>

#define BLANKS " \t"

void jc_etag_put(const char *hash, const char *coding, char ret_tag[JC_ETAG])
{
    snprintf(ret_tag, JC_ETAG, coding ? "\"%.64s-%.8s\"" : "\"%.64s\"", hash, coding);
}

bool jc_etag_is_listed(const char *if_none_match, const char *tag)
{
    const char *at = if_none_match + strspn(if_none_match, BLANKS);
    if (*at == '*')
        return at[1 + strspn(at + 1, BLANKS)] == '\0';
    size_t n_tag = strlen(tag);
    for (;;) {
        at += strspn(at, BLANKS ",");
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (!end)
            return false;
        if ((size_t)(end + 1 - at) == n_tag && memcmp(at, tag, n_tag) == 0)
            return true;
        at = end + 1;
    }
}
