/* Tab-separated files: the text is read whole and cut up in place. */
#include "data/tsv.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "text/utf8.h"

enum { MAX_FIELDS = 64 };
static const size_t MAX_BYTES = (size_t)1 << 30;

struct jc_tsv {
    char *path;
    struct jc_buf text;
    char *rest; /* where the next line starts; NULL at the end */
    size_t line;
    size_t n_fields; /* of the header, so of every row */
    size_t n_columns;
    size_t *places; /* [n_columns]: which field a column is */
};

/* Cuts off the next line that is not empty. Returns NULL at the end. */
static char *take_line(struct jc_tsv *tsv, size_t *ret_n)
{
    while (tsv->rest) {
        char *line = tsv->rest, *end = tsv->text.data + tsv->text.n;
        char *stop = memchr(line, '\n', (size_t)(end - line));
        tsv->rest = stop ? stop + 1 : NULL;
        if (!stop)
            stop = end;
        tsv->line++;
        if (stop > line && stop[-1] == '\r')
            stop--;
        *stop = '\0';
        *ret_n = (size_t)(stop - line);
        if (*ret_n)
            return line;
    }
    return NULL;
}

static jc_code split_line(const struct jc_tsv *tsv, char *line, size_t n, char **ret_fields, size_t *ret_n,
                          struct jc_err *err)
{
    char where[PATH_MAX + 32];
    snprintf(where, sizeof(where), "%s:%zu", tsv->path, tsv->line);
    if (memchr(line, '\0', n))
        return jc_fail(err, JC_E_FORMAT, "%s: a NUL byte", where);
    if (jc_utf8_check(where, line, n, err)) {
        err->code = JC_E_FORMAT; /* the file is ours to mend, whoever calls */
        return err->code;
    }
    size_t n_fields = 0;
    for (char *field = line; field;) {
        if (n_fields == MAX_FIELDS)
            return jc_fail(err, JC_E_FORMAT, "%s: more than %d fields", where, MAX_FIELDS);
        ret_fields[n_fields++] = field;
        if ((field = strchr(field, '\t')))
            *field++ = '\0';
    }
    *ret_n = n_fields;
    return JC_OK;
}

static jc_code find_column(struct jc_tsv *tsv, char *const *header, const char *name, size_t *ret_place,
                           struct jc_err *err)
{
    bool found = false;
    for (size_t i = 0; i < tsv->n_fields; i++) {
        if (strcmp(header[i], name) != 0)
            continue;
        if (found)
            return jc_fail(err, JC_E_FORMAT, "%s:%zu: column '%s' stands there twice", tsv->path, tsv->line, name);
        found = true;
        *ret_place = i;
    }
    if (!found)
        return jc_fail(err, JC_E_FORMAT, "%s:%zu: no column '%s'", tsv->path, tsv->line, name);
    return JC_OK;
}

static jc_code read_header(struct jc_tsv *tsv, const char *const *columns, struct jc_err *err)
{
    size_t n;
    char *line = take_line(tsv, &n), *header[MAX_FIELDS];
    if (!line)
        return jc_fail(err, JC_E_FORMAT, "%s: empty, without a header line", tsv->path);
    if (n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        n -= 3;
    }
    jc_code code = split_line(tsv, line, n, header, &tsv->n_fields, err);
    for (size_t i = 0; i < tsv->n_columns && !code; i++)
        code = find_column(tsv, header, columns[i], &tsv->places[i], err);
    return code;
}

jc_code jc_tsv_open(const char *path, const char *const *columns, size_t n_columns, struct jc_tsv **ret_tsv,
                    struct jc_err *err)
{
    JC_AUTO(jc_tsv) struct jc_tsv *tsv = calloc(1, sizeof(*tsv));
    if (!tsv || !(tsv->path = strdup(path)) || !(tsv->places = calloc(n_columns, sizeof(*tsv->places))))
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", path);
    tsv->n_columns = n_columns;
    jc_code code = jc_file_read(path, MAX_BYTES, &tsv->text, err);
    if (code)
        return code;
    tsv->rest = tsv->text.n ? tsv->text.data : NULL;
    if ((code = read_header(tsv, columns, err)))
        return code;
    *ret_tsv = TAKE(tsv);
    return JC_OK;
}

void jc_tsv_destroy(struct jc_tsv *tsv)
{
    if (!tsv)
        return;
    jc_buf_finish(&tsv->text);
    free(tsv->places);
    free(tsv->path);
    free(tsv);
}

jc_code jc_tsv_next(struct jc_tsv *tsv, bool *ret_more, const char **ret_fields, struct jc_err *err)
{
    size_t n, n_fields;
    char *line = take_line(tsv, &n), *fields[MAX_FIELDS];
    *ret_more = line != NULL;
    if (!line)
        return JC_OK;
    jc_code code = split_line(tsv, line, n, fields, &n_fields, err);
    if (code)
        return code;
    if (n_fields != tsv->n_fields)
        return jc_fail(err, JC_E_FORMAT, "%s:%zu: %zu fields, the header has %zu", tsv->path, tsv->line, n_fields,
                       tsv->n_fields);
    for (size_t i = 0; i < tsv->n_columns; i++)
        ret_fields[i] = fields[tsv->places[i]];
    return JC_OK;
}

size_t jc_tsv_line(const struct jc_tsv *tsv)
{
    return tsv->line;
}

const char *jc_tsv_path(const struct jc_tsv *tsv)
{
    return tsv->path;
}
