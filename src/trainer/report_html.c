/* report.html: the document, its summary, and the table of methods. See report_content.h. */
#include <math.h>

#include "trainer/markup.h"
#include "trainer/report_impl.h"

static void put_head(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_printf(out,
                  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                  "'unsafe-inline'; script-src '%s'\">\n<title>",
                  jc_report_script_hash);
    jc_markup_put_text(out, content->model, JC_REPORT_TITLE_CHARS);
    jc_buf_puts(out, ": evaluation</title>\n<style>\n");
    jc_report_put_style(out);
    jc_buf_puts(out, "</style>\n</head>\n");
}

static void put_headline(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct {
        const char *before, *text;
    } parts[] = {{"Method ", content->methods[content->i_chosen].name},
                 {" on encoder ", content->encoder},
                 {", data ", content->data},
                 {", measured on ", content->measured_on},
                 {" rows, ", content->date},
                 {". Version ", content->version}};
    jc_buf_puts(out, "<h1>");
    jc_markup_put_text(out, content->model, JC_REPORT_TITLE_CHARS);
    jc_buf_puts(out, "</h1>\n<p class=\"soft\">");
    for (size_t i = 0; i < JC_COUNT(parts); i++) {
        if (!parts[i].text)
            continue;
        jc_buf_puts(out, parts[i].before);
        jc_markup_put_text(out, parts[i].text, JC_REPORT_TITLE_CHARS);
    }
    jc_buf_puts(out, ".</p>\n");
}

static void put_card(struct jc_buf *out, const char *name, const struct jc_estimate *e)
{
    jc_buf_printf(out, "<div class=\"card fact\"><b>%.1f %%</b>%s <span class=\"soft\">%.1f to %.1f</span></div>\n",
                  e->value * 100, name, e->low * 100, e->high * 100);
}

static void put_summary(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_evaluation *e = content->methods[content->i_chosen].evaluation;
    jc_buf_puts(out, "<div class=\"facts\">\n");
    put_card(out, "top-1", &e->top_1);
    put_card(out, "top-3", &e->top_3);
    put_card(out, "top-5", &e->top_5);
    jc_buf_printf(out,
                  "<div class=\"card fact\"><b>%.3f</b>MRR <span class=\"soft\">%.3f to %.3f</span></div>\n"
                  "<div class=\"card fact\"><b>%.1f %%</b>macro accuracy <span class=\"soft\">%zu categories</span>"
                  "</div>\n<div class=\"card fact\"><b>%.3f</b>calibration error</div>\n"
                  "<div class=\"card fact\"><b>%.1f %%</b>right in the most confident half</div>\n"
                  "<div class=\"card fact\"><b>%zu</b>rows measured</div>\n</div>\n",
                  e->mrr.value, e->mrr.low, e->mrr.high, e->macro_accuracy * 100, e->n_tested, e->ece,
                  e->precision_at_half * 100, e->n);
}

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

static void put_method_row(struct jc_buf *out, const struct jc_report_method *method, bool chosen)
{
    const struct jc_evaluation *e = method->evaluation;
    jc_buf_puts(out, chosen ? "<tr class=\"chosen\"><td>" : "<tr><td>");
    jc_markup_put_text(out, method->name, 40);
    jc_buf_puts(out, "</td>");
    put_rate(out, &e->top_1);
    put_rate(out, &e->top_3);
    put_rate(out, &e->top_5);
    jc_buf_printf(out, "<td>%.1f</td><td>%.3f</td><td>%.1f</td><td>%.3f</td><td>%.3f</td><td>%.1f</td>",
                  e->top_10 * 100, e->mrr.value, e->macro_accuracy * 100, e->ece, e->brier, e->precision_at_half * 100);
    put_seconds(out, method->fit_seconds);
    put_seconds(out, method->predict_seconds);
    jc_buf_puts(out, "</tr>\n");
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
        jc_buf_puts(out, i == content->i_chosen ? "<tr class=\"chosen\"><td>" : "<tr><td>");
        jc_markup_put_text(out, content->methods[i].name, 40);
        jc_buf_puts(out, "</td>");
        for (size_t s = 0; s < JC_SIZE_BINS; s++) {
            const struct jc_tally *rows = &content->methods[i].evaluation->sizes[s].rows;
            if (chosen->sizes[s].rows.n)
                jc_buf_printf(out, "<td>%.1f</td>", 100 * jc_tally_top_1(rows));
        }
        jc_buf_puts(out, "</tr>\n");
    }
    jc_buf_puts(out, "</table></div></div>\n");
}

