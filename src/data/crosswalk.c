/* A crosswalk as sorted pairs. */
#include "data/crosswalk.h"

#include <string.h>

#include "data/records.h"

enum { MAX_PAIRS = 100000 };

struct jc_crosswalk {
    struct jc_crosswalk_pair *pairs;
    size_t n, cap;
};

static const char *const column_names[][3] = {{"O*NET-SOC 2010 Code", "O*NET-SOC 2019 Code", "O*NET-SOC 2019 Title"},
                                              {"soc2010_code", "soc2019_code", "soc2019_title"}};

static int compare_pairs(const void *a, const void *b)
{
    const struct jc_crosswalk_pair *p = a, *q = b;
    int order = strcmp(p->from, q->from);
    return order ? order : strcmp(p->to, q->to);
}

static jc_code add_pair(struct jc_crosswalk *crosswalk, const struct jc_crosswalk_pair *pair,
                        const struct jc_field *title, struct jc_err *err)
{
    if (crosswalk->n == MAX_PAIRS)
        return jc_fail(err, JC_E_FORMAT, "more than %d rows", MAX_PAIRS);
    if (crosswalk->n == crosswalk->cap) {
        size_t cap = crosswalk->cap ? 2 * crosswalk->cap : 1024;
        struct jc_crosswalk_pair *bigger = reallocarray(crosswalk->pairs, cap, sizeof(*bigger));
        if (!bigger)
            return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", cap);
        crosswalk->pairs = bigger;
        crosswalk->cap = cap;
    }
    struct jc_crosswalk_pair *place = &crosswalk->pairs[crosswalk->n];
    *place = *pair;
    if (!(place->title = strndup(title->text, title->n)))
        return jc_fail(err, JC_E_NOMEM, "no memory for a title");
    crosswalk->n++;
    return JC_OK;
}

static jc_code add_record(struct jc_crosswalk *crosswalk, const struct jc_record *record, struct jc_err *err)
{
    struct jc_crosswalk_pair pair;
    if (record->bad)
        return jc_fail(err, JC_E_FORMAT, "%s", record->bad);
    const struct jc_field *from = &record->fields[0], *to = &record->fields[1];
    if (!jc_soc_code_parse(from->text, from->n, pair.from))
        return jc_fail(err, JC_E_FORMAT, "'%.40s' is not a code like 15-1252.00", from->text);
    if (!jc_soc_code_parse(to->text, to->n, pair.to))
        return jc_fail(err, JC_E_FORMAT, "'%.40s' is not a code like 15-1252.00", to->text);
    return add_pair(crosswalk, &pair, &record->fields[2], err);
}

static jc_code select_columns(struct jc_records *records, struct jc_err *err)
{
    for (size_t i = 0; i < JC_COUNT(column_names); i++)
        if (jc_records_find(records, column_names[i][0]) != JC_RECORDS_NO_COLUMN &&
            jc_records_find(records, column_names[i][1]) != JC_RECORDS_NO_COLUMN)
            return jc_records_select(records, column_names[i], JC_COUNT(column_names[i]), err);
    return jc_fail(err, JC_E_FORMAT, "%s: no columns '%s' and '%s'", jc_records_path(records), column_names[0][0],
                   column_names[0][1]);
}

static jc_code read_pairs(struct jc_crosswalk *crosswalk, struct jc_records *records, struct jc_err *err)
{
    struct jc_record record;
    for (bool more;;) {
        jc_code code = jc_records_next(records, &more, &record, err);
        if (code || !more)
            return code;
        if ((code = add_record(crosswalk, &record, err)))
            return jc_wrap(err, "%s:%zu", jc_records_path(records), record.line);
    }
}

static void drop_repeated(struct jc_crosswalk *crosswalk)
{
    size_t n = 0;
    for (size_t i = 0; i < crosswalk->n; i++)
        if (n == 0 || compare_pairs(&crosswalk->pairs[n - 1], &crosswalk->pairs[i]) != 0)
            crosswalk->pairs[n++] = crosswalk->pairs[i];
        else
            free(crosswalk->pairs[i].title);
    crosswalk->n = n;
}

jc_code jc_crosswalk_load(const char *path, struct jc_crosswalk **ret_crosswalk, struct jc_err *err)
{
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    JC_AUTO(jc_crosswalk) struct jc_crosswalk *crosswalk = calloc(1, sizeof(*crosswalk));
    if (!crosswalk)
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", path);
    jc_code code;
    if ((code = jc_records_open(path, JC_RECORDS_AUTO, &records, err)) || (code = select_columns(records, err)) ||
        (code = read_pairs(crosswalk, records, err)))
        return code;
    if (crosswalk->n == 0)
        return jc_fail(err, JC_E_FORMAT, "%s: no rows", path);
    qsort(crosswalk->pairs, crosswalk->n, sizeof(*crosswalk->pairs), compare_pairs);
    drop_repeated(crosswalk);
    *ret_crosswalk = TAKE(crosswalk);
    return JC_OK;
}

void jc_crosswalk_destroy(struct jc_crosswalk *crosswalk)
{
    if (!crosswalk)
        return;
    for (size_t i = 0; i < crosswalk->n; i++)
        free(crosswalk->pairs[i].title);
    free(crosswalk->pairs);
    free(crosswalk);
}

const struct jc_crosswalk_pair *jc_crosswalk_find(const struct jc_crosswalk *crosswalk, const char *from, size_t *ret_n)
{
    size_t low = 0, high = crosswalk->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(crosswalk->pairs[middle].from, from) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t n = 0;
    while (low + n < crosswalk->n && strcmp(crosswalk->pairs[low + n].from, from) == 0)
        n++;
    *ret_n = n;
    return crosswalk->pairs + low;
}

bool jc_crosswalk_has_new(const struct jc_crosswalk *crosswalk, const char *code)
{
    for (size_t i = 0; i < crosswalk->n; i++)
        if (strcmp(crosswalk->pairs[i].to, code) == 0)
            return true;
    return false;
}

const struct jc_crosswalk_pair *jc_crosswalk_pairs(const struct jc_crosswalk *crosswalk, size_t *ret_n)
{
    *ret_n = crosswalk->n;
    return crosswalk->pairs;
}
