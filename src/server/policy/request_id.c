/* Names of requests. See request_id.h. */
#include "server/policy/request_id.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

/* A token of RFC 9110, and what identifiers in use have besides. No quote, backslash or angle bracket: an id is pasted
 * into logs, shells and pages. */
#define ID_CHARS                                           \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "0123456789-._~:/=+@#$%&'*!^`|"

void jc_request_id_choose(const char *offered, char ret_id[JC_REQUEST_ID])
{
    size_t n = offered ? strspn(offered, ID_CHARS) : 0;
    if (n > 0 && n < JC_REQUEST_ID && !offered[n])
        memcpy(ret_id, offered, n + 1);
    else
        snprintf(ret_id, JC_REQUEST_ID, "%016jx", (uintmax_t)jc_random_u64());
}