static void put_comparisons(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_puts(out,
                "<div class=\"card\"><h3>Differences in top-1</h3>\n<div class=\"scroll\"><table class=\"methods\">\n"
                "<tr><th>method</th><th class=\"text\">against</th><th>points</th><th>95 % interval</th>"
                "<th>only one is right</th><th>McNemar p</th><th>verdict</th></tr>\n");
    for (size_t i = 0; i < content->n_comparisons; i++) {
        const struct jc_report_comparison *pair = &content->comparisons[i];
        const struct jc_comparison *c = pair->comparison;
        jc_buf_puts(out, "<tr><td>");
        jc_markup_put_text(out, pair->b, 40);
        jc_buf_puts(out, "</td><td class=\"text\">");
        jc_markup_put_text(out, pair->a, 40);
        jc_buf_printf(out,
                      "</td><td>%+.2f</td><td>%+.2f to %+.2f</td><td>%zu : %zu</td><td>%.2g</td>"
                      "<td>%s <small>margin %.1f</small></td></tr>\n",
                      c->top_1.value * 100, c->top_1.low * 100, c->top_1.high * 100, c->n_only_b, c->n_only_a,
                      c->p_value, jc_verdict_name(jc_comparison_judge(&c->top_1, pair->margin)), pair->margin * 100);
    }
    jc_buf_puts(out, "</table></div></div>\n");
}

static void put_methods(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_puts(out, "<h2 id=\"methods\">Methods</h2>\n<div class=\"card\">\n");
    jc_report_put_method_bars(out, content);
    jc_buf_puts(out, "<div class=\"scroll\"><table class=\"methods\">\n<tr><th>method</th><th>top-1 %</th><th>top-3 "
                     "%</th><th>top-5 %</th>"
                     "<th>top-10 %</th><th>MRR</th><th>macro %</th><th>ECE</th><th>Brier</th><th>half %</th>"
                     "<th>fit s</th><th>predict s</th></tr>\n");
    for (size_t i = 0; i < content->n_methods; i++)
        put_method_row(out, &content->methods[i], i == content->i_chosen);
    jc_buf_puts(out, "</table></div>\n<p class=\"soft\">Small figures are 95 % bootstrap intervals; half: the most "
                     "confident half's share of right answers; macro: the mean over categories.");
    if (isfinite(content->encode_seconds))
        jc_buf_printf(out, " Encoding, once for all methods: %zu texts in %.1f s.", content->n_encoded,
                      content->encode_seconds);
    jc_buf_puts(out, "</p></div>\n");
    put_size_table(out, content);
    if (content->n_comparisons)
        put_comparisons(out, content);
}

void jc_report_put_html(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_evaluation *chosen = content->methods[content->i_chosen].evaluation;
    put_head(out, content);
    jc_buf_puts(out, "<body>\n<main>\n");
    put_headline(out, content);
    put_summary(out, content);
    put_methods(out, content);
    if (content->n_curves)
        jc_report_put_curves(out, content);
    jc_buf_puts(out, "<h2 id=\"confidence\">The chosen method</h2>\n<div class=\"grid\">\n");
    jc_report_put_sizes(out, chosen);
    jc_report_put_reliability(out, chosen);
    jc_report_put_coverage(out, chosen);
    jc_report_put_thresholds(out, chosen);
    jc_buf_puts(out, "</div>\n");
    jc_report_put_groups(out, chosen);
    jc_report_put_pairs(out, content);
    jc_report_put_browser(out, content);
    jc_report_put_data(out, content);
    if (content->attribution && *content->attribution) {
        jc_buf_puts(out, "<p class=\"soft\">");
        jc_markup_put_text(out, content->attribution, 0);
        jc_buf_puts(out, "</p>\n");
    }
    jc_buf_puts(out, "</main>\n<script>");
    jc_report_put_script(out);
    jc_buf_puts(out, "</script>\n</body>\n</html>\n");
}
