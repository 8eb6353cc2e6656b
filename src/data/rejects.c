/* The file of rejected rows. */
#include "data/rejects.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "text/utf8.h"

#define MAX_ROW_BYTES ((size_t)1 << 20)

struct jc_rejects {
    char *path;
    char temp[PATH_MAX]; /* "" where there is no temporary file */
    FILE *file;          /* NULL: counted only */
    struct jc_reject_limit limit;
    uint64_t n;
    char first[256]; /* the first bad row: "<file>:<line>: <reason>" */
};

jc_code jc_reject_limit_parse(const char *text, struct jc_reject_limit *ret_limit, struct jc_err *err)
{
    struct jc_reject_limit limit = {0};
    size_t n = strlen(text);
    char number[32];
    if (n == 0 || n >= sizeof(number))
        return jc_fail(err, JC_E_INVALID, "'%.40s' is no number of rows (100) or share of them (2.5%%)", text);
    limit.is_share = text[n - 1] == '%';
    snprintf(number, sizeof(number), "%.*s", (int)(n - limit.is_share), text);
    jc_code code = limit.is_share ? jc_parse_f64(number, &limit.share, err) : jc_parse_u64(number, &limit.n_rows, err);
    if (code)
        return jc_wrap(err, "'%s'", text);
    limit.share /= 100;
    if (limit.share < 0 || limit.share > 1)
        return jc_fail(err, JC_E_INVALID, "'%s' is not from 0%% to 100%%", text);
    *ret_limit = limit;
    return JC_OK;
}

static jc_code create_file(struct jc_rejects *rejects, const char *path, struct jc_err *err)
{
    if (!(rejects->path = strdup(path)))
        return jc_fail(err, JC_E_NOMEM, "no memory for '%s'", path);
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof(temp), "%s.tmp-XXXXXX", path) >= (int)sizeof(temp))
        return jc_fail(err, JC_E_IO, "path too long: %s", path);
    JC_AUTO_FD int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return jc_fail_errno(err, JC_E_IO, "create '%s'", temp);
    memcpy(rejects->temp, temp, sizeof(temp));
    rejects->file = fdopen(fd, "w");
    if (!rejects->file)
        return jc_fail_errno(err, JC_E_IO, "open '%s'", temp);
    fd = -1;
    if (fputs("file,line,reason,row\r\n", rejects->file) == EOF)
        return jc_fail_errno(err, JC_E_IO, "write '%s'", temp);
    return JC_OK;
}

jc_code jc_rejects_create(const char *path, struct jc_reject_limit limit, struct jc_rejects **ret_rejects,
                          struct jc_err *err)
{
    JC_AUTO(jc_rejects) struct jc_rejects *rejects = calloc(1, sizeof(*rejects));
    if (!rejects)
        return jc_fail(err, JC_E_NOMEM, "no memory for rejected rows");
    rejects->limit = limit;
    jc_code code = path ? create_file(rejects, path, err) : JC_OK;
    if (code)
        return code;
    *ret_rejects = TAKE(rejects);
    return JC_OK;
}

void jc_rejects_destroy(struct jc_rejects *rejects)
{
    if (!rejects)
        return;
    if (rejects->file)
        fclose(rejects->file);
    if (*rejects->temp)
        unlink(rejects->temp);
    free(rejects->path);
    free(rejects);
}

/* Valid text between quotes; stdio keeps its error until it is asked for. */
static void put_text(FILE *file, const char *text, size_t n)
{
    const char *end = text + n;
    for (const char *quote; (quote = memchr(text, '"', (size_t)(end - text))); text = quote + 1) {
        fwrite(text, 1, (size_t)(quote - text), file);
        fputs("\"\"", file);
    }
    fwrite(text, 1, (size_t)(end - text), file);
}

static void put_field(FILE *file, const char *text, size_t n)
{
    fputc('"', file);
    while (n > 0) {
        const char *nul = memchr(text, '\0', n);
        size_t n_valid = jc_utf8_span(text, nul ? (size_t)(nul - text) : n);
        put_text(file, text, n_valid);
        if (n_valid < n)
            fprintf(file, "\\x%02x", (unsigned char)text[n_valid++]);
        text += n_valid;
        n -= n_valid;
    }
    fputc('"', file);
}

jc_code jc_rejects_add(struct jc_rejects *rejects, const char *file, size_t line, const char *reason, const char *row,
                       size_t n_row, struct jc_err *err)
{
    if (rejects->n++ == 0)
        snprintf(rejects->first, sizeof(rejects->first), "%s:%zu: %s", file, line, reason);
    if (!rejects->file)
        return JC_OK;
    put_field(rejects->file, file, strlen(file));
    fprintf(rejects->file, ",%zu,", line);
    put_field(rejects->file, reason, strlen(reason));
    fputc(',', rejects->file);
    put_field(rejects->file, row, n_row < MAX_ROW_BYTES ? n_row : MAX_ROW_BYTES);
    fputs("\r\n", rejects->file);
    return ferror(rejects->file) ? jc_fail_errno(err, JC_E_IO, "write '%s'", rejects->temp) : JC_OK;
}

uint64_t jc_rejects_count(const struct jc_rejects *rejects)
{
    return rejects->n;
}

jc_code jc_rejects_check(const struct jc_rejects *rejects, uint64_t n_rows, bool at_end, struct jc_err *err)
{
    const struct jc_reject_limit *limit = &rejects->limit;
    char text[40];
    if (limit->is_share ? !at_end || (double)rejects->n <= limit->share * (double)n_rows : rejects->n <= limit->n_rows)
        return JC_OK;
    if (limit->is_share)
        snprintf(text, sizeof(text), "%g%% of them", limit->share * 100);
    else
        snprintf(text, sizeof(text), "%" PRIu64, limit->n_rows);
    return jc_fail(err, JC_E_FORMAT, "%" PRIu64 " of %" PRIu64 " rows are bad, and %s may be; the first: %s",
                   rejects->n, n_rows, text, rejects->first);
}

jc_code jc_rejects_publish(struct jc_rejects *rejects, struct jc_err *err)
{
    if (!rejects->file)
        return JC_OK;
    if (fflush(rejects->file) != 0)
        return jc_fail_errno(err, JC_E_IO, "write '%s'", rejects->temp);
    jc_code code = jc_file_publish(fileno(rejects->file), rejects->temp, rejects->path, err);
    if (code)
        return code;
    rejects->temp[0] = '\0';
    fclose(TAKE(rejects->file));
    return JC_OK;
}
