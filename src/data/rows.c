/* Rows cut out of a window over the text: the window slides, and grows as far as the longest row. */
#include "data/rows.h"

#include <string.h>

#include "data/stream.h"

#define N_WINDOW ((size_t)256 << 10)
#define N_PEEK ((size_t)64 << 10)

/* Where the search for a row's end stands. */
enum place { FIELD_START, UNQUOTED, QUOTED, AFTER_QUOTE };

struct jc_rows {
    struct jc_stream *stream;
    char *window;
    size_t start, end, cap; /* bytes at hand: window[start..end) */
    size_t line;            /* of window[start] */
    bool at_end;            /* of the file: nothing comes behind window[end - 1] */
    bool skipping;          /* the rest of a line too long to keep */
    size_t n_plain;         /* bytes from `start` on in which a line is a row, whatever its quotes */
    bool quoting;
    char separator;
};

/* Makes room behind `end`. */
static jc_code make_room(struct jc_rows *rows, struct jc_err *err)
{
    if (rows->start > 0) {
        memmove(rows->window, rows->window + rows->start, rows->end - rows->start);
        rows->end -= rows->start;
        rows->start = 0;
    }
    if (rows->end < rows->cap)
        return JC_OK;
    size_t cap = rows->cap ? 2 * rows->cap : N_WINDOW;
    char *bigger = realloc(rows->window, cap);
    if (!bigger)
        return jc_fail(err, JC_E_NOMEM, "no memory for a row of %zu bytes", cap);
    rows->window = bigger;
    rows->cap = cap;
    return JC_OK;
}

static jc_code fill(struct jc_rows *rows, struct jc_err *err)
{
    size_t n = 0;
    jc_code code = make_room(rows, err);
    if (code || (code = jc_stream_read(rows->stream, rows->window + rows->end, rows->cap - rows->end, &n, err)))
        return code;
    rows->end += n;
    rows->at_end = n == 0;
    return JC_OK;
}

