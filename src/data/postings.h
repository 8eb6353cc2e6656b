/*
 * Labelled job postings: the rows of a table whose columns are called what the caller says. A posting has a title or a
 * body and a code; the rest may be missing. Threads: one at a time.
 */
#ifndef JC_DATA_POSTINGS_H
#define JC_DATA_POSTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/records.h"
#include "data/soc_code.h"

/* The columns' names; NULL or "" where the table has no such column. */
struct jc_posting_columns {
    const char *id, *posted, *title, *body, *name, *code, *split;
};

/* ID, POSTED, TITLE_RAW, BODY, ONET_NAME, ONET; no split */
extern const struct jc_posting_columns jc_posting_columns_default;

struct jc_posting_row {
    size_t line;                                          /* where the row begins, from 1 */
    const char *bad;                                      /* NULL, or why the row is of no use; `raw` is of use then */
    struct jc_field raw;                                  /* the row as it stands in the file; any bytes */
    struct jc_field id, posted, title, body, name, split; /* as they stand there, empty where there are none */
    int64_t posted_s;            /* seconds since 1970-01-01 UTC; 0 where `posted` is no ISO 8601 date or datetime */
    char code[JC_SOC_CODE_SIZE]; /* "dd-dddd.dd", not checked against any list; "" where unclassified */
    bool unclassified;           /* the label says that there is no code: "Unclassified", or a code of group 99 */
};

struct jc_postings;

/* Errors: those of jc_records_open; FORMAT where a column is missing that must be there: the code's, the title's and
 * the body's both, or one that has another name than by default (the text lists the columns that there are), or a name
 * that two columns have. */
JC_MUST_CHECK jc_code jc_postings_open(const char *path, enum jc_records_format format,
                                       const struct jc_posting_columns *columns, struct jc_postings **ret_postings,
                                       struct jc_err *err);
void jc_postings_destroy(struct jc_postings *postings);
JC_DEFINE_AUTO(jc_postings)

/* The next row, good or bad, or *ret_more = false. What it points at lives until the next call.
 * Errors: IO, FORMAT (a damaged gzip), NOMEM. */
JC_MUST_CHECK jc_code jc_postings_next(struct jc_postings *postings, bool *ret_more, struct jc_posting_row *ret_row,
                                       struct jc_err *err);

/*
 * "2024-02-29", or with "T09:30", "T09:30:15", "T09:30:15.25" (a blank is as good as the T) and "Z", "+02:00", "+0200"
 * or nothing (which is UTC) behind it, as seconds since 1970-01-01 UTC. Years 1900 to 2199. False for all else.
 */
bool jc_posting_date_parse(const char *text, size_t n, int64_t *ret_s);

#endif
