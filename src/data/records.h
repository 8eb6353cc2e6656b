/*
 * Tables of text, read row by row in bounded memory: CSV (RFC 4180), TSV and JSON lines, each plain or gzip (told by
 * its bytes, not its name).
 *
 * CSV   a header row, then rows of as many fields. A quoted field may hold separators, line ends and doubled quotes; a
 *       quote inside an unquoted field is itself. The separator is a comma or, where the header has none, a semicolon
 *       or a tab.
 * TSV   a header line, then lines of as many fields parted by tabs. A quote is a character like any other (a file with
 *       quoted, multi-line fields is CSV, whatever its name: say so).
 * JSONL one object a line. A string is its text, a number stands as written, null or no such key is an empty field;
 *       other values are passed over unless their key is selected. The columns are the keys of the first 100 rows.
 *
 * All: UTF-8 with or without a byte order mark, LF or CR LF, empty lines passed over. A malformed row is given as such,
 * with its line and the reason, and reading goes on behind it. Threads: one at a time.
 */
#ifndef JC_DATA_RECORDS_H
#define JC_DATA_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

#define JC_RECORDS_MAX_COLUMNS 1024
#define JC_RECORDS_MAX_FIELD ((size_t)16 << 20) /* bytes; a row's limit is 64 MiB */
#define JC_RECORDS_NO_COLUMN ((size_t)-1)

enum jc_records_format {
    JC_RECORDS_AUTO, /* by the name: .csv, .tsv, .jsonl, .ndjson, and .gz behind each */
    JC_RECORDS_CSV,
    JC_RECORDS_TSV,
    JC_RECORDS_JSONL,
};

struct jc_field {
    const char *text; /* never NULL; a NUL follows that `n` does not count, and there is none before */
    size_t n;         /* bytes */
};

struct jc_record {
    size_t line;                   /* where the row begins, from 1 */
    const char *bad;               /* NULL, or why the row is malformed: its fields are empty then */
    const struct jc_field *fields; /* the selected columns' */
    size_t n_fields;
    struct jc_field raw; /* the row as it stands in the file (only its first line where a quote is not closed); not
                            NUL-terminated, any bytes */
};

struct jc_records;

/* "auto", "csv", "tsv", "jsonl". Errors: INVALID. */
JC_MUST_CHECK jc_code jc_records_format_parse(const char *text, enum jc_records_format *ret_format, struct jc_err *err);

/* Errors: NOT_FOUND, IO, INVALID (no format in the name), FORMAT (the header; UTF-16; a damaged gzip), NOMEM. */
JC_MUST_CHECK jc_code jc_records_open(const char *path, enum jc_records_format format, struct jc_records **ret_records,
                                      struct jc_err *err);
void jc_records_destroy(struct jc_records *records);
JC_DEFINE_AUTO(jc_records)

/* The columns' names, as the file has them; JC_RECORDS_NO_COLUMN where none has that name. */
const char *const *jc_records_columns(const struct jc_records *records, size_t *ret_n);
size_t jc_records_find(const struct jc_records *records, const char *name);

/*
 * What records hold from here on, in place of all columns in their order: the `n` columns called `names`. The field of
 * a name that no column has is empty (JSONL: a key may still come in a later row).
 * Errors: FORMAT (two columns have the name), NOMEM.
 */
JC_MUST_CHECK jc_code jc_records_select(struct jc_records *records, const char *const *names, size_t n,
                                        struct jc_err *err);

/* The next row, good or bad, or *ret_more = false at the end. What it points at lives until the next call.
 * Errors: IO, FORMAT (a damaged gzip), NOMEM. */
JC_MUST_CHECK jc_code jc_records_next(struct jc_records *records, bool *ret_more, struct jc_record *ret_record,
                                      struct jc_err *err);

const char *jc_records_path(const struct jc_records *records);

#endif
