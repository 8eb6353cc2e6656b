/*
 * The log: one JSON object a line on standard error, {"time":..,"level":..,"event":..,"<key>":..}. Programs log;
 * libraries return errors. `event` is a fixed snake_case word; the fields come as key, value pairs of strings ended
 * by NULL. Threads: any; a line is written by one write(2).
 *
 *     jc_log(JC_LOG_INFO, "listening", "address", address, "port", port_text, NULL);
 */
#ifndef JC_BASE_LOG_H
#define JC_BASE_LOG_H

#include <stddef.h>

#include "base/err.h"

enum jc_log_level { JC_LOG_DEBUG, JC_LOG_INFO, JC_LOG_WARN, JC_LOG_ERROR };

/* Lines below `level` are dropped. The default is INFO. Call before threads start. */
void jc_log_set_level(enum jc_log_level level);

/* "debug" | "info" | "warn" | "error". Errors: INVALID. */
JC_MUST_CHECK jc_code jc_log_level_parse(const char *text, enum jc_log_level *ret_level, struct jc_err *err);

void jc_log(enum jc_log_level level, const char *event, ...) __attribute__((sentinel));

/* The same from an array; a field whose value is NULL is left out. */
struct jc_log_field {
    const char *key, *value;
};
void jc_log_fields(enum jc_log_level level, const char *event, const struct jc_log_field *fields, size_t n_fields);

/* An error as a line: event, then code, detail and source place. */
void jc_log_err(const char *event, const struct jc_err *err);

#endif
