/*
 * The header lint: a request whose head two readers could take differently is refused before anything else looks at it
 * (RFC 9112, 11.2: request smuggling). Pure, nothing is allocated. Threads: any; a struct jc_header_lint one at a time.
 *
 * libmicrohttpd 0.9.75 is lenient: it takes a bare LF for a line's end, skips blanks in the request line, keeps
 * "Content-Length " as a name, cuts lines at a NUL, and appends a folded line to the NAME of the field above it. But it
 * parses in place: it puts a NUL over each blank, colon, CR and LF that it cuts at, and its strings point there. So the
 * lint walks the head's own bytes beside the list of fields, and demands that each string begins where the one before
 * it ended, that exactly one byte was cut between name and value and two at a line's end, and that the last is the
 * head's end. What was skipped, folded, moved or cut short in any other way leaves a gap and is refused.
 *
 * What it cannot see, because no byte of it is left:
 * - NUL LF where CR LF should be, and at the head's end four bytes of NUL, CR and LF that end lines otherwise: all of
 *   them are NULs now. (The next hop would have to let a NUL through in a field for that to matter.)
 * - a line that is empty, or begins with a NUL, in front of the request line: skipped.
 * - the framing of a chunked body (bare LF, extensions) and the trailer section: a request with a chunked body is
 *   therefore the last of its connection (jc_request.close), so that what follows is never taken for a request.
 * - heads that libmicrohttpd itself refuses, with a page of its own: lines without a colon, a Content-Length that is not
 *   a number, versions other than 1.x, over-long lines.
 */
#ifndef JC_SERVER_WIRE_HEADER_LINT_H
#define JC_SERVER_WIRE_HEADER_LINT_H

#include <stddef.h>

#include "base/attr.h"
#include "server/wire/target.h"

/* A request's head as libmicrohttpd leaves it. All pointers point into `bytes`. */
struct jc_request_head {
    const char *bytes; /* from the method's first byte to the last LF */
    size_t n_bytes;
    const char *target;             /* decoded in place since; its length as sent is parsed->n */
    const struct jc_target *parsed; /* of the bytes as sent */
    const char *version;            /* ends with a NUL */
};

/* What has been read of a head. Members are the lint's own. */
struct jc_header_lint {
    const struct jc_request_head *head;
    const char *at, *end; /* of what is not read yet */
    const char *reason;   /* NULL so far */
    unsigned seen;        /* bits: fields of the table */
    struct jc_authority host;
};

void jc_header_lint_begin(struct jc_header_lint *lint, const struct jc_request_head *head);

/* The next field, in the order sent. */
void jc_header_lint_field(struct jc_header_lint *lint, const char *name, size_t n_name, const char *value,
                          size_t n_value);

/* NULL where the head is unambiguous, else the first reason, for people (static storage). */
JC_MUST_CHECK const char *jc_header_lint_end(struct jc_header_lint *lint);

#endif
