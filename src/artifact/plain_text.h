/* What a line of text in a bundle's file may hold. */
#ifndef JC_ARTIFACT_PLAIN_TEXT_H
#define JC_ARTIFACT_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

static inline bool jc_is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* At least a byte of UTF-8, without control characters. */
static inline bool jc_is_plain_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (jc_is_control(text[i]))
            return false;
    json_auto_t *decoded = json_stringn(text, n); /* NULL where it is not UTF-8 */
    return n > 0 && decoded;
}

#endif
