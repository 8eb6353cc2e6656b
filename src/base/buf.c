/* A growable byte buffer with a sticky failure. See buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

char *jc_buf_reserve(struct jc_buf *buf, size_t n)
{
    if (buf->failed)
        return NULL;
    if (n < buf->cap - buf->n) /* keeps one byte for the NUL */
        return buf->data + buf->n;

    size_t need = buf->n + n + 1;
    if (need < n) {
        buf->failed = true;
        return NULL;
    }
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->cap = cap;
    buf->data[buf->n] = '\0';
    return buf->data + buf->n;
}

void jc_buf_put(struct jc_buf *buf, const void *bytes, size_t n)
{
    char *to = jc_buf_reserve(buf, n);
    if (!to)
        return;
    if (n)
        memcpy(to, bytes, n);
    buf->n += n;
    buf->data[buf->n] = '\0';
}

void jc_buf_puts(struct jc_buf *buf, const char *text)
{
    jc_buf_put(buf, text, strlen(text));
}

void jc_buf_putc(struct jc_buf *buf, char c)
{
    jc_buf_put(buf, &c, 1);
}

void jc_buf_printf(struct jc_buf *buf, const char *fmt, ...)
{
    for (size_t room = 64;;) {
        char *to = jc_buf_reserve(buf, room);
        if (!to)
            return;
        va_list args;
        va_start(args, fmt);
        int n = vsnprintf(to, room, fmt, args);
        va_end(args);
        if (n < 0) {
            buf->failed = true;
            return;
        }
        if ((size_t)n < room) {
            buf->n += (size_t)n;
            return;
        }
        room = (size_t)n + 1;
    }
}

/* RFC 3629, table 3-7 of the Unicode standard. */
size_t jc_buf_utf8_sequence(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned char c = s[0];
    if (c < 0x80)
        return 1;
    size_t len = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (!len || len > n)
        return 0;
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

static void put_json_escape(struct jc_buf *buf, unsigned char c)
{
    static const char short_names[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
    if (c < sizeof short_names && short_names[c]) {
        const char escape[2] = {'\\', short_names[c]};
        jc_buf_put(buf, escape, 2);
    } else {
        jc_buf_printf(buf, "\\u%04x", c);
    }
}

void jc_buf_put_json(struct jc_buf *buf, const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t start = 0, i = 0;

    jc_buf_putc(buf, '"');
    while (i < n) {
        size_t len = jc_buf_utf8_sequence(text + i, n - i);
        bool plain = len > 1 || (len == 1 && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\' && s[i] != 0x7f);
        if (plain) {
            i += len;
            continue;
        }
        jc_buf_put(buf, text + start, i - start);
        if (len)
            put_json_escape(buf, s[i]);
        else
            jc_buf_puts(buf, "\xef\xbf\xbd"); /* U+FFFD */
        start = ++i;
    }
    jc_buf_put(buf, text + start, n - start);
    jc_buf_putc(buf, '"');
}

void jc_buf_clear(struct jc_buf *buf)
{
    buf->n = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

jc_code jc_buf_check(const struct jc_buf *buf, struct jc_err *err)
{
    return buf->failed ? jc_fail(err, JC_E_NOMEM, "out of memory") : JC_OK;
}

char *jc_buf_take(struct jc_buf *buf)
{
    if (buf->failed || !jc_buf_reserve(buf, 0)) {
        jc_buf_finish(buf);
        return NULL;
    }
    char *data = buf->data;
    *buf = (struct jc_buf){0};
    return data;
}

void jc_buf_finish(struct jc_buf *buf)
{
    free(buf->data);
    *buf = (struct jc_buf){0};
}

void jc_buf_put_number(struct jc_buf *buf, double value)
{
    char text[32];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    jc_buf_puts(buf, text);
}
