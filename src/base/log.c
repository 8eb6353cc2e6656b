/* One JSON line an event. See log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static enum jc_log_level lowest = JC_LOG_INFO;

void jc_log_set_level(enum jc_log_level level)
{
    lowest = level;
}

jc_code jc_log_level_parse(const char *text, enum jc_log_level *ret_level, struct jc_err *err)
{
    for (size_t i = 0; i < JC_COUNT(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum jc_log_level)i;
            return JC_OK;
        }
    }
    return jc_fail(err, JC_E_INVALID, "expected debug, info, warn or error, not '%s'", text);
}

static void write_line(struct jc_buf *line)
{
    jc_buf_puts(line, "}\n");
    if (line->failed)
        return;
    ssize_t written = write(STDERR_FILENO, line->data, line->n);
    (void)written; /* a log that cannot be written has nowhere to complain */
}

static void begin_line(struct jc_buf *line, enum jc_log_level level, const char *event)
{
    char now[JC_CLOCK_TEXT];
    jc_clock_utc(now);
    jc_buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", now, level_names[level], event);
}

static void put_field(struct jc_buf *line, const char *key, const char *value)
{
    jc_buf_printf(line, ",\"%s\":", key);
    jc_buf_put_json(line, value, strlen(value));
}

void jc_log(enum jc_log_level level, const char *event, ...)
{
    if (level < lowest)
        return;
    JC_AUTO_BUF struct jc_buf line = {0};
    begin_line(&line, level, event);

    va_list args;
    va_start(args, event);
    for (const char *key; (key = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        put_field(&line, key, value ? value : "");
    }
    va_end(args);
    write_line(&line);
}

void jc_log_fields(enum jc_log_level level, const char *event, const struct jc_log_field *fields, size_t n_fields)
{
    if (level < lowest)
        return;
    JC_AUTO_BUF struct jc_buf line = {0};
    begin_line(&line, level, event);
    for (size_t i = 0; i < n_fields; i++)
        if (fields[i].value)
            put_field(&line, fields[i].key, fields[i].value);
    write_line(&line);
}

void jc_log_err(const char *event, const struct jc_err *err)
{
    char place[160];
    const char *slash = err->file ? strrchr(err->file, '/') : NULL;
    snprintf(place, sizeof place, "%s:%d", slash ? slash + 1 : err->file ? err->file : "?", err->line);
    jc_log(JC_LOG_ERROR, event, "code", jc_code_name(err->code), "detail", err->text, "at", place, NULL);
}
