/* Tables of text row by row: the formats behind one face. */
#include "data/records.h"

#include <string.h>

#include "base/buf.h"
#include "data/csv.h"
#include "data/jsonl.h"
#include "data/rows.h"
#include "text/utf8.h"

enum { N_SCANNED_ROWS = 100 };

/* The text of a field that no column gives; the address tells it from a column's empty field. */
static const char absent[] = "";

struct jc_records {
    char *path;
    enum jc_records_format format;
    char separator;
    struct jc_rows *rows;
    char **columns;
    size_t n_columns;
    char **names; /* [n_selected] */
    size_t n_selected;
    size_t *places;              /* [n_selected]: which field of a row, or JC_RECORDS_NO_COLUMN */
    struct jc_field *fields;     /* [n_selected] */
    struct jc_field *row_fields; /* [JC_RECORDS_MAX_COLUMNS]: of CSV and TSV */
    struct jc_buf text;          /* what the fields point at */
    struct jc_err why;           /* of a bad row */
};

jc_code jc_records_format_parse(const char *text, enum jc_records_format *ret_format, struct jc_err *err)
{
    static const char *const names[] = {"auto", "csv", "tsv", "jsonl"};
    for (size_t i = 0; i < JC_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_format = (enum jc_records_format)i;
            return JC_OK;
        }
    return jc_fail(err, JC_E_INVALID, "'%s' is none of auto, csv, tsv, jsonl", text);
}

static bool ends_with(const char *text, size_t n, const char *end)
{
    size_t n_end = strlen(end);
    return n > n_end && strncasecmp(text + n - n_end, end, n_end) == 0;
}

static jc_code guess_format(const char *path, enum jc_records_format *format, struct jc_err *err)
{
    static const struct {
        const char *end;
        enum jc_records_format format;
    } ends[] = {{".csv", JC_RECORDS_CSV},
                {".tsv", JC_RECORDS_TSV},
                {".jsonl", JC_RECORDS_JSONL},
                {".ndjson", JC_RECORDS_JSONL}};
    size_t n = strlen(path);
    if (ends_with(path, n, ".gz"))
        n -= strlen(".gz");
    for (size_t i = 0; i < JC_COUNT(ends) && *format == JC_RECORDS_AUTO; i++)
        if (ends_with(path, n, ends[i].end))
            *format = ends[i].format;
    if (*format == JC_RECORDS_AUTO)
        return jc_fail(err, JC_E_INVALID,
                       "%s: the name does not end in .csv, .tsv or .jsonl (or .gz behind it): say the format", path);
    return JC_OK;
}

/* What no format allows. */
static jc_code check_text(const struct jc_row *row, struct jc_err *why)
{
    if (row->bad)
        return jc_fail(why, JC_E_INVALID, "%s", row->bad);
    const char *nul = memchr(row->text, '\0', row->n);
    if (nul)
        return jc_fail(why, JC_E_INVALID, "a NUL at byte %zu", (size_t)(nul - row->text));
    return jc_utf8_check("row", row->text, row->n, why);
}

/* Appends a copy of `name` to the columns, for which there is room. */
static jc_code add_column(struct jc_records *records, const char *name, struct jc_err *err)
{
    char *copy = strdup(name);
    if (!copy)
        return jc_fail(err, JC_E_NOMEM, "%s: no memory for a column", records->path);
    records->columns[records->n_columns++] = copy;
    return JC_OK;
}

/* Makes room for the fields of a row of `n` bytes. */
static jc_code reserve_text(struct jc_records *records, size_t n, struct jc_err *err)
{
    jc_buf_clear(&records->text);
    return jc_buf_reserve(&records->text, n + 1) ? JC_OK : jc_buf_check(&records->text, err);
}

static jc_code split_row(struct jc_records *records, const struct jc_row *row, size_t *ret_n, struct jc_err *why)
{
    return jc_csv_split(row->text, row->n, records->separator, records->format == JC_RECORDS_CSV, records->text.data,
                        records->row_fields, ret_n, why);
}

static jc_code read_header(struct jc_records *records, struct jc_err *err)
{
    struct jc_row row;
    bool more;
    jc_code code = jc_rows_next(records->rows, &more, &row, err);
    if (code)
        return code;
    if (!more)
        return jc_fail(err, JC_E_FORMAT, "%s: empty, without a header", records->path);
    size_t n = 0;
    if ((code = reserve_text(records, row.n, err)))
        return code;
    if (check_text(&row, err) || split_row(records, &row, &n, err)) {
        err->code = JC_E_FORMAT;
        return jc_wrap(err, "%s:%zu: the header", records->path, row.line);
    }
    for (size_t i = 0; i < n && !code; i++)
        code = add_column(records, records->row_fields[i].text, err);
    return code;
}

