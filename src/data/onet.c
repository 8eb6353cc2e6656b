/* An O*NET release folder: its two files as rows, each title tied to its occupation. */
#include "data/onet.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "data/tsv.h"

struct jc_onet {
    struct jc_tsv *occupation_file, *title_file; /* own the strings */
    struct jc_onet_occupation *occupations;
    size_t n_occupations, cap_occupations;
    struct jc_onet_title *titles;
    size_t n_titles, cap_titles;
    uint32_t *by_code; /* [n_occupations]: occupations in the order of their codes */
};

/* Makes room for one more element of *array. */
static jc_code grow(void *array, size_t n, size_t *cap, size_t size, struct jc_err *err)
{
    if (n < *cap)
        return JC_OK;
    void **place = array;
    size_t wanted = *cap ? 2 * *cap : 1024;
    void *bigger = reallocarray(*place, wanted, size);
    if (!bigger)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", wanted);
    *place = bigger;
    *cap = wanted;
    return JC_OK;
}

static jc_code open_file(const char *folder, const char *name, const char *const *columns, size_t n_columns,
                         struct jc_tsv **ret_tsv, struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof(path), folder, name, err);
    return code ? code : jc_tsv_open(path, columns, n_columns, ret_tsv, err);
}

/* A field that must say something. */
static jc_code check_field(const struct jc_tsv *tsv, const char *name, const char *value, struct jc_err *err)
{
    if (*value)
        return JC_OK;
    return jc_fail(err, JC_E_FORMAT, "%s:%zu: '%s' is empty", jc_tsv_path(tsv), jc_tsv_line(tsv), name);
}

static int compare_codes(const void *a, const void *b, void *context)
{
    const struct jc_onet_occupation *occupations = context;
    return strcmp(occupations[*(const uint32_t *)a].code, occupations[*(const uint32_t *)b].code);
}

static jc_code index_codes(struct jc_onet *onet, struct jc_err *err)
{
    size_t n = onet->n_occupations;
    const char *path = jc_tsv_path(onet->occupation_file);
    if (n == 0)
        return jc_fail(err, JC_E_FORMAT, "%s: no rows", path);
    onet->by_code = calloc(n, sizeof(*onet->by_code));
    if (!onet->by_code)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu codes", n);
    for (size_t i = 0; i < n; i++)
        onet->by_code[i] = (uint32_t)i;
    qsort_r(onet->by_code, n, sizeof(*onet->by_code), compare_codes, onet->occupations);
    for (size_t i = 1; i < n; i++) {
        const char *code = onet->occupations[onet->by_code[i]].code;
        if (strcmp(onet->occupations[onet->by_code[i - 1]].code, code) == 0)
            return jc_fail(err, JC_E_FORMAT, "%s: code '%s' stands there twice", path, code);
    }
    return JC_OK;
}

static jc_code read_occupations(struct jc_onet *onet, const char *folder, struct jc_err *err)
{
    static const char *const columns[] = {"O*NET-SOC Code", "Title", "Description"};
    const char *fields[JC_COUNT(columns)];
    jc_code code = open_file(folder, "Occupation Data.txt", columns, JC_COUNT(columns), &onet->occupation_file, err);
    if (code)
        return code;
    const struct jc_tsv *tsv = onet->occupation_file;
    for (bool more;;) {
        if ((code = jc_tsv_next(onet->occupation_file, &more, fields, err)))
            return code;
        if (!more)
            return index_codes(onet, err);
        for (size_t i = 0; i < 2; i++)
            if ((code = check_field(tsv, columns[i], fields[i], err)))
                return code;
        if ((code = grow(&onet->occupations, onet->n_occupations, &onet->cap_occupations, sizeof(*onet->occupations),
                         err)))
            return code;
        onet->occupations[onet->n_occupations++] =
            (struct jc_onet_occupation){.code = fields[0], .title = fields[1], .description = fields[2]};
    }
}

/* The occupation of a code, or UINT32_MAX. */
static uint32_t find_code(const struct jc_onet *onet, const char *code)
{
    size_t low = 0, high = onet->n_occupations;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(onet->occupations[onet->by_code[middle]].code, code);
        if (order == 0)
            return onet->by_code[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

static jc_code read_titles(struct jc_onet *onet, const char *folder, struct jc_err *err)
{
    static const char *const columns[] = {"O*NET-SOC Code", "Alternate Title", "Source(s)"};
    const char *fields[JC_COUNT(columns)];
    jc_code code = open_file(folder, "Alternate Titles.txt", columns, JC_COUNT(columns), &onet->title_file, err);
    if (code)
        return code;
    const struct jc_tsv *tsv = onet->title_file;
    for (bool more;;) {
        if ((code = jc_tsv_next(onet->title_file, &more, fields, err)) || !more)
            return code;
        if ((code = check_field(tsv, columns[1], fields[1], err)))
            return code;
        uint32_t occupation = find_code(onet, fields[0]);
        if (occupation == UINT32_MAX)
            return jc_fail(err, JC_E_FORMAT, "%s:%zu: code '%s' is not in Occupation Data.txt", jc_tsv_path(tsv),
                           jc_tsv_line(tsv), fields[0]);
        if ((code = grow(&onet->titles, onet->n_titles, &onet->cap_titles, sizeof(*onet->titles), err)))
            return code;
        onet->titles[onet->n_titles++] =
            (struct jc_onet_title){.occupation = occupation, .title = fields[1], .sources = fields[2]};
    }
}

jc_code jc_onet_load(const char *folder, struct jc_onet **ret_onet, struct jc_err *err)
{
    JC_AUTO(jc_onet) struct jc_onet *onet = calloc(1, sizeof(*onet));
    if (!onet)
        return jc_fail(err, JC_E_NOMEM, "no memory for the O*NET files");
    jc_code code;
    if ((code = read_occupations(onet, folder, err)) || (code = read_titles(onet, folder, err)))
        return code;
    *ret_onet = TAKE(onet);
    return JC_OK;
}

void jc_onet_destroy(struct jc_onet *onet)
{
    if (!onet)
        return;
    free(onet->by_code);
    free(onet->titles);
    free(onet->occupations);
    jc_tsv_destroy(onet->title_file);
    jc_tsv_destroy(onet->occupation_file);
    free(onet);
}

const struct jc_onet_occupation *jc_onet_occupations(const struct jc_onet *onet, size_t *ret_n)
{
    *ret_n = onet->n_occupations;
    return onet->occupations;
}

const struct jc_onet_title *jc_onet_titles(const struct jc_onet *onet, size_t *ret_n)
{
    *ret_n = onet->n_titles;
    return onet->titles;
}

int jc_onet_title_has_source(const struct jc_onet_title *title, const char *source)
{
    size_t n = strlen(source);
    for (const char *at = title->sources; *at;) {
        size_t length = strcspn(at, ",");
        const char *item = at;
        at += length + (at[length] == ',');
        while (length && *item == ' ') {
            item++;
            length--;
        }
        while (length && item[length - 1] == ' ')
            length--;
        if (length == n && memcmp(item, source, n) == 0)
            return 1;
    }
    return 0;
}
