/* Counting rows, texts and codes. See data_report.h. */
#include "trainer/measure/data_report.h"

#include <string.h>

struct row {
    uint32_t text, category;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->text != y->text)
        return x->text < y->text ? -1 : 1;
    return (x->category > y->category) - (x->category < y->category);
}

void jc_data_report_count(const struct jc_dataset *dataset, unsigned roles, uint32_t *ret_counts)
{
    memset(ret_counts, 0, dataset->n_categories * sizeof(*ret_counts));
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if ((example->role & roles) && !example->auxiliary && jc_example_is_row(example))
            ret_counts[example->category]++;
    }
}

static jc_code count_sizes(const struct jc_dataset *dataset, unsigned roles, struct jc_data_report *report,
                           struct jc_err *err)
{
    JC_AUTO_FREE uint32_t *counts = calloc(dataset->n_categories, sizeof(*counts));
    if (!counts)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", dataset->n_categories);
    jc_data_report_count(dataset, roles, counts);
    for (size_t c = 0; c < dataset->n_categories; c++) {
        size_t bin = jc_size_bin_of(counts[c]);
        report->sizes[bin].n_categories++;
        report->sizes[bin].n_rows += counts[c];
    }
    return JC_OK;
}

/* Keeps the texts with the most categories, then with the most rows; of equal ones the earlier stays in front. */
static void insert_ambiguous(struct jc_data_report *report, const struct jc_ambiguous_text *text)
{
    struct jc_ambiguous_text *list = report->ambiguous;
    size_t at = report->n_ambiguous;
    if (report->n_ambiguous < JC_AMBIGUOUS_TEXTS)
        report->n_ambiguous++;
    for (; at > 0; at--) {
        const struct jc_ambiguous_text *before = &list[at - 1];
        if (before->n_categories > text->n_categories ||
            (before->n_categories == text->n_categories && before->n_rows >= text->n_rows))
            break;
        if (at < JC_AMBIGUOUS_TEXTS)
            list[at] = *before;
    }
    if (at < JC_AMBIGUOUS_TEXTS)
        list[at] = *text;
}

/* rows[0..n) are those of one text, by category. Returns how many rows its most frequent category has. */
static size_t add_text(struct jc_data_report *report, const struct row *rows, size_t n)
{
    struct jc_ambiguous_text text = {.text = rows[0].text, .n_rows = (uint32_t)n};
    size_t n_largest = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && rows[end].category == rows[i].category; end++)
            report->n_duplicates++;
        if (end - i > n_largest)
            n_largest = end - i;
        text.n_categories++;
    }
    report->n_texts++;
    if (text.n_categories > 1) {
        report->n_ambiguous_texts++;
        report->n_ambiguous_rows += n;
        insert_ambiguous(report, &text);
    }
    return n_largest;
}

static void add_tokens(struct jc_data_report *report, const struct row *rows, const uint32_t *token_lengths)
{
    double sum = 0;
    for (size_t i = 0; i < report->n_rows; i++) {
        size_t n = token_lengths[rows[i].text];
        report->tokens[n < JC_TOKEN_BINS ? n : JC_TOKEN_BINS - 1]++;
        report->max_tokens = n > report->max_tokens ? n : report->max_tokens;
        sum += (double)n;
    }
    report->has_tokens = true;
    report->mean_tokens = sum / (double)report->n_rows;
}

/* Lists the rows by text, then category. */
static void list_rows(const struct jc_dataset *dataset, unsigned roles, struct row *rows, struct jc_data_report *report)
{
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (!(example->role & roles))
            continue;
        if (!jc_example_is_row(example)) {
            report->n_cut++;
            continue;
        }
        report->n_auxiliary += example->auxiliary;
        rows[report->n_rows++] = (struct row){example->text, example->category};
    }
    qsort(rows, report->n_rows, sizeof(*rows), compare_rows);
}

jc_code jc_data_report_compute(const struct jc_dataset *dataset, unsigned roles, const uint32_t *token_lengths,
                               struct jc_data_report *ret_report, struct jc_err *err)
{
    struct jc_data_report report = {.n_empty = dataset->n_empty, .n_categories = dataset->n_categories};
    size_t n_examples = jc_dataset_count(dataset, roles), n_best = 0;
    JC_AUTO_FREE struct row *rows = calloc(n_examples + 1, sizeof(*rows));
    if (!rows)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", n_examples);
    list_rows(dataset, roles, rows, &report);
    if (report.n_rows == 0)
        return jc_fail(err, JC_E_INVALID, "no rows to report on");
    jc_code code = count_sizes(dataset, roles, &report, err);
    if (code)
        return code;

    size_t n = report.n_rows;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && rows[end].text == rows[i].text;)
            end++;
        n_best += add_text(&report, rows + i, end - i);
    }
    report.ceiling = (double)n_best / (double)n;
    if (token_lengths)
        add_tokens(&report, rows, token_lengths);
    *ret_report = report;
    return JC_OK;
}
