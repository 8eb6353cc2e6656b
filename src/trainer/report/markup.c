/* Escaping. See markup.h. */
#include "trainer/report/markup.h"

#include <string.h>

#include "text/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS "\xe2\x80\xa6"    /* U+2026 */

static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return c < 0x20 || c == 0x7f ? " " : NULL;
    }
}

/* C1 controls, and those that turn the direction of all that follows (U+202A to U+202E). */
static bool is_control(uint32_t c)
{
    return (c >= 0x80 && c <= 0x9f) || (c >= 0x202a && c <= 0x202e);
}

void jc_markup_put_text(struct jc_buf *out, const char *text, size_t max_chars)
{
    size_t n = strlen(text), n_chars = 0;
    struct jc_err err;
    bool is_utf8 = jc_utf8_check("text", text, n, &err) == JC_OK;
    for (size_t i = 0, next; i < n; i = next) {
        if (max_chars && n_chars++ == max_chars) {
            jc_buf_puts(out, ELLIPSIS);
            return;
        }
        next = i;
        uint32_t c = is_utf8 ? jc_utf8_next(text, &next) : (unsigned char)text[next++];
        const char *escape = c < 0x80 ? escape_of((unsigned char)c) : NULL;
        if (escape)
            jc_buf_puts(out, escape);
        else if (c >= 0x80 && !is_utf8)
            jc_buf_puts(out, REPLACEMENT);
        else if (is_control(c))
            jc_buf_putc(out, ' ');
        else
            jc_buf_put(out, text + i, next - i);
    }
}
