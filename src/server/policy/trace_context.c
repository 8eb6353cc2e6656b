/* The traceparent header. See trace_context.h. */
#include "server/policy/trace_context.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

#define HEX "0123456789abcdef" /* HEXDIGLC: upper case is not valid */

enum { AT_TRACE = 3, AT_PARENT = 36, AT_FLAGS = 53, LENGTH_00 = 55, N_TRACE = 32, N_PARENT = 16 };

/* `n` digits that are not all zero, then `end`. */
static bool is_id(const char *text, size_t n, char end)
{
    return strspn(text, HEX) == n && text[n] == end && strspn(text, "0") < n;
}

bool jc_trace_context_parse(const char *traceparent, struct jc_trace_context *ret_context)
{
    /* Each test is safe only behind the one before it: none looks past a NUL. */
    if (strspn(traceparent, HEX) != 2 || traceparent[2] != '-' || strncmp(traceparent, "ff", 2) == 0)
        return false;
    if (!is_id(traceparent + AT_TRACE, N_TRACE, '-') || !is_id(traceparent + AT_PARENT, N_PARENT, '-') ||
        strspn(traceparent + AT_FLAGS, HEX) != 2)
        return false;
    char end = traceparent[LENGTH_00];
    if (end != '\0' && (end != '-' || strncmp(traceparent, "00", 2) == 0))
        return false;

    uint64_t span;
    do
        span = jc_random_u64();
    while (span == 0);
    snprintf(ret_context->trace_id, sizeof ret_context->trace_id, "%s", traceparent + AT_TRACE);
    snprintf(ret_context->parent_id, sizeof ret_context->parent_id, "%s", traceparent + AT_PARENT);
    snprintf(ret_context->span_id, sizeof ret_context->span_id, "%016jx", (uintmax_t)span);
    return true;
}
