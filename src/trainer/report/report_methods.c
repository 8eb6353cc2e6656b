/* report.html: the methods side by side: accuracy, time, by category size, and how they differ on the same rows. */
#include <math.h>
#include <string.h>

#include "trainer/report/markup.h"
#include "trainer/report/report_impl.h"

static void put_rate(struct jc_buf *out, const struct jc_estimate *e)
{
    jc_buf_printf(out, "<td>%.1f <small>%.1f-%.1f</small></td>", e->value * 100, e->low * 100, e->high * 100);
}

static void put_seconds(struct jc_buf *out, double seconds)
{
    if (isfinite(seconds))
        jc_buf_printf(out, "<td>%.*f</td>", seconds < 10 ? 2 : 0, seconds);
    else
        jc_buf_puts(out, "<td></td>");
}

static void put_validation(struct jc_buf *out, const struct jc_evaluation *validation)
{
    if (!validation) {
        jc_buf_puts(out, "<td></td><td></td>");
        return;
    }
    put_rate(out, &validation->top_1);
    jc_buf_printf(out, "<td>%.3f</td>", validation->ece);
}

static bool has_validation(const struct jc_report_content *content)
{
    for (size_t i = 0; i < content->n_methods; i++)
        if (content->methods[i].validation)
            return true;
    return false;
}

static void open_row(struct jc_buf *out, const struct jc_report_content *content, size_t i_method)
{
    jc_buf_puts(out, i_method == content->i_chosen ? "<tr class=\"chosen\"><td>" : "<tr><td>");
    jc_markup_put_text(out, content->methods[i_method].name, 40);
    jc_buf_puts(out, "</td>");
}

static void put_accuracy_row(struct jc_buf *out, const struct jc_report_content *content, size_t i_method)
{
    const struct jc_report_method *method = &content->methods[i_method];
    const struct jc_evaluation *e = method->evaluation;
    open_row(out, content, i_method);
    put_rate(out, &e->top_1);
    put_rate(out, &e->top_3);
    put_rate(out, &e->top_5);
    jc_buf_printf(out, "<td>%.1f</td><td>%.3f</td><td>%.1f</td><td>%.3f</td><td>%.3f</td><td>%.1f</td>",
                  e->top_10 * 100, e->mrr.value, e->macro_accuracy * 100, e->ece, e->brier, e->precision_at_half * 100);
    if (has_validation(content))
        put_validation(out, method->validation);
    jc_buf_puts(out, "</tr>\n");
}

static void put_accuracy(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_puts(out, "<div class=\"card\">\n");
    jc_report_put_method_bars(out, content);
    jc_buf_puts(out, "<div class=\"scroll\"><table class=\"methods\">\n<tr><th>method</th><th>top-1 %</th><th>top-3 "
                     "%</th><th>top-5 %</th>"
                     "<th>top-10 %</th><th>MRR</th><th>macro %</th><th>ECE</th><th>Brier</th><th>half %</th>");
    jc_buf_puts(out, has_validation(content) ? "<th>validation top-1 %</th><th>validation ECE</th></tr>\n" : "</tr>\n");
    for (size_t i = 0; i < content->n_methods; i++)
        put_accuracy_row(out, content, i);
    jc_buf_puts(out, "</table></div>\n<p class=\"soft\">Small figures are 95 % bootstrap intervals; half: the most "
                     "confident half's share of right answers; macro: the mean over categories; ECE: expected "
                     "calibration error.</p></div>\n");
}

static void put_times(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_puts(out, "<div class=\"card\"><h3>Seconds</h3>\n<div class=\"scroll\"><table class=\"methods\">\n"
                     "<tr><th>method</th><th>encode</th><th>fit</th><th>predict</th><th>in all</th></tr>\n");
    for (size_t i = 0; i < content->n_methods; i++) {
        const struct jc_report_method *method = &content->methods[i];
        open_row(out, content, i);
        put_seconds(out, content->encode_seconds);
        put_seconds(out, method->fit_seconds);
        put_seconds(out, method->predict_seconds);
        put_seconds(out, jc_report_total_seconds(content, method));
        jc_buf_puts(out, "</tr>\n");
    }
    jc_buf_printf(out,
                  "</table></div>\n<p class=\"soft\">The texts are encoded once for all methods, and each method is "
                  "charged with the whole of it: %zu texts that no cache had.</p></div>\n",
                  content->n_encoded);
}

