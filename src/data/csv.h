/* One row of CSV or TSV cut into its fields. Internal to records. Threads: any. */
#ifndef JC_DATA_CSV_H
#define JC_DATA_CSV_H

#include "data/records.h"

/*
 * Writes the fields' text to `to`, which has room for n + 1 bytes: each field with a NUL behind it, quotes resolved.
 * `quoting`: fields may be quoted. Errors: INVALID (why the row is malformed), with no field of use.
 */
JC_MUST_CHECK jc_code jc_csv_split(const char *row, size_t n, char separator, bool quoting, char *to,
                                   struct jc_field fields[JC_RECORDS_MAX_COLUMNS], size_t *ret_n, struct jc_err *err);

/* The separator of a CSV file that begins with `text`: of its first row's characters outside quotes, a comma, else a
 * semicolon, else a tab; a comma where it has none of them. */
char jc_csv_find_separator(const char *text, size_t n);

#endif