/* Adds the keys of one row that are new; a malformed row has none. */
static jc_code add_keys(struct jc_records *records, const struct jc_row *row, struct jc_err *err)
{
    struct jc_jsonl jsonl;
    struct jc_json_member member;
    jc_code code = reserve_text(records, row->n, err);
    if (code || check_text(row, &records->why))
        return code;
    jc_jsonl_init(&jsonl, row->text, row->n, records->text.data);
    for (bool more; !jc_jsonl_next(&jsonl, &more, &member, &records->why) && more;) {
        if (records->n_columns == JC_RECORDS_MAX_COLUMNS)
            return JC_OK;
        if (jc_records_find(records, member.key.text) == JC_RECORDS_NO_COLUMN &&
            (code = add_column(records, member.key.text, err)))
            return code;
    }
    return JC_OK;
}

/* The keys of JSON lines, from a first look at the file. */
static jc_code scan_keys(struct jc_records *records, struct jc_err *err)
{
    JC_AUTO(jc_rows) struct jc_rows *rows = NULL;
    struct jc_row row;
    jc_code code = jc_rows_open(records->path, &rows, err);
    for (int i = 0; i < N_SCANNED_ROWS && !code; i++) {
        bool more;
        if ((code = jc_rows_next(rows, &more, &row, err)) || !more)
            return code;
        code = add_keys(records, &row, err);
    }
    return code;
}

static jc_code read_columns(struct jc_records *records, struct jc_err *err)
{
    if (records->format == JC_RECORDS_JSONL)
        return scan_keys(records, err);
    if (records->format == JC_RECORDS_TSV) {
        records->separator = '\t';
    } else {
        size_t n;
        const char *text = jc_rows_peek(records->rows, &n);
        records->separator = jc_csv_find_separator(text, n);
        jc_rows_set_quoting(records->rows, records->separator);
    }
    return read_header(records, err);
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}

/* Drops the selection and makes an empty one of `n` names. */
static jc_code reset_selection(struct jc_records *records, size_t n, struct jc_err *err)
{
    free_names(records->names, records->n_selected);
    free(records->places);
    free(records->fields);
    records->n_selected = n;
    records->names = calloc(n + 1, sizeof(*records->names));
    records->places = calloc(n + 1, sizeof(*records->places));
    records->fields = calloc(n + 1, sizeof(*records->fields));
    if (!records->names || !records->places || !records->fields)
        return jc_fail(err, JC_E_NOMEM, "%s: no memory for %zu columns", records->path, n);
    return JC_OK;
}

static jc_code set_selected(struct jc_records *records, size_t i, const char *name, size_t place, struct jc_err *err)
{
    records->places[i] = place;
    records->names[i] = strdup(name);
    return records->names[i] ? JC_OK : jc_fail(err, JC_E_NOMEM, "%s: no memory for a column", records->path);
}

static jc_code select_all(struct jc_records *records, struct jc_err *err)
{
    jc_code code = reset_selection(records, records->n_columns, err);
    for (size_t i = 0; i < records->n_columns && !code; i++)
        code = set_selected(records, i, records->columns[i], i, err);
    return code;
}

static jc_code check_unique(const struct jc_records *records, const char *name, size_t place, struct jc_err *err)
{
    for (size_t i = place + 1; i < records->n_columns; i++)
        if (strcmp(records->columns[i], name) == 0)
            return jc_fail(err, JC_E_FORMAT, "%s: columns %zu and %zu are both called '%s'", records->path, place + 1,
                           i + 1, name);
    return JC_OK;
}

jc_code jc_records_select(struct jc_records *records, const char *const *names, size_t n, struct jc_err *err)
{
    jc_code code = reset_selection(records, n, err);
    for (size_t i = 0; i < n && !code; i++) {
        size_t place = jc_records_find(records, names[i]);
        code = set_selected(records, i, names[i], place, err);
        if (!code && place != JC_RECORDS_NO_COLUMN)
            code = check_unique(records, names[i], place, err);
    }
    return code;
}

