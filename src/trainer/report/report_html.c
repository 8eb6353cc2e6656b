/* report.html: the document and its summary. See report_content.h. */
#include "trainer/report/markup.h"
#include "trainer/report/report_impl.h"

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
                  "<div class=\"card fact\"><b>%zu</b>rows measured</div>\n",
                  e->mrr.value, e->mrr.low, e->mrr.high, e->macro_accuracy * 100, e->n_tested, e->ece,
                  e->precision_at_half * 100, e->n);
    if (content->split && content->split->n_test)
        jc_buf_printf(out,
                      "<div class=\"card fact\"><b%s>%.1f %%</b>of the test rows have a title that also trains</div>\n",
                      content->split->n_leaked ? " class=\"bad\"" : "",
                      100.0 * (double)content->split->n_leaked / (double)content->split->n_test);
    jc_buf_puts(out, "</div>\n");
}

static bool has_curves(const struct jc_report_content *content)
{
    for (size_t i = 0; i < content->n_methods; i++)
        if (content->methods[i].curve && content->methods[i].curve->n_epochs)
            return true;
    return false;
}

void jc_report_put_html(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_evaluation *chosen = content->methods[content->i_chosen].evaluation;
    put_head(out, content);
    jc_buf_puts(out, "<body>\n<main>\n");
    put_headline(out, content);
    put_summary(out, content);
    jc_report_put_methods(out, content);
    if (has_curves(content))
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
