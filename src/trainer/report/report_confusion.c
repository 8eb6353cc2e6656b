/* report.html: what is taken for what, by major group and by category. */
#include <math.h>

#include "model/soc_major.h"
#include "trainer/report/markup.h"
#include "trainer/report/report_impl.h"
#include "trainer/report/svg.h"

/* A row a right group, a column an answered one. A cell's colour goes with the square root of its share of the row, so
 * that a few rows in a hundred can still be seen. */
static void put_heat_map(struct jc_buf *out, const struct jc_evaluation *e)
{
    struct jc_svg svg = jc_svg_open(out, JC_SVG_WIDTH, "Right and answered major groups");
    double left = 24, top = 30, cell = (JC_SVG_WIDTH - left - 4) / (double)e->n_groups;
    bool labels = cell >= 8; /* smaller ones would overlap */
    jc_svg_text(&svg, "axis", left, 10, "start", "answered");
    for (size_t r = 0; r < e->n_groups; r++) {
        const struct jc_group_result *right = &e->groups[r];
        double at = (double)r * cell;
        if (labels) {
            jc_svg_text(&svg, "tick", left - 4, top + at + cell / 2 + 3.5, "end", right->code);
            jc_svg_text(&svg, "tick", left + at + cell / 2, top - 4, "middle", right->code);
        }
        for (size_t a = 0; a < e->n_groups; a++) {
            uint32_t n = e->group_confusion[r * e->n_groups + a];
            double share = right->rows.n ? (double)n / right->rows.n : 0;
            char hint[160];
            snprintf(hint, sizeof(hint), "%s %s answered as %s %s: %u rows, %.1f %%", right->code,
                     jc_soc_major_name(right->code), e->groups[a].code, jc_soc_major_name(e->groups[a].code), n,
                     share * 100);
            jc_svg_rect(&svg,
                        n == 0   ? "cell"
                        : r == a ? "a"
                                 : "bad",
                        left + (double)a * cell + .5, top + at + .5, cell - 1, cell - 1, n == 0 ? 1 : sqrt(share),
                        n ? hint : NULL);
        }
    }
    jc_svg_close(&svg);
}

static void put_group_table(struct jc_buf *out, const struct jc_evaluation *e)
{
    jc_buf_puts(out, "<div class=\"scroll\"><table>\n<tr><th>group</th><th class=\"text\">name</th><th>rows</th>"
                     "<th>right group</th><th>top-1</th><th>top-5</th></tr>\n");
    for (size_t g = 0; g < e->n_groups; g++) {
        const struct jc_group_result *group = &e->groups[g];
        if (group->rows.n == 0)
            continue;
        jc_buf_printf(out,
                      "<tr><td>%s</td><td class=\"text\">%s</td><td>%u</td><td>%.1f %%</td><td>%.1f %%</td>"
                      "<td>%.1f %%</td></tr>\n",
                      group->code, jc_soc_major_name(group->code), group->rows.n,
                      100.0 * e->group_confusion[g * e->n_groups + g] / group->rows.n,
                      100 * jc_tally_top_1(&group->rows), 100 * jc_tally_top_5(&group->rows));
    }
    jc_buf_puts(out, "</table></div>\n");
}

void jc_report_put_groups(struct jc_buf *out, const struct jc_evaluation *evaluation)
{
    jc_buf_puts(
        out,
        "<h2 id=\"groups\">Major groups</h2>\n<div class=\"grid\"><div class=\"card\">"
        "<h3>Confusion</h3>\n<p class=\"soft\">A row is the right group, a column the answered one.</p>"
        "<p class=\"soft\"><span class=\"key a\"></span>the right group<span class=\"key bad\"></span>another</p>\n");
    put_heat_map(out, evaluation);
    jc_buf_puts(out, "</div>\n<div class=\"card\"><h3>Accuracy</h3>\n");
    put_group_table(out, evaluation);
    jc_buf_puts(out, "</div></div>\n");
}

void jc_report_put_category(struct jc_buf *out, const struct jc_report_content *content, uint32_t category)
{
    jc_markup_put_text(out, content->dataset->categories[category].title, JC_REPORT_TITLE_CHARS);
    jc_buf_puts(out, " <small>");
    jc_markup_put_text(out, content->dataset->categories[category].code, 20);
    jc_buf_puts(out, "</small>");
}

void jc_report_put_title(struct jc_buf *out, const struct jc_report_content *content, uint32_t example)
{
    jc_markup_put_text(out, jc_dataset_example_text(content->dataset, example), JC_REPORT_TITLE_CHARS);
}

void jc_report_put_pairs(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_report_method *method = &content->methods[content->i_chosen];
    jc_buf_puts(out, "<div class=\"card\"><h3>Most confused</h3>\n<ul class=\"pairs\">\n");
    for (size_t i = 0; i < method->evaluation->n_pairs; i++) {
        const struct jc_confused_pair *pair = &method->evaluation->pairs[i];
        jc_buf_printf(out, "<li><b>%u</b> of ", pair->n);
        jc_report_put_category(out, content, pair->right);
        jc_buf_puts(out, " answered as ");
        jc_report_put_category(out, content, pair->answered);
        jc_buf_puts(out, "<div class=\"soft\">");
        for (size_t k = 0; k < pair->n && k < JC_PAIR_EXAMPLES; k++) {
            jc_buf_puts(out, k ? "; " : "");
            jc_report_put_title(out, content, method->predictions[pair->examples[k]].example);
        }
        jc_buf_puts(out, "</div></li>\n");
    }
    jc_buf_puts(out, "</ul></div>\n");
}