static void put_size_table(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_evaluation *chosen = content->methods[content->i_chosen].evaluation;
    jc_buf_puts(out, "<div class=\"card\"><h3>Top-1 by training rows of the category, per cent</h3>\n"
                     "<div class=\"scroll\"><table class=\"methods\">\n<tr><th>method</th>");
    for (size_t s = 0; s < JC_SIZE_BINS; s++)
        if (chosen->sizes[s].rows.n)
            jc_buf_printf(out, "<th>%s <small>n = %u</small></th>", jc_size_bin_name(s), chosen->sizes[s].rows.n);
    jc_buf_puts(out, "</tr>\n");
    for (size_t i = 0; i < content->n_methods; i++) {
        open_row(out, content, i);
        for (size_t s = 0; s < JC_SIZE_BINS; s++) {
            const struct jc_tally *rows = &content->methods[i].evaluation->sizes[s].rows;
            if (chosen->sizes[s].rows.n)
                jc_buf_printf(out, "<td>%.1f</td>", 100 * jc_tally_top_1(rows));
        }
        jc_buf_puts(out, "</tr>\n");
    }
    jc_buf_puts(out, "</table></div></div>\n");
}

static bool has_one_b(const struct jc_report_content *content)
{
    for (size_t i = 1; i < content->n_comparisons; i++)
        if (strcmp(content->comparisons[i].b, content->comparisons[0].b) != 0)
            return false;
    return true;
}

static void put_p_value(struct jc_buf *out, double p)
{
    if (p < .0001)
        jc_buf_puts(out, "<td>&lt;0.0001</td>");
    else
        jc_buf_printf(out, "<td>%.4f</td>", p);
}

static void put_comparison_row(struct jc_buf *out, const struct jc_report_comparison *pair, bool with_b)
{
    const struct jc_comparison *c = pair->comparison;
    jc_buf_puts(out, "<tr><td>");
    if (with_b) {
        jc_markup_put_text(out, pair->b, 40);
        jc_buf_puts(out, " against ");
    }
    jc_markup_put_text(out, pair->a, 40);
    jc_buf_printf(out, "</td><td>%+.2f <small>%+.2f to %+.2f</small></td><td>%+.2f</td><td>%zu : %zu</td>",
                  c->top_1.value * 100, c->top_1.low * 100, c->top_1.high * 100, c->top_5.value * 100, c->n_only_b,
                  c->n_only_a);
    put_p_value(out, c->p_value);
    jc_buf_printf(out, "<td>%s <small>margin %.1f</small></td></tr>\n",
                  jc_verdict_name(jc_comparison_judge(&c->top_1, pair->margin)), pair->margin * 100);
}

static void put_comparisons(struct jc_buf *out, const struct jc_report_content *content)
{
    bool one_b = has_one_b(content);
    jc_buf_puts(out, "<div class=\"card\"><h3>");
    if (one_b) {
        jc_markup_put_text(out, content->comparisons[0].b, 40);
        jc_buf_puts(out, " against the others");
    } else {
        jc_buf_puts(out, "Differences");
    }
    jc_buf_puts(out, ", on the same rows</h3>\n");
    jc_report_put_differences(out, content, !one_b);
    jc_buf_printf(out,
                  "<div class=\"scroll\"><table class=\"methods\">\n<tr><th>%s</th><th>top-1, points</th>"
                  "<th>top-5, points</th><th>wins : losses</th><th>McNemar p</th><th>verdict</th></tr>\n",
                  one_b ? "against" : "methods");
    for (size_t i = 0; i < content->n_comparisons; i++)
        put_comparison_row(out, &content->comparisons[i], !one_b);
    jc_buf_puts(out, "</table></div>\n<p class=\"soft\">Wins are rows that it alone has right first, losses those "
                     "that the other alone has; p says how likely so uneven a count is where both are equally "
                     "good.</p></div>\n");
}

void jc_report_put_methods(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_puts(out, "<h2 id=\"methods\">Methods</h2>\n");
    put_accuracy(out, content);
    if (content->n_comparisons)
        put_comparisons(out, content);
    put_size_table(out, content);
    put_times(out, content);
}
