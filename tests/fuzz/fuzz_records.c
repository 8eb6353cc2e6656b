/*
 * libFuzzer: the first byte picks the format, the others are a file of it, plain or gzip. Checked besides the
 * sanitizers: rows come in order; a bad one has a reason; fields are UTF-8 without NUL; what is read, written as CSV
 * and read again is the same; JSON lines are judged, and decoded, as jansson does.
 */
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "data/records.h"
#include "fuzz.h"
#include "text/utf8.h"

static void put_fields(struct jc_buf *csv, const struct jc_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        jc_buf_puts(csv, i ? ",\"" : "\"");
        for (const char *p = fields[i].text; *p; p++) {
            if (*p == '"')
                jc_buf_putc(csv, '"');
            jc_buf_putc(csv, *p);
        }
        jc_buf_putc(csv, '"');
    }
    jc_buf_putc(csv, '\n');
}

static void put_header(struct jc_buf *csv, const struct jc_records *records)
{
    size_t n;
    const char *const *columns = jc_records_columns(records, &n);
    struct jc_field fields[JC_RECORDS_MAX_COLUMNS];
    for (size_t i = 0; i < n; i++)
        fields[i] = (struct jc_field){.text = columns[i], .n = strlen(columns[i])};
    put_fields(csv, fields, n);
}

static void check_record(const struct jc_record *record, size_t line)
{
    struct jc_err err;
    ENSURE(record->line > line);
    ENSURE(!record->bad || *record->bad);
    ENSURE(record->raw.n > 0);
    for (size_t i = 0; i < record->n_fields; i++) {
        const struct jc_field *field = &record->fields[i];
        ENSURE(strlen(field->text) == field->n && (!record->bad || field->n == 0));
        ENSURE(jc_utf8_check("field", field->text, field->n, &err) == JC_OK);
    }
}

/* Does jansson read an object where we do? Its numbers have a range, and ours have not; a NUL it passes over. */
static bool agree_with_jansson(const struct jc_record *record)
{
    if (memchr(record->raw.text, '\0', record->raw.n))
        return record->bad;
    json_error_t error;
    json_t *json = json_loadb(record->raw.text, record->raw.n, 0, &error);
    bool object = json_is_object(json), overflow = !json && json_error_code(&error) == json_error_numeric_overflow;
    json_decref(json);
    return object == !record->bad || overflow || (record->bad && strstr(record->bad, "too deep"));
}

static void check_strings(const struct jc_records *records, const struct jc_record *record)
{
    json_error_t error;
    json_t *json = json_loadb(record->raw.text, record->raw.n, 0, &error);
    size_t n;
    const char *const *columns = jc_records_columns(records, &n);
    for (size_t i = 0; i < n && json; i++) {
        const json_t *value = json_object_get(json, columns[i]);
        if (json_is_string(value))
            ENSURE(strcmp(json_string_value(value), record->fields[i].text) == 0);
        else
            ENSURE(json_is_number(value) == (record->fields[i].n > 0));
    }
    json_decref(json);
}

/* Reads the file to its end, or its damage; the good rows go to *csv. With `bare`, no column is selected. */
static void read_file(const char *path, enum jc_records_format format, bool bare, struct jc_buf *csv)
{
    struct jc_err err = {0};
    struct jc_record record = {0};
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    if (jc_records_open(path, format, &records, &err)) {
        ENSURE(err.code == JC_E_FORMAT && *err.text && !records);
        return;
    }
    put_header(csv, records);
    if (bare)
        ENSURE(jc_records_select(records, NULL, 0, &err) == JC_OK);
    size_t line = 0;
    for (bool more;;) {
        if (jc_records_next(records, &more, &record, &err)) {
            ENSURE(err.code == JC_E_FORMAT && *err.text);
            return;
        }
        if (!more)
            return;
        check_record(&record, line);
        line = record.line;
        if (bare)
            ENSURE(agree_with_jansson(&record));
        else if (format == JC_RECORDS_JSONL && !record.bad)
            check_strings(records, &record);
        if (!record.bad && record.n_fields)
            put_fields(csv, record.fields, record.n_fields);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0)
        return 0;
    enum jc_records_format format = (enum jc_records_format)(JC_RECORDS_CSV + data[0] % 3);
    JC_AUTO_BUF struct jc_buf first = {0}, second = {0};
    const char *path = fuzz_file(data + 1, n - 1);
    if (format == JC_RECORDS_JSONL)
        read_file(path, format, true, &second);
    jc_buf_clear(&second);
    read_file(path, format, false, &first);
    if (first.n < 2)
        return 0;
    read_file(fuzz_file((const unsigned char *)first.data, first.n), JC_RECORDS_CSV, false, &second);
    ENSURE(first.n == second.n && memcmp(first.data, second.data, first.n) == 0);
    return 0;
}
