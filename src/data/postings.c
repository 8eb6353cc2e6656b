/* Postings out of records: columns, labels. */
#include "data/postings.h"

#include <string.h>

#include "base/buf.h"

enum column { ID, POSTED, TITLE, BODY, NAME, CODE, SPLIT, N_COLUMNS };

struct jc_postings {
    struct jc_records *records;
    char *names[N_COLUMNS];   /* NULL: not asked for */
    size_t places[N_COLUMNS]; /* which field of a record; JC_RECORDS_NO_COLUMN: not asked for */
    char reason[256];
};

static const char blanks[] = " \t\r\n\f\v";

const struct jc_posting_columns jc_posting_columns_default = {
    .id = "ID", .posted = "POSTED", .title = "TITLE_RAW", .body = "BODY", .name = "ONET_NAME", .code = "ONET"};

static bool has_column(const struct jc_postings *postings, enum column column)
{
    return postings->names[column] &&
           jc_records_find(postings->records, postings->names[column]) != JC_RECORDS_NO_COLUMN;
}

static const char *quote_name(const struct jc_postings *postings, enum column column)
{
    return postings->names[column] ? postings->names[column] : "(none)";
}

static jc_code fail_missing(const struct jc_postings *postings, const char *what, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf list = {0};
    size_t n;
    const char *const *columns = jc_records_columns(postings->records, &n);
    for (size_t i = 0; i < n; i++)
        jc_buf_printf(&list, "%s'%s'", i ? ", " : "", columns[i]);
    jc_code code = jc_buf_check(&list, err);
    return code ? code
                : jc_fail(err, JC_E_FORMAT, "%s: no column %s; there %s: %s", jc_records_path(postings->records), what,
                          n == 1 ? "is" : "are", n ? list.data : "none");
}

/* A table may do without the columns that are looked for by default. One that the caller has named is meant: where it
 * is not there its name is mistyped, and its rows would pass for postings without title, body or date. */
static jc_code check_named(const struct jc_postings *postings, struct jc_err *err)
{
    const struct jc_posting_columns *d = &jc_posting_columns_default;
    const char *const defaults[N_COLUMNS] = {d->id, d->posted, d->title, d->body, d->name, d->code, d->split};
    for (enum column i = 0; i < N_COLUMNS; i++) {
        bool is_default = defaults[i] && postings->names[i] && strcmp(postings->names[i], defaults[i]) == 0;
        char what[128];
        if (!postings->names[i] || is_default || has_column(postings, i))
            continue;
        snprintf(what, sizeof(what), "'%s'", postings->names[i]);
        return fail_missing(postings, what, err);
    }
    return JC_OK;
}

static jc_code check_columns(const struct jc_postings *postings, struct jc_err *err)
{
    char what[256];
    if (!has_column(postings, TITLE) && !has_column(postings, BODY)) {
        snprintf(what, sizeof(what), "'%s' (title) or '%s' (body)", quote_name(postings, TITLE),
                 quote_name(postings, BODY));
        return fail_missing(postings, what, err);
    }
    if (!has_column(postings, CODE)) {
        snprintf(what, sizeof(what), "'%s' (code)", quote_name(postings, CODE));
        return fail_missing(postings, what, err);
    }
    return check_named(postings, err);
}

static jc_code copy_names(struct jc_postings *postings, const struct jc_posting_columns *columns, struct jc_err *err)
{
    const char *const names[N_COLUMNS] = {columns->id,   columns->posted, columns->title, columns->body,
                                          columns->name, columns->code,   columns->split};
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (names[i] && *names[i] && !(postings->names[i] = strdup(names[i])))
            return jc_fail(err, JC_E_NOMEM, "no memory for column names");
    return JC_OK;
}

static jc_code select_columns(struct jc_postings *postings, struct jc_err *err)
{
    const char *selected[N_COLUMNS];
    size_t n = 0;
    for (size_t i = 0; i < N_COLUMNS; i++) {
        postings->places[i] = postings->names[i] ? n : JC_RECORDS_NO_COLUMN;
        if (postings->names[i])
            selected[n++] = postings->names[i];
    }
    return jc_records_select(postings->records, selected, n, err);
}

jc_code jc_postings_open(const char *path, enum jc_records_format format, const struct jc_posting_columns *columns,
                         struct jc_postings **ret_postings, struct jc_err *err)
{
    JC_AUTO(jc_postings) struct jc_postings *postings = calloc(1, sizeof(*postings));
    if (!postings)
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", path);
    jc_code code;
    if ((code = copy_names(postings, columns, err)) ||
        (code = jc_records_open(path, format, &postings->records, err)) || (code = check_columns(postings, err)) ||
        (code = select_columns(postings, err)))
        return code;
    *ret_postings = TAKE(postings);
    return JC_OK;
}

void jc_postings_destroy(struct jc_postings *postings)
{
    if (!postings)
        return;
    for (size_t i = 0; i < N_COLUMNS; i++)
        free(postings->names[i]);
    jc_records_destroy(postings->records);
    free(postings);
}

static bool is_blank(struct jc_field field)
{
    return strspn(field.text, blanks) == field.n;
}

static bool is_unclassified(struct jc_field field)
{
    static const char word[] = "unclassified";
    const char *text = field.text + strspn(field.text, blanks);
    size_t n = strcspn(text, blanks);
    return n == strlen(word) && strncasecmp(text, word, n) == 0 && text[n + strspn(text + n, blanks)] == '\0';
}

/* Judges the label: a code, none on purpose, or a bad row. */
static void read_label(struct jc_postings *postings, struct jc_field code, struct jc_posting_row *row)
{
    bool parsed = jc_soc_code_parse(code.text, code.n, row->code);
    if (is_unclassified(code) || (is_blank(code) && is_unclassified(row->name)) ||
        (parsed && memcmp(row->code, "99-", 3) == 0)) {
        row->unclassified = true;
        row->code[0] = '\0';
    } else if (is_blank(code)) {
        snprintf(postings->reason, sizeof(postings->reason), "'%s' is empty", postings->names[CODE]);
        row->bad = postings->reason;
    } else if (!parsed) {
        snprintf(postings->reason, sizeof(postings->reason), "'%s' is '%.40s', not a code like 15-1252.00",
                 postings->names[CODE], code.text);
        row->bad = postings->reason;
    }
}

static struct jc_field get_field(const struct jc_postings *postings, const struct jc_record *record, enum column column)
{
    size_t place = postings->places[column];
    return place == JC_RECORDS_NO_COLUMN ? (struct jc_field){.text = ""} : record->fields[place];
}

jc_code jc_postings_next(struct jc_postings *postings, bool *ret_more, struct jc_posting_row *ret_row,
                         struct jc_err *err)
{
    struct jc_record record;
    jc_code code = jc_records_next(postings->records, ret_more, &record, err);
    if (code || !*ret_more)
        return code;
    struct jc_posting_row row = {.line = record.line,
                                 .bad = record.bad,
                                 .raw = record.raw,
                                 .id = get_field(postings, &record, ID),
                                 .posted = get_field(postings, &record, POSTED),
                                 .title = get_field(postings, &record, TITLE),
                                 .body = get_field(postings, &record, BODY),
                                 .name = get_field(postings, &record, NAME),
                                 .split = get_field(postings, &record, SPLIT)};
    jc_posting_date_parse(row.posted.text, row.posted.n, &row.posted_s);
    if (!row.bad && is_blank(row.title) && is_blank(row.body))
        row.bad = "neither a title nor a body";
    if (!row.bad)
        read_label(postings, get_field(postings, &record, CODE), &row);
    *ret_row = row;
    return JC_OK;
}
