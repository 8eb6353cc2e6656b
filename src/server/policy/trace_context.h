/*
 * The W3C Trace Context (Recommendation, 2020): whose request this is part of. The server calls no one, so it passes
 * nothing on; it names the trace, the caller's span and a span of its own in the request's log line. Threads: any.
 */
#ifndef JC_SERVER_POLICY_TRACE_CONTEXT_H
#define JC_SERVER_POLICY_TRACE_CONTEXT_H

#include <stdbool.h>

struct jc_trace_context {
    char trace_id[33];  /* 32 lower-case hexadecimal digits; "" = no trace */
    char parent_id[17]; /* the caller's span: 16 digits */
    char span_id[17];   /* ours */
};

/* Reads a traceparent header. False, and nothing written, where it is not valid by section 3.2.2: then the
 * specification wants it ignored. A version after 00 is read for what 00 has. */
bool jc_trace_context_parse(const char *traceparent, struct jc_trace_context *ret_context);

#endif
