/* Fields of a row of CSV. */
#include "data/csv.h"

#include <string.h>

/* Copies the quoted field at *p, behind its opening quote, without its doubled quotes; *p moves behind the closing
 * quote. False where none closes it. */
static bool copy_quoted(const char **p, const char *end, char **to)
{
    for (;;) {
        const char *quote = memchr(*p, '"', (size_t)(end - *p));
        if (!quote)
            return false;
        memcpy(*to, *p, (size_t)(quote - *p));
        *to += quote - *p;
        *p = quote + 1;
        if (*p == end || **p != '"')
            return true;
        *(*to)++ = '"';
        (*p)++;
    }
}

static void copy_unquoted(const char **p, const char *end, char separator, char **to)
{
    const char *stop = memchr(*p, separator, (size_t)(end - *p));
    size_t n = (size_t)((stop ? stop : end) - *p);
    memcpy(*to, *p, n);
    *to += n;
    *p += n;
}

jc_code jc_csv_split(const char *row, size_t n, char separator, bool quoting, char *to,
                     struct jc_field fields[JC_RECORDS_MAX_COLUMNS], size_t *ret_n, struct jc_err *err)
{
    const char *p = row, *end = row + n;
    for (size_t i = 0;; i++) {
        if (i == JC_RECORDS_MAX_COLUMNS)
            return jc_fail(err, JC_E_INVALID, "more than %d fields", JC_RECORDS_MAX_COLUMNS);
        char *text = to;
        if (quoting && p < end && *p == '"') {
            p++;
            if (!copy_quoted(&p, end, &to))
                return jc_fail(err, JC_E_INVALID, "field %zu: a quote is opened and not closed", i + 1);
            if (p < end && *p != separator)
                return jc_fail(err, JC_E_INVALID, "field %zu: text behind the closing quote, at byte %zu", i + 1,
                               (size_t)(p - row));
        } else {
            copy_unquoted(&p, end, separator, &to);
        }
        fields[i] = (struct jc_field){.text = text, .n = (size_t)(to - text)};
        if (fields[i].n > JC_RECORDS_MAX_FIELD)
            return jc_fail(err, JC_E_INVALID, "field %zu: more than 16 MiB", i + 1);
        *to++ = '\0';
        if (p == end) {
            *ret_n = i + 1;
            return JC_OK;
        }
        p++;
    }
}

char jc_csv_find_separator(const char *text, size_t n)
{
    size_t n_semicolons = 0, n_tabs = 0;
    bool quoted = false;
    for (size_t i = 0; i < n && (quoted || text[i] != '\n'); i++) {
        quoted ^= text[i] == '"';
        if (quoted)
            continue;
        if (text[i] == ',')
            return ',';
        n_semicolons += text[i] == ';';
        n_tabs += text[i] == '\t';
    }
    return n_semicolons ? ';' : n_tabs ? '\t' : ',';
}
