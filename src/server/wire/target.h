/*
 * Request targets and authorities (RFC 9112, 3.2): what a request asks for, as its bytes came. Pure functions over text
 * that need not end with a NUL; nothing is allocated. Each returns NULL where all is well, else the reason for people
 * (static storage). Threads: any.
 */
#ifndef JC_SERVER_WIRE_TARGET_H
#define JC_SERVER_WIRE_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum jc_target_form {
    JC_TARGET_ORIGIN,   /* /path?query */
    JC_TARGET_ABSOLUTE, /* http://authority/path?query */
    JC_TARGET_ASTERISK, /* * */
};

/* Offsets and lengths in bytes from the target's beginning. */
struct jc_target {
    enum jc_target_form form;
    size_t n;
    size_t authority_at, n_authority; /* ABSOLUTE */
    size_t path_at, n_path;           /* n_path may be 0 for ABSOLUTE: it is "/" then */
    unsigned default_port;            /* ABSOLUTE: of its scheme */
};

/*
 * Refused: control characters, blanks, bytes over 0x7e, fragments, other forms and schemes; and in a path a backslash,
 * broken percent-encoding, and an encoded slash, backslash or control character, because the next hop may take them for
 * what they stand for. In a query these are data, which endpoints take by length.
 */
JC_MUST_CHECK const char *jc_target_parse(const char *text, size_t n, struct jc_target *ret_target);

struct jc_authority {
    const char *host; /* in the caller's text; an IPv6 address with its brackets */
    size_t n_host;
    int port; /* -1 = not given */
};

/* A name of letters, digits, '-', '.', '_', '~', or an IPv6 address in brackets; then perhaps ":" and a port. */
JC_MUST_CHECK const char *jc_authority_parse(const char *text, size_t n, struct jc_authority *ret_authority);

/* Whether both name the same host and port. */
bool jc_authority_equal(const struct jc_authority *a, const struct jc_authority *b, unsigned default_port);

#endif
