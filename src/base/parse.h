/*
 * Text to numbers, whole and strict: no trailing characters, no overflow, no NaN. Errors: INVALID, saying what was
 * expected and what was found. Threads: any.
 */
#ifndef JC_BASE_PARSE_H
#define JC_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

JC_MUST_CHECK jc_code jc_parse_bool(const char *text, bool *ret_value, struct jc_err *err); /* true | false */
JC_MUST_CHECK jc_code jc_parse_u64(const char *text, uint64_t *ret_value, struct jc_err *err);
JC_MUST_CHECK jc_code jc_parse_f64(const char *text, double *ret_value, struct jc_err *err);

/* Bytes: "4096", "64KiB", "8MiB", "2GiB". */
JC_MUST_CHECK jc_code jc_parse_size(const char *text, uint64_t *ret_bytes, struct jc_err *err);

/* Milliseconds: "250ms", "5s", "2m", "0" (a bare number other than 0 is refused: it has no unit). */
JC_MUST_CHECK jc_code jc_parse_duration(const char *text, uint64_t *ret_ms, struct jc_err *err);

#endif
