/*
 * Rows that are of no use: counted, written to a CSV file (file, line, reason, row) that appears whole or not at all,
 * and held against a limit. Threads: one at a time.
 */
#ifndef JC_DATA_REJECTS_H
#define JC_DATA_REJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"

/* How many bad rows are too many: more than a number, or more than a share of all rows. */
struct jc_reject_limit {
    bool is_share;
    double share; /* 0 to 1 */
    uint64_t n_rows;
};

struct jc_rejects;

/* "100" (rows), "2.5%" (of all rows). Errors: INVALID. */
JC_MUST_CHECK jc_code jc_reject_limit_parse(const char *text, struct jc_reject_limit *ret_limit, struct jc_err *err);

/* `path`: where the file is published, in a folder that is there; NULL: rows are only counted. Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_rejects_create(const char *path, struct jc_reject_limit limit, struct jc_rejects **ret_rejects,
                                        struct jc_err *err);

/* Unpublished, what was written is deleted. */
void jc_rejects_destroy(struct jc_rejects *rejects);
JC_DEFINE_AUTO(jc_rejects)

/* A bad row of file `file`. Of the row's text, any bytes, the first MiB is written; a NUL, and what is no UTF-8, as
 * "\xNN". Errors: IO. */
JC_MUST_CHECK jc_code jc_rejects_add(struct jc_rejects *rejects, const char *file, size_t line, const char *reason,
                                     const char *row, size_t n_row, struct jc_err *err);

uint64_t jc_rejects_count(const struct jc_rejects *rejects);

/*
 * Are there too many, among `n_rows` good and bad ones? A number is held to at any time; a share only `at_end` of all
 * rows, since bad rows often stand together. Errors: FORMAT, with the first bad row's reason; publish, then give up.
 */
JC_MUST_CHECK jc_code jc_rejects_check(const struct jc_rejects *rejects, uint64_t n_rows, bool at_end,
                                       struct jc_err *err);

/* Makes the file appear, with its header line alone where no row was bad; nothing can be added then. Errors: IO. */
JC_MUST_CHECK jc_code jc_rejects_publish(struct jc_rejects *rejects, struct jc_err *err);

#endif
