/*
 * A growable byte buffer. The first allocation that fails makes it `failed`, and later puts do nothing: write a whole
 * document, then check once. `data` is always followed by a NUL that `n` does not count (data is NULL while cap is 0).
 * Zero-initialise; free with jc_buf_finish. Threads: one at a time.
 */
#ifndef JC_BASE_BUF_H
#define JC_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/own.h"

struct jc_buf {
    char *data;
    size_t n;   /* bytes in use */
    size_t cap; /* bytes allocated */
    bool failed;
};

void jc_buf_put(struct jc_buf *buf, const void *bytes, size_t n);
void jc_buf_puts(struct jc_buf *buf, const char *text);
void jc_buf_putc(struct jc_buf *buf, char c);
void jc_buf_printf(struct jc_buf *buf, const char *fmt, ...) JC_PRINTF(2, 3);

/* Puts `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD, so the output is always valid JSON. */
void jc_buf_put_json(struct jc_buf *buf, const char *text, size_t n);

/* Bytes of the valid UTF-8 sequence that text[n] begins with, n > 0; 0 = it is none. */
size_t jc_buf_utf8_sequence(const char *text, size_t n);

/* A finite number, in about the fewest digits that read back as the same. */
void jc_buf_put_number(struct jc_buf *buf, double value);

/* Makes room for `n` more bytes and returns where they go (NULL when out of memory); add what was written to `n`. */
char *jc_buf_reserve(struct jc_buf *buf, size_t n);

/* Empties it and keeps the memory. */
void jc_buf_clear(struct jc_buf *buf);

/* JC_OK, or JC_E_NOMEM where a put failed. */
JC_MUST_CHECK jc_code jc_buf_check(const struct jc_buf *buf, struct jc_err *err);

/* Hands the bytes over (free them with free()) and leaves the buffer empty. NULL where a put failed. */
char *jc_buf_take(struct jc_buf *buf);

void jc_buf_finish(struct jc_buf *buf);

#define JC_AUTO_BUF JC_AUTO_FINISH(jc_buf)

#endif
