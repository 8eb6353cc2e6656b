/* Reading tables of postings: each row becomes an example, a bad row with its reason, or is left out as configured. */
#include <string.h>

#include "base/file.h"
#include "data/crosswalk.h"
#include "data/postings.h"
#include "data/rejects.h"
#include "trainer/data/augment.h"
#include "trainer/data/read.h"

#define UNCLASSIFIED_CODE "99-9999.00"
#define UNCLASSIFIED_TITLE "Unclassified"

struct reading {
    const struct jc_train_config *config;
    const struct jc_postings_config *source; /* the file at hand */
    struct jc_dataset *dataset;
    struct jc_read_report *report;
    struct jc_crosswalk *crosswalk; /* NULL: none */
    struct jc_rejects *rejects;
    struct jc_augment *augment; /* NULL: not wanted */
    struct jc_buf text;         /* of the row at hand, cleaned */
    size_t n_listed;            /* categories that were there before the postings */
    bool keep_unknown;
};

static void reading_finish(struct reading *reading)
{
    jc_crosswalk_destroy(reading->crosswalk);
    jc_rejects_destroy(reading->rejects);
    jc_augment_destroy(reading->augment);
    jc_buf_finish(&reading->text);
}

static jc_code reject(struct reading *reading, const struct jc_posting_row *row, const char *reason, struct jc_err *err)
{
    jc_code code =
        jc_rejects_add(reading->rejects, reading->source->path, row->line, reason, row->raw.text, row->raw.n, err);
    return code ? code : jc_rejects_check(reading->rejects, reading->report->n_rows, false, err);
}

/* The categories of a row: none where it is left out or rejected. */
struct labels {
    uint32_t categories[32];
    size_t n;
};

/* The category of the code, made where there is none. A name of which nothing is left, or that no bundle can hold, is
 * replaced by the code. */
static jc_code add_label(struct reading *reading, const char *code_text, const char *name, struct labels *labels,
                         struct jc_err *err)
{
    struct jc_posting posting = {.title = name, .n_title = strlen(name)};
    struct jc_err why;
    JC_AUTO_BUF struct jc_buf title = {0};
    jc_code code = jc_posting_text(&posting, JC_POSTING_TITLE, &title, err);
    if (code)
        return code;
    bool is_usable = title.n && !jc_category_check(code_text, strlen(code_text), title.data, title.n, &why);
    code = jc_dataset_add_category(reading->dataset, code_text, is_usable ? title.data : code_text, NULL,
                                   &labels->categories[labels->n], err);
    labels->n += !code;
    return code;
}

/* What the crosswalk makes of an old code: nothing where it does not have it, or has it among the new ones as well and
 * any code is welcome. *ret_parted: it became several, which is a reason to leave the row out. */
static jc_code map_code(struct reading *reading, const char *old, struct labels *labels, bool *ret_parted,
                        struct jc_err *err)
{
    size_t n = 0;
    const struct jc_crosswalk_pair *pairs = reading->crosswalk ? jc_crosswalk_find(reading->crosswalk, old, &n) : NULL;
    struct labels found = {.n = 0};
    jc_code code = JC_OK;
    if (reading->keep_unknown && n && jc_crosswalk_has_new(reading->crosswalk, old))
        n = 0;
    bool is_dropped = n > 1 && reading->config->codes.parted == JC_PARTED_DROP;
    for (size_t i = 0; i < n && !code && found.n < JC_COUNT(found.categories); i++)
        if (reading->keep_unknown && !is_dropped)
            code = add_label(reading, pairs[i].to, pairs[i].title, &found, err);
        else
            found.n += jc_dataset_find_category(reading->dataset, pairs[i].to, &found.categories[found.n]);
    if (code)
        return code;
    *ret_parted = is_dropped && (found.n || reading->keep_unknown);
    if (!is_dropped)
        *labels = found;
    reading->report->n_parted += *ret_parted;
    reading->report->n_mapped += labels->n > 0;
    return JC_OK;
}

/* A code that is neither a category nor an old one. Without a list of categories none is unknown. */
static jc_code judge_unknown(struct reading *reading, const struct jc_posting_row *row, struct labels *labels,
                             struct jc_err *err)
{
    if (!reading->keep_unknown && reading->config->codes.unknown == JC_UNKNOWN_REJECT) {
        char reason[64];
        snprintf(reason, sizeof(reason), "'%s' is no category", row->code);
        return reject(reading, row, reason, err);
    }
    reading->report->n_unknown += reading->n_listed > 0;
    return reading->keep_unknown ? add_label(reading, row->code, row->name.text, labels, err) : JC_OK;
}

static jc_code find_labels(struct reading *reading, const struct jc_posting_row *row, struct labels *labels,
                           struct jc_err *err)
{
    const struct jc_train_config *config = reading->config;
    struct jc_read_report *report = reading->report;
    if (row->unclassified) {
        report->n_unclassified++;
        return config->codes.unclassified == JC_UNCLASSIFIED_DROP
                   ? JC_OK
                   : add_label(reading, UNCLASSIFIED_CODE, UNCLASSIFIED_TITLE, labels, err);
    }
    labels->n = jc_dataset_find_category(reading->dataset, row->code, &labels->categories[0]);
    if (labels->n) {
        report->n_unknown += reading->n_listed && labels->categories[0] >= reading->n_listed;
        return JC_OK;
    }
    bool is_parted;
    jc_code code = map_code(reading, row->code, labels, &is_parted, err);
    return code || labels->n || is_parted ? code : judge_unknown(reading, row, labels, err);
}

