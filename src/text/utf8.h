/* UTF-8 validation (RFC 3629: no surrogates, nothing over U+10FFFF, no overlong forms) and walking. Threads: any. */
#ifndef JC_TEXT_UTF8_H
#define JC_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Errors: INVALID, "<what>: invalid UTF-8 at byte <offset>". */
JC_MUST_CHECK jc_code jc_utf8_check(const char *what, const char *text, size_t n, struct jc_err *err);

/* How many of the bytes, from the first on, are valid. */
size_t jc_utf8_span(const char *text, size_t n);

/* How many code points valid UTF-8 holds. */
size_t jc_utf8_count(const char *text, size_t n);

/* The code point at byte *i of valid UTF-8; moves *i behind it. */
static inline uint32_t jc_utf8_next(const char *text, size_t *i)
{
    const unsigned char *p = (const unsigned char *)text + *i;
    if (p[0] < 0x80) {
        *i += 1;
        return p[0];
    }
    if (p[0] < 0xE0) {
        *i += 2;
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    }
    if (p[0] < 0xF0) {
        *i += 3;
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    *i += 4;
    return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

/* Writes a code point (0..0x10FFFF, no surrogate) and returns its length, 1 to 4 bytes. */
size_t jc_utf8_put(uint32_t c, char ret_bytes[4]);

#endif
