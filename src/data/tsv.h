/*
 * Tab-separated files with a header line. Columns are found by name, wherever they stand; every row must have as many
 * fields as the header. A byte order mark, CR LF and empty last lines are accepted; invalid UTF-8 and NUL are not.
 * Fields are strings inside the file's text, which lives as long as the struct jc_tsv. Threads: one at a time.
 */
#ifndef JC_DATA_TSV_H
#define JC_DATA_TSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

struct jc_tsv;

/* Reads the file and finds `columns`. Errors: NOT_FOUND, IO, TOO_LARGE (over 1 GiB), FORMAT (a column missing or
 * twice), NOMEM. */
JC_MUST_CHECK jc_code jc_tsv_open(const char *path, const char *const *columns, size_t n_columns,
                                  struct jc_tsv **ret_tsv, struct jc_err *err);
void jc_tsv_destroy(struct jc_tsv *tsv);
JC_DEFINE_AUTO(jc_tsv)

/* The next row's fields, [n_columns] in the order of `columns`, or *ret_more = false at the end.
 * Errors: FORMAT, "<path>:<line>: ...". */
JC_MUST_CHECK jc_code jc_tsv_next(struct jc_tsv *tsv, bool *ret_more, const char **ret_fields, struct jc_err *err);

/* The line, from 1, of the row that jc_tsv_next gave last. */
size_t jc_tsv_line(const struct jc_tsv *tsv);

const char *jc_tsv_path(const struct jc_tsv *tsv);

#endif