jc_code jc_records_open(const char *path, enum jc_records_format format, struct jc_records **ret_records,
                        struct jc_err *err)
{
    JC_AUTO(jc_records) struct jc_records *records = calloc(1, sizeof(*records));
    if (!records || !(records->path = strdup(path)) ||
        !(records->columns = calloc(JC_RECORDS_MAX_COLUMNS, sizeof(*records->columns))) ||
        !(records->row_fields = calloc(JC_RECORDS_MAX_COLUMNS, sizeof(*records->row_fields))))
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", path);
    records->format = format;
    jc_code code;
    if ((code = guess_format(path, &records->format, err)) || (code = jc_rows_open(path, &records->rows, err)) ||
        (code = read_columns(records, err)) || (code = select_all(records, err)))
        return code;
    *ret_records = TAKE(records);
    return JC_OK;
}

void jc_records_destroy(struct jc_records *records)
{
    if (!records)
        return;
    free_names(records->names, records->n_selected);
    free_names(records->columns, records->n_columns);
    free(records->places);
    free(records->fields);
    free(records->row_fields);
    jc_buf_finish(&records->text);
    jc_rows_destroy(records->rows);
    free(records->path);
    free(records);
}

const char *const *jc_records_columns(const struct jc_records *records, size_t *ret_n)
{
    *ret_n = records->n_columns;
    return (const char *const *)records->columns;
}

size_t jc_records_find(const struct jc_records *records, const char *name)
{
    for (size_t i = 0; i < records->n_columns; i++)
        if (strcmp(records->columns[i], name) == 0)
            return i;
    return JC_RECORDS_NO_COLUMN;
}

static jc_code read_csv(struct jc_records *records, const struct jc_row *row, struct jc_err *why)
{
    size_t n = 0;
    jc_code code = split_row(records, row, &n, why);
    if (code)
        return code;
    if (n != records->n_columns)
        return jc_fail(why, JC_E_INVALID, "%zu field%s, the header has %zu", n, n == 1 ? "" : "s", records->n_columns);
    for (size_t i = 0; i < records->n_selected; i++)
        if (records->places[i] != JC_RECORDS_NO_COLUMN)
            records->fields[i] = records->row_fields[records->places[i]];
    return JC_OK;
}

/* Puts a member where it is selected, which may be in several places. */
static jc_code put_member(struct jc_records *records, const struct jc_json_member *member, struct jc_err *why)
{
    for (size_t i = 0; i < records->n_selected; i++) {
        if (strcmp(records->names[i], member->key.text) != 0)
            continue;
        if (records->fields[i].text != absent)
            return jc_fail(why, JC_E_INVALID, "key '%s' stands there twice", records->names[i]);
        if (member->kind > JC_JSON_NULL)
            return jc_fail(why, JC_E_INVALID, "'%s' is %s, not a string, a number or null", records->names[i],
                           jc_json_kind_name(member->kind));
        if (member->value.n > JC_RECORDS_MAX_FIELD)
            return jc_fail(why, JC_E_INVALID, "'%s': more than 16 MiB", records->names[i]);
        records->fields[i] = member->value;
    }
    return JC_OK;
}

static jc_code read_jsonl(struct jc_records *records, const struct jc_row *row, struct jc_err *why)
{
    struct jc_jsonl jsonl;
    struct jc_json_member member;
    jc_jsonl_init(&jsonl, row->text, row->n, records->text.data);
    for (bool more;;) {
        jc_code code = jc_jsonl_next(&jsonl, &more, &member, why);
        if (code || !more || (code = put_member(records, &member, why)))
            return code;
    }
}

static void clear_fields(struct jc_records *records)
{
    for (size_t i = 0; i < records->n_selected; i++)
        records->fields[i] = (struct jc_field){.text = absent};
}

jc_code jc_records_next(struct jc_records *records, bool *ret_more, struct jc_record *ret_record, struct jc_err *err)
{
    struct jc_row row;
    jc_code code = jc_rows_next(records->rows, ret_more, &row, err);
    if (code || !*ret_more)
        return code;
    if ((code = reserve_text(records, row.n, err)))
        return code;
    clear_fields(records);
    bool bad = check_text(&row, &records->why) ||
               (records->format == JC_RECORDS_JSONL ? read_jsonl : read_csv)(records, &row, &records->why);
    if (bad)
        clear_fields(records);
    *ret_record = (struct jc_record){.line = row.line,
                                     .bad = bad ? records->why.text : NULL,
                                     .fields = records->fields,
                                     .n_fields = records->n_selected,
                                     .raw = {.text = row.text, .n = row.n}};
    return JC_OK;
}

const char *jc_records_path(const struct jc_records *records)
{
    return records->path;
}
