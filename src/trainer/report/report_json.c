/* report.json, and the step that writes both forms. See report_content.h. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "trainer/report/report_content.h"

/* Puts `"name":`, after a comma where something stands before it. */
static void put_name(struct jc_buf *out, const char *name)
{
    char last = out->n ? out->data[out->n - 1] : '{';
    if (last != '{' && last != '[')
        jc_buf_putc(out, ',');
    if (name)
        jc_buf_printf(out, "\"%s\":", name);
}

static void open_node(struct jc_buf *out, const char *name, char bracket)
{
    put_name(out, name);
    jc_buf_putc(out, bracket);
}

static void put_text(struct jc_buf *out, const char *name, const char *text)
{
    put_name(out, name);
    if (text)
        jc_buf_put_json(out, text, strlen(text));
    else
        jc_buf_puts(out, "null");
}

static void put_count(struct jc_buf *out, const char *name, size_t count)
{
    put_name(out, name);
    jc_buf_printf(out, "%zu", count);
}

static void put_number(struct jc_buf *out, const char *name, double number)
{
    put_name(out, name);
    if (isfinite(number))
        jc_buf_printf(out, "%.9g", number);
    else
        jc_buf_puts(out, "null");
}

static void put_estimate(struct jc_buf *out, const char *name, const struct jc_estimate *estimate)
{
    open_node(out, name, '{');
    put_number(out, "value", estimate->value);
    put_number(out, "low", estimate->low);
    put_number(out, "high", estimate->high);
    jc_buf_putc(out, '}');
}

static void put_tally(struct jc_buf *out, const struct jc_tally *tally)
{
    put_count(out, "n", tally->n);
    put_number(out, "top_1", jc_tally_top_1(tally));
    put_number(out, "top_5", jc_tally_top_5(tally));
}

static void put_point(struct jc_buf *out, const struct jc_coverage_point *point)
{
    put_number(out, "threshold", point->threshold);
    put_number(out, "coverage", point->coverage);
    put_number(out, "precision", point->precision);
}