static jc_code drop_mark(struct jc_rows *rows, const char *path, struct jc_err *err)
{
    const char *text = rows->window;
    if (rows->end >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        rows->start = 3;
    else if (rows->end >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return jc_fail(err, JC_E_FORMAT, "%s: the text is UTF-16; save it as UTF-8", path);
    return JC_OK;
}

jc_code jc_rows_open(const char *path, struct jc_rows **ret_rows, struct jc_err *err)
{
    JC_AUTO(jc_rows) struct jc_rows *rows = calloc(1, sizeof(*rows));
    if (!rows)
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", path);
    rows->line = 1;
    jc_code code = jc_stream_open(path, &rows->stream, err);
    if (code)
        return code;
    while (rows->end < N_PEEK && !rows->at_end)
        if ((code = fill(rows, err)))
            return code;
    if ((code = drop_mark(rows, path, err)))
        return code;
    *ret_rows = TAKE(rows);
    return JC_OK;
}

void jc_rows_destroy(struct jc_rows *rows)
{
    if (!rows)
        return;
    jc_stream_destroy(rows->stream);
    free(rows->window);
    free(rows);
}

const char *jc_rows_peek(const struct jc_rows *rows, size_t *ret_n)
{
    *ret_n = rows->end - rows->start;
    return rows->window + rows->start;
}

void jc_rows_set_quoting(struct jc_rows *rows, char separator)
{
    rows->quoting = true;
    rows->separator = separator;
}

/* The first of separator and LF, or `end`. */
static const char *skip_unquoted(const char *p, const char *end, char separator)
{
    while (p < end && *p != separator && *p != '\n')
        p++;
    return p;
}

/*
 * Looks for the LF that ends a row of CSV from *p, in *place, and keeps both for when there is more text. A quote opens
 * a field only where it is the field's first character; what follows a closing quote is not judged here.
 */
static bool find_csv_end(const struct jc_rows *rows, const char **p, const char *end, enum place *place)
{
    while (*p < end) {
        switch (*place) {
        case FIELD_START:
            *place = **p == '"' ? QUOTED : UNQUOTED;
            *p += *place == QUOTED;
            break;
        case UNQUOTED:
            *p = skip_unquoted(*p, end, rows->separator);
            if (*p == end)
                break;
            if (**p == '\n')
                return true;
            *place = FIELD_START;
            (*p)++;
            break;
        case QUOTED:
            *p = memchr(*p, '"', (size_t)(end - *p));
            *place = *p ? AFTER_QUOTE : QUOTED;
            *p = *p ? *p + 1 : end;
            break;
        case AFTER_QUOTE:
            *place = **p == '"' ? QUOTED : UNQUOTED;
            *p += *place == QUOTED;
            break;
        }
    }
    return false;
}

static bool find_line_end(const char **p, const char *end)
{
    const char *stop = memchr(*p, '\n', (size_t)(end - *p));
    *p = stop ? stop : end;
    return stop != NULL;
}

static size_t count_lines(const char *p, const char *end)
{
    size_t n = 0;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

/* Takes window[start..start + n) as a row, and the LF behind it. */
static void take_row(struct jc_rows *rows, size_t n, const char *bad, struct jc_row *ret_row)
{
    const char *text = rows->window + rows->start;
    size_t n_taken = n + (rows->start + n < rows->end && text[n] == '\n');
    *ret_row = (struct jc_row){.text = text, .n = n, .line = rows->line, .bad = bad};
    if (n && text[n - 1] == '\r')
        ret_row->n--;
    rows->line += count_lines(text, text + n_taken);
    rows->start += n_taken;
    rows->n_plain -= n_taken < rows->n_plain ? n_taken : rows->n_plain;
}

/*
 * Window[start..start + n) opens a quote that does not close. That is most likely a quote too many, so only the first
 * line is given up; but in the rest of these bytes quotes span no lines any more: text made for it would open one in
 * every line, and be looked at as often.
 */
static void take_unclosed(struct jc_rows *rows, size_t n, const char *bad, struct jc_row *ret_row)
{
    const char *text = rows->window + rows->start, *p = text;
    find_line_end(&p, text + n);
    rows->n_plain = n;
    take_row(rows, (size_t)(p - text), bad, ret_row);
}

/* The `n` bytes from `start` on are too many for a row; `ended` says whether they are all of it. */
static void take_too_long(struct jc_rows *rows, size_t n, bool ended, struct jc_row *ret_row)
{
    if (memchr(rows->window + rows->start, '\n', n)) {
        take_unclosed(rows, n, "a row of more than 64 MiB (is a quote not closed?)", ret_row);
        return;
    }
    take_row(rows, n, "a line of more than 64 MiB", ret_row);
    rows->skipping = !ended;
}

/* Drops the rest of a line that was too long. */
static jc_code skip_line(struct jc_rows *rows, struct jc_err *err)
{
    while (rows->skipping) {
        const char *text = rows->window + rows->start, *p = text;
        if (find_line_end(&p, rows->window + rows->end)) {
            rows->skipping = false;
            rows->line++;
            rows->start += (size_t)(p - text) + 1;
            return JC_OK;
        }
        rows->start = rows->end;
        if (rows->at_end)
            return JC_OK;
        jc_code code = fill(rows, err);
        if (code)
            return code;
    }
    return JC_OK;
}

/* Takes what is left at the end of the file. */
static void take_last(struct jc_rows *rows, bool open, bool *ret_more, struct jc_row *ret_row)
{
    size_t n = rows->end - rows->start;
    *ret_more = n > 0;
    if (open)
        take_unclosed(rows, n, "a quote is opened and not closed", ret_row);
    else
        take_row(rows, n, NULL, ret_row);
}

/* Takes the next row, which may be an empty line, or nothing (*ret_more) at the end. */
static jc_code cut_row(struct jc_rows *rows, bool *ret_more, struct jc_row *ret_row, struct jc_err *err)
{
    bool quoting = rows->quoting && rows->n_plain == 0;
    enum place place = FIELD_START;
    size_t n_seen = 0;
    *ret_more = true;
    for (;;) {
        const char *text = rows->window + rows->start, *p = text + n_seen, *end = rows->window + rows->end;
        bool found = quoting ? find_csv_end(rows, &p, end, &place) : find_line_end(&p, end);
        n_seen = (size_t)(p - text);
        if (n_seen > JC_ROWS_MAX_BYTES) {
            take_too_long(rows, n_seen, found, ret_row);
            return JC_OK;
        }
        if (found) {
            take_row(rows, n_seen, NULL, ret_row);
            return JC_OK;
        }
        if (rows->at_end) {
            take_last(rows, place == QUOTED, ret_more, ret_row);
            return JC_OK;
        }
        jc_code code = fill(rows, err);
        if (code)
            return code;
    }
}

jc_code jc_rows_next(struct jc_rows *rows, bool *ret_more, struct jc_row *ret_row, struct jc_err *err)
{
    jc_code code = skip_line(rows, err);
    if (code)
        return code;
    do
        code = cut_row(rows, ret_more, ret_row, err);
    while (!code && *ret_more && ret_row->n == 0);
    return code;
}