/* The role that a row's own column asks for; *ret_ok is false where it says something else. */
static enum jc_role parse_role(struct jc_field field, bool *ret_ok)
{
    static const struct {
        const char *name;
        enum jc_role role;
    } roles[] = {{"", 0},
                 {"train", JC_ROLE_TRAIN},
                 {"validation", JC_ROLE_VALIDATION},
                 {"valid", JC_ROLE_VALIDATION},
                 {"val", JC_ROLE_VALIDATION},
                 {"dev", JC_ROLE_VALIDATION},
                 {"test", JC_ROLE_TEST}};
    for (size_t i = 0; i < JC_COUNT(roles); i++)
        if (strcasecmp(field.text, roles[i].name) == 0) {
            *ret_ok = true;
            return roles[i].role;
        }
    *ret_ok = false;
    return 0;
}

static jc_code add_row(struct reading *reading, const struct jc_posting_row *row, const struct labels *labels,
                       struct jc_example example, const struct jc_posting *posting, struct jc_err *err)
{
    struct jc_dataset *dataset = reading->dataset;
    reading->report->n_undated += row->posted_s == 0;
    for (size_t i = 0; i < labels->n; i++) {
        example.category = labels->categories[i];
        example.auxiliary = labels->n > 1; /* which of them is right, no one knows: it cannot test */
        example.weight = (float)(reading->source->weight / (double)labels->n);
        jc_code code = jc_dataset_add(dataset, &example, err);
        if (!code && reading->augment)
            code = jc_augment_add(reading->augment, dataset, (uint32_t)(dataset->n_examples - 1), posting, err);
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code read_row(struct reading *reading, const struct jc_posting_row *row, struct jc_err *err)
{
    struct labels labels = {.n = 0};
    bool ok;
    struct jc_example example = {.parent = JC_EXAMPLE_NO_PARENT,
                                 .n_sources = 1,
                                 .posted_s = row->posted_s,
                                 .asked = parse_role(row->split, &ok)};
    struct jc_posting posting = {
        .title = row->title.text, .n_title = row->title.n, .body = row->body.text, .n_body = row->body.n};
    reading->report->n_rows++;
    if (row->bad)
        return reject(reading, row, row->bad, err);
    if (!ok)
        return reject(reading, row, "the split's column says neither train nor validation nor test", err);
    jc_code code = jc_posting_text(&posting, reading->config->part, &reading->text, err);
    if (code == JC_E_INVALID) {
        const struct jc_err why = *err;
        return reject(reading, row, why.text, err);
    }
    if (code)
        return code;
    if (reading->text.n == 0) /* before the label, which may make a category */
        return reject(reading, row, "no letter or digit is left of title and body after cleaning", err);
    if ((code = find_labels(reading, row, &labels, err)) || labels.n == 0)
        return code;
    code = jc_texts_add(reading->dataset->texts, reading->text.data, reading->text.n, &example.text, err);
    return code ? code : add_row(reading, row, &labels, example, &posting, err);
}

static jc_code read_file(struct reading *reading, struct jc_err *err)
{
    const struct jc_postings_config *source = reading->source;
    JC_AUTO(jc_postings) struct jc_postings *postings = NULL;
    jc_code code = jc_postings_open(source->path, source->format, &source->columns, &postings, err);
    bool more = true;
    while (!code) {
        struct jc_posting_row row;
        if ((code = jc_postings_next(postings, &more, &row, err)) || !more)
            break;
        code = read_row(reading, &row, err);
        if (code)
            jc_wrap(err, "%s:%zu", source->path, row.line);
    }
    return code;
}

static jc_code open_tools(struct reading *reading, struct jc_err *err)
{
    const struct jc_train_config *config = reading->config;
    struct jc_reject_limit limit;
    jc_code code = jc_reject_limit_parse(config->max_bad_rows, &limit, err);
    if (code)
        return jc_wrap(err, "max_bad_rows");
    if (*config->rejects && (code = jc_dir_create_parent(config->rejects, err)))
        return code;
    if (*config->codes.crosswalk && (code = jc_crosswalk_load(config->codes.crosswalk, &reading->crosswalk, err)))
        return code;
    if (config->augment.rows &&
        (code = jc_augment_create(config->augment.rows, config->augment.sentences, &reading->augment, err)))
        return code;
    return jc_rejects_create(*config->rejects ? config->rejects : NULL, limit, &reading->rejects, err);
}

jc_code jc_read_postings(const struct jc_train_config *config, struct jc_dataset *dataset,
                         struct jc_read_report *report, struct jc_err *err)
{
    __attribute__((cleanup(reading_finish))) struct reading reading = {
        .config = config,
        .dataset = dataset,
        .report = report,
        .n_listed = dataset->n_categories,
        .keep_unknown = config->codes.unknown == JC_UNKNOWN_KEEP || dataset->n_categories == 0};
    const struct jc_postings_config *sources = config->postings.items;
    jc_code code = open_tools(&reading, err);
    for (size_t i = 0; i < config->postings.n && !code; i++) {
        reading.source = &sources[i];
        code = read_file(&reading, err);
    }
    struct jc_err second; /* the rejected rows are published also, and above all, where there are too many of them */
    if (!code) {
        report->n_bad = jc_rejects_count(reading.rejects);
        code = jc_rejects_check(reading.rejects, report->n_rows, true, err);
    }
    if (reading.rejects && jc_rejects_publish(reading.rejects, code ? &second : err) && !code)
        return err->code;
    if (!code && reading.augment)
        code = jc_augment_apply(reading.augment, dataset, &report->n_sentences, err);
    return code;
}
