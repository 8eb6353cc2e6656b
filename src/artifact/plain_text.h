/* What a line of text in a bundle's file may hold. */
#ifndef JC_ARTIFACT_PLAIN_TEXT_H
#define JC_ARTIFACT_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

static inline bool jc_is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* At least a byte of UTF-8, without control characters. */
static inline bool jc_is_plain_text(const char *text, size_t n)
{
    size_t i = 0;
    for (size_t length; i < n && !jc_is_control(text[i]); i += length)
        if (!(length = jc_buf_utf8_sequence(text + i, n - i)))
            return false;
    return n > 0 && i == n;
}

#endif
