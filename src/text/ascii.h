/* ASCII character classes, the same in every locale. Bytes of a longer UTF-8 sequence belong to none. */
#ifndef JC_TEXT_ASCII_H
#define JC_TEXT_ASCII_H

#include <stdbool.h>

static inline bool jc_ascii_is_letter(char c)
{
    return ((unsigned char)c | 0x20u) - 'a' < 26;
}

static inline bool jc_ascii_is_digit(char c)
{
    return (unsigned char)c - (unsigned)'0' < 10;
}

static inline bool jc_ascii_is_alnum(char c)
{
    return jc_ascii_is_letter(c) || jc_ascii_is_digit(c);
}

static inline bool jc_ascii_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