static void put_confidence(struct jc_buf *out, const struct jc_evaluation *e)
{
    put_number(out, "ece", e->ece);
    put_number(out, "brier", e->brier);
    put_number(out, "precision_at_half_coverage", e->precision_at_half);
    open_node(out, "calibration", '[');
    for (size_t b = 0; b < JC_CALIBRATION_BINS; b++) {
        open_node(out, NULL, '{');
        put_count(out, "n", e->bins[b].n);
        put_number(out, "confidence", e->bins[b].confidence);
        put_number(out, "accuracy", e->bins[b].accuracy);
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
    open_node(out, "coverage", '[');
    for (size_t i = 0; i < e->n_coverage; i++) {
        open_node(out, NULL, '{');
        put_point(out, &e->coverage[i]);
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
    open_node(out, "thresholds", '[');
    for (size_t t = 0; t < JC_THRESHOLDS; t++) {
        open_node(out, NULL, '{');
        put_number(out, "target_precision", e->thresholds[t].target);
        struct jc_coverage_point point = e->thresholds[t].point;
        if (point.coverage == 0)
            point.threshold = point.precision = NAN; /* no threshold reaches it */
        put_point(out, &point);
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
}

static void put_groups(struct jc_buf *out, const struct jc_evaluation *e)
{
    open_node(out, "by_category_size", '[');
    for (size_t s = 0; s < JC_SIZE_BINS; s++) {
        open_node(out, NULL, '{');
        put_text(out, "training_rows", jc_size_bin_name(s));
        put_count(out, "n_categories", e->sizes[s].n_categories);
        put_tally(out, &e->sizes[s].rows);
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
    open_node(out, "by_major_group", '[');
    for (size_t g = 0; g < e->n_groups; g++) {
        open_node(out, NULL, '{');
        put_text(out, "group", e->groups[g].code);
        put_tally(out, &e->groups[g].rows);
        open_node(out, "answered", '[');
        for (size_t a = 0; a < e->n_groups; a++)
            put_count(out, NULL, e->group_confusion[g * e->n_groups + a]);
        jc_buf_puts(out, "]}");
    }
    jc_buf_putc(out, ']');
}

static void put_categories(struct jc_buf *out, const struct jc_report_content *content, const struct jc_evaluation *e)
{
    open_node(out, "by_category", '[');
    for (size_t c = 0; c < e->n_categories; c++) {
        if (e->categories[c].n == 0)
            continue;
        open_node(out, NULL, '{');
        put_text(out, "code", content->dataset->categories[c].code);
        put_count(out, "n_train", content->n_train[c]);
        put_tally(out, &e->categories[c]);
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
}

static void put_pairs(struct jc_buf *out, const struct jc_report_content *content,
                      const struct jc_report_method *method)
{
    const struct jc_category *categories = content->dataset->categories;
    open_node(out, "most_confused", '[');
    for (size_t i = 0; i < method->evaluation->n_pairs; i++) {
        const struct jc_confused_pair *pair = &method->evaluation->pairs[i];
        open_node(out, NULL, '{');
        put_text(out, "right", categories[pair->right].code);
        put_text(out, "answered", categories[pair->answered].code);
        put_count(out, "n", pair->n);
        open_node(out, "examples", '[');
        for (size_t k = 0; k < pair->n && k < JC_PAIR_EXAMPLES; k++)
            put_text(out, NULL,
                     jc_dataset_example_text(content->dataset, method->predictions[pair->examples[k]].example));
        jc_buf_puts(out, "]}");
    }
    jc_buf_putc(out, ']');
}

static void put_validation(struct jc_buf *out, const struct jc_evaluation *e)
{
    if (!e) {
        put_text(out, "validation", NULL);
        return;
    }
    open_node(out, "validation", '{');
    put_count(out, "n", e->n);
    put_estimate(out, "top_1", &e->top_1);
    put_estimate(out, "top_5", &e->top_5);
    put_number(out, "ece", e->ece);
    jc_buf_putc(out, '}');
}

static void put_method(struct jc_buf *out, const struct jc_report_content *content,
                       const struct jc_report_method *method)
{
    const struct jc_evaluation *e = method->evaluation;
    open_node(out, NULL, '{');
    put_text(out, "name", method->name);
    put_count(out, "n", e->n);
    put_estimate(out, "top_1", &e->top_1);
    put_estimate(out, "top_3", &e->top_3);
    put_estimate(out, "top_5", &e->top_5);
    put_number(out, "top_10", e->top_10);
    put_estimate(out, "mrr", &e->mrr);
    put_number(out, "macro_accuracy", e->macro_accuracy);
    put_count(out, "n_tested_categories", e->n_tested);
    put_confidence(out, e);
    put_number(out, "fit_seconds", method->fit_seconds);
    put_number(out, "predict_seconds", method->predict_seconds);
    put_number(out, "total_seconds", jc_report_total_seconds(content, method));
    put_validation(out, method->validation);
    put_groups(out, e);
    put_categories(out, content, e);
    put_pairs(out, content, method);
    jc_buf_putc(out, '}');
}

static void put_data(struct jc_buf *out, const struct jc_data_report *data)
{
    open_node(out, "data", '{');
    put_count(out, "n_rows", data->n_rows);
    put_count(out, "n_auxiliary_rows", data->n_auxiliary);
    put_count(out, "n_rows_cut_from_bodies", data->n_cut);
    put_count(out, "n_empty_rows", data->n_empty);
    put_count(out, "n_categories", data->n_categories);
    put_count(out, "n_distinct_texts", data->n_texts);
    put_count(out, "n_duplicate_rows", data->n_duplicates);
    put_count(out, "n_ambiguous_texts", data->n_ambiguous_texts);
    put_count(out, "n_ambiguous_rows", data->n_ambiguous_rows);
    put_number(out, "title_only_ceiling", data->ceiling);
    open_node(out, "category_sizes", '[');
    for (size_t s = 0; s < JC_SIZE_BINS; s++) {
        open_node(out, NULL, '{');
        put_text(out, "rows", jc_size_bin_name(s));
        put_count(out, "n_categories", data->sizes[s].n_categories);
        put_count(out, "n_rows", data->sizes[s].n_rows);
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
    if (data->has_tokens) {
        put_number(out, "mean_tokens", data->mean_tokens);
        put_count(out, "max_tokens", data->max_tokens);
        open_node(out, "rows_by_tokens", '[');
        for (size_t i = 0; i < JC_TOKEN_BINS; i++)
            put_count(out, NULL, data->tokens[i]);
        jc_buf_putc(out, ']');
    }
    jc_buf_putc(out, '}');
}

static void put_read(struct jc_buf *out, const struct jc_read_report *read)
{
    open_node(out, "read", '{');
    put_count(out, "n_rows", read->n_rows);
    put_count(out, "n_bad", read->n_bad);
    put_count(out, "n_unclassified", read->n_unclassified);
    put_count(out, "n_unknown_code", read->n_unknown);
    put_count(out, "n_mapped_code", read->n_mapped);
    put_count(out, "n_parted_code", read->n_parted);
    put_count(out, "n_undated", read->n_undated);
    put_count(out, "n_cut_from_bodies", read->n_sentences);
    jc_buf_putc(out, '}');
}

static void put_split(struct jc_buf *out, const struct jc_split_report *split)
{
    open_node(out, "split", '{');
    put_count(out, "n_train", split->n_train);
    put_count(out, "n_validation", split->n_validation);
    put_count(out, "n_test", split->n_test);
    put_count(out, "n_unused", split->n_unused);
    put_count(out, "n_test_rows_whose_title_trains", split->n_leaked);
    put_count(out, "n_test_categories", split->n_test_categories);
    put_count(out, "n_rare_categories", split->n_rare_categories);
    put_count(out, "n_rare_rows", split->n_rare_rows);
    put_count(out, "n_undated", split->n_undated);
    put_name(out, "test_from_s");
    if (split->test_from_s)
        jc_buf_printf(out, "%jd", (intmax_t)split->test_from_s);
    else
        jc_buf_puts(out, "null");
    jc_buf_putc(out, '}');
}

static void put_mislabelled(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_mislabelled *found = content->mislabelled;
    const struct jc_dataset *dataset = content->dataset;
    open_node(out, "mislabelled", '{');
    put_count(out, "n_rows", found->n_rows);
    put_count(out, "n_checked", found->n_checked);
    put_count(out, "n_suspect", found->n_suspect);
    open_node(out, "suspects", '[');
    for (size_t i = 0; i < found->n_suspects; i++) {
        const struct jc_suspect *suspect = &found->suspects[i];
        open_node(out, NULL, '{');
        put_text(out, "title", jc_dataset_example_text(dataset, suspect->example));
        put_count(out, "n_rows", suspect->n_rows);
        put_text(out, "labelled", dataset->categories[dataset->examples[suspect->example].category].code);
        put_text(out, "suggested", dataset->categories[suspect->suggested].code);
        put_number(out, "probability", (double)suspect->probability);
        put_number(out, "own_probability", (double)suspect->own_probability);
        jc_buf_putc(out, '}');
    }
    jc_buf_puts(out, "]}");
}

static void put_losses(struct jc_buf *out, const char *name, const double *losses, size_t n)
{
    open_node(out, name, '[');
    for (size_t i = 0; losses && i < n; i++)
        put_number(out, NULL, losses[i]);
    jc_buf_putc(out, ']');
}

static void put_curves(struct jc_buf *out, const struct jc_report_content *content)
{
    open_node(out, "curves", '[');
    for (size_t i = 0; i < content->n_methods; i++) {
        const struct jc_curve *curve = content->methods[i].curve;
        if (!curve || !curve->n_epochs)
            continue;
        open_node(out, NULL, '{');
        put_text(out, "method", content->methods[i].name);
        put_losses(out, "train", curve->train, curve->n_epochs);
        put_losses(out, "validation", curve->validation, curve->n_epochs);
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
}

static void put_comparisons(struct jc_buf *out, const struct jc_report_content *content)
{
    open_node(out, "comparisons", '[');
    for (size_t i = 0; i < content->n_comparisons; i++) {
        const struct jc_report_comparison *pair = &content->comparisons[i];
        const struct jc_comparison *c = pair->comparison;
        open_node(out, NULL, '{');
        put_text(out, "a", pair->a);
        put_text(out, "b", pair->b);
        put_count(out, "n", c->n);
        put_estimate(out, "top_1", &c->top_1);
        put_estimate(out, "top_3", &c->top_3);
        put_estimate(out, "top_5", &c->top_5);
        put_estimate(out, "mrr", &c->mrr);
        put_count(out, "n_only_a_right", c->n_only_a);
        put_count(out, "n_only_b_right", c->n_only_b);
        put_number(out, "mcnemar_p", c->p_value);
        put_number(out, "margin", pair->margin);
        put_text(out, "verdict", jc_verdict_name(jc_comparison_judge(&c->top_1, pair->margin)));
        jc_buf_putc(out, '}');
    }
    jc_buf_putc(out, ']');
}

void jc_report_put_json(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_putc(out, '{');
    put_text(out, "model", content->model);
    put_text(out, "version", content->version);
    put_text(out, "data_version", content->data);
    put_text(out, "encoder", content->encoder);
    put_text(out, "date", content->date);
    put_text(out, "measured_on", content->measured_on);
    put_text(out, "attribution", content->attribution);
    put_text(out, "chosen", content->methods[content->i_chosen].name);
    put_number(out, "encode_seconds", content->encode_seconds);
    put_count(out, "n_encoded_texts", content->n_encoded);
    open_node(out, "methods", '[');
    for (size_t i = 0; i < content->n_methods; i++)
        put_method(out, content, &content->methods[i]);
    jc_buf_putc(out, ']');
    put_comparisons(out, content);
    put_curves(out, content);
    put_data(out, content->data_report);
    if (content->read)
        put_read(out, content->read);
    if (content->split)
        put_split(out, content->split);
    if (content->mislabelled)
        put_mislabelled(out, content);
    jc_buf_puts(out, "}\n");
}

static jc_code write_form(const char *folder, const char *name, const struct jc_buf *form, struct jc_err *err)
{
    char path[4096];
    jc_code code = jc_buf_check(form, err);
    if (code || (code = jc_path_join(path, sizeof(path), folder, name, err)))
        return code;
    return jc_file_write(path, form->data, form->n, err);
}

jc_code jc_report_write(const char *folder, const struct jc_report_content *content, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf form = {0};
    jc_report_put_json(&form, content);
    jc_code code = write_form(folder, "report.json", &form, err);
    if (code)
        return code;
    jc_buf_clear(&form);
    jc_report_put_html(&form, content);
    return write_form(folder, "report.html", &form, err);
}
