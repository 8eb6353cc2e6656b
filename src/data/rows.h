/*
 * A text file cut into rows, in bounded memory: a row is a line or, where quotes count (CSV), as many lines as its
 * quoted fields span. Empty lines are passed over, a byte order mark is dropped, CR LF ends a line as LF does.
 * Threads: one at a time.
 */
#ifndef JC_DATA_ROWS_H
#define JC_DATA_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

#define JC_ROWS_MAX_BYTES ((size_t)64 << 20)

struct jc_rows;

struct jc_row {
    const char *text; /* without its line end; until the next call */
    size_t n;         /* bytes */
    size_t line;      /* where it begins, from 1 */
    const char *bad;  /* NULL, or why it is no row (static storage); `text` is then its first line */
};

/* Errors: NOT_FOUND, IO, FORMAT (UTF-16; a damaged gzip), NOMEM. */
JC_MUST_CHECK jc_code jc_rows_open(const char *path, struct jc_rows **ret_rows, struct jc_err *err);
void jc_rows_destroy(struct jc_rows *rows);
JC_DEFINE_AUTO(jc_rows)

/* The text at hand before the first row is taken: the whole file, or some 64 KiB of it. */
const char *jc_rows_peek(const struct jc_rows *rows, size_t *ret_n);

/* From here on quotes count, and fields are parted by `separator`. */
void jc_rows_set_quoting(struct jc_rows *rows, char separator);

/*
 * The next row, or *ret_more = false. A row that is longer than JC_ROWS_MAX_BYTES, or whose quote never closes, is
 * bad; reading goes on with the line after its first. Errors: IO, FORMAT (a damaged gzip), NOMEM.
 */
JC_MUST_CHECK jc_code jc_rows_next(struct jc_rows *rows, bool *ret_more, struct jc_row *ret_row, struct jc_err *err);

#endif
