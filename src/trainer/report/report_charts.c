/* report.html: the charts of methods, losses and confidence. */
#include <math.h>

#include "trainer/report/markup.h"
#include "trainer/report/report_impl.h"
#include "trainer/report/svg.h"

/* "46.3 % (45.2 to 47.4)" */
static void format_interval(char *text, size_t n, const struct jc_estimate *e)
{
    snprintf(text, n, "%.1f %% (%.1f to %.1f)", e->value * 100, e->low * 100, e->high * 100);
}

static void put_whisker(struct jc_svg *svg, const struct jc_estimate *e, double y)
{
    double x0 = jc_svg_x(svg, e->low), x1 = jc_svg_x(svg, e->high);
    jc_buf_printf(svg->out, "<path class=\"whisker\" d=\"M%.1f %.1fV%.1fM%.1f %.1fH%.1fM%.1f %.1fV%.1f\"/>\n", x0,
                  y - 4, y + 4, x0, y, x1, x1, y - 4, y + 4);
}

static void put_method_bar(struct jc_svg *svg, const struct jc_report_method *method, bool chosen, double y)
{
    const struct jc_evaluation *e = method->evaluation;
    const struct {
        const char *class, *name;
        const struct jc_estimate *estimate;
    } bars[] = {{"a5", "top-5", &e->top_5}, {"a3", "top-3", &e->top_3}, {"a", "top-1", &e->top_1}};
    char text[96], hint[112];

    jc_buf_printf(svg->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", chosen ? "strong" : "name", svg->left, y);
    jc_markup_put_text(svg->out, method->name, 32);
    jc_buf_puts(svg->out, "</text>\n");
    snprintf(text, sizeof(text), "%.1f / %.1f / %.1f", e->top_1.value * 100, e->top_3.value * 100,
             e->top_5.value * 100);
    jc_svg_text(svg, "num", svg->right, y, "end", text);
    for (size_t i = 0; i < JC_COUNT(bars); i++) {
        format_interval(text, sizeof(text), bars[i].estimate);
        snprintf(hint, sizeof(hint), "%s %s", bars[i].name, text);
        jc_svg_rect(svg, bars[i].class, svg->left, y + 5, jc_svg_x(svg, bars[i].estimate->value) - svg->left, 14, 1,
                    hint);
    }
    for (size_t i = 0; i < JC_COUNT(bars); i++)
        put_whisker(svg, bars[i].estimate, y + 12);
}

void jc_report_put_method_bars(struct jc_buf *out, const struct jc_report_content *content)
{
    enum { STEP = 40 };
    jc_buf_puts(out, "<p class=\"soft\"><span class=\"key a\"></span>top-1<span class=\"key a3\"></span>top-3"
                     "<span class=\"key a5\"></span>top-5, with 95 % intervals</p>\n");
    struct jc_svg svg =
        jc_svg_open(out, 40 + (double)(STEP * content->n_methods), "Accuracy of each method, in per cent");
    svg.left = 8;
    svg.right = JC_SVG_WIDTH - 12;
    svg.top = 2;
    jc_svg_axis_x(&svg, 5, 100, 0, "rows answered right, per cent");
    for (size_t i = 0; i < content->n_methods; i++)
        put_method_bar(&svg, &content->methods[i], i == content->i_chosen, 16 + (double)(STEP * i));
    jc_svg_close(&svg);
}

/* The farthest that an interval reaches from 0. */
static double find_reach(const struct jc_report_content *content)
{
    double reach = .001;
    for (size_t i = 0; i < content->n_comparisons; i++) {
        const struct jc_estimate *e = &content->comparisons[i].comparison->top_1;
        reach = fmax(reach, fmax(fabs(e->low), fabs(e->high)));
    }
    return jc_svg_round_up(reach);
}

static void put_difference(struct jc_svg *svg, const struct jc_report_comparison *pair, bool with_b, double y)
{
    const struct jc_estimate *e = &pair->comparison->top_1;
    char hint[96];
    jc_buf_printf(svg->out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">", svg->left, y);
    if (with_b) {
        jc_markup_put_text(svg->out, pair->b, 24);
        jc_buf_puts(svg->out, " against ");
    }
    jc_markup_put_text(svg->out, pair->a, 24);
    jc_buf_puts(svg->out, "</text>\n");
    put_whisker(svg, e, y + 10);
    snprintf(hint, sizeof(hint), "%+.2f points (%+.2f to %+.2f)", e->value * 100, e->low * 100, e->high * 100);
    jc_buf_printf(svg->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%s</title></circle>\n",
                  e->value < 0 ? "bad" : "a", jc_svg_x(svg, e->value), y + 10, hint);
}

void jc_report_put_differences(struct jc_buf *out, const struct jc_report_content *content, bool with_b)
{
    enum { STEP = 34 };
    double reach = find_reach(content);
    struct jc_svg svg = jc_svg_open(out, 40 + (double)(STEP * content->n_comparisons),
                                    "Differences in top-1 with 95 % intervals, in points");
    svg.left = 12;
    svg.right = JC_SVG_WIDTH - 12;
    svg.top = 2;
    jc_svg_set_range(&svg, (struct jc_svg_point){-reach, 0}, (struct jc_svg_point){reach, 1});
    jc_svg_axis_x(&svg, 4, 100, reach < .02 ? 2 : 1, "difference in top-1, points: right of 0 is better");
    jc_buf_printf(out, "<path class=\"ideal\" d=\"M%.1f %.1fV%.1f\"/>\n", jc_svg_x(&svg, 0), svg.top, svg.bottom);
    for (size_t i = 0; i < content->n_comparisons; i++)
        put_difference(&svg, &content->comparisons[i], with_b, 14 + (double)(STEP * i));
    jc_svg_close(&svg);
}

static double find_highest(const struct jc_curve *curve)
{
    double highest = 0;
    for (size_t i = 0; i < curve->n_epochs; i++) {
        if (isfinite(curve->train[i]))
            highest = fmax(highest, curve->train[i]);
        if (isfinite(curve->validation[i]))
            highest = fmax(highest, curve->validation[i]);
    }
    return highest;
}

static void put_losses(struct jc_svg *svg, const char *class, const char *name, const double *losses, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        const struct jc_svg_point line[] = {{(double)(i + 1), losses[i]}, {(double)(i + 2), losses[i + 1]}};
        if (isfinite(losses[i]) && isfinite(losses[i + 1]))
            jc_svg_line(svg, class, line, JC_COUNT(line));
    }
    for (size_t i = 0; i < n; i++) {
        char hint[64];
        snprintf(hint, sizeof(hint), "%s, epoch %zu: %.4g", name, i + 1, losses[i]);
        if (isfinite(losses[i]))
            jc_svg_dot(svg, class, (struct jc_svg_point){(double)(i + 1), losses[i]}, n > 30 ? 1.5 : 2.5, hint);
    }
}

static void put_curve(struct jc_buf *out, const char *name, const struct jc_curve *curve)
{
    /* A tick an epoch, or five steps from 0 to a multiple of five. */
    size_t n = curve->n_epochs, n_steps = n == 1 ? 2 : n <= 11 ? n - 1 : 5;
    double first = n > 1 && n <= 11, last = n == 1 ? 2 : n <= 11 ? (double)n : (double)((n + 4) / 5 * 5);
    double top = jc_svg_round_up(find_highest(curve));
    jc_buf_puts(out, "<div class=\"card\"><h3>");
    jc_markup_put_text(out, name, 0);
    jc_buf_puts(out, "</h3>\n");
    struct jc_svg svg = jc_svg_open(out, 200, "Loss by epoch, training and validation");
    jc_svg_set_range(&svg, (struct jc_svg_point){first, 0}, (struct jc_svg_point){last, top});
    jc_svg_axis_x(&svg, n_steps, 1, 0, "epoch");
    jc_svg_axis_y(&svg, 5, 1, top < .1 ? 3 : top < 10 ? 2 : 0, "loss");
    put_losses(&svg, "a", "training", curve->train, n);
    put_losses(&svg, "b", "validation", curve->validation, n);
    jc_svg_close(&svg);
    jc_buf_puts(out, "</div>\n");
}

void jc_report_put_curves(struct jc_buf *out, const struct jc_report_content *content)
{
    jc_buf_puts(out, "<h2 id=\"losses\">Losses</h2>\n<p class=\"soft\"><span class=\"key a\"></span>training"
                     "<span class=\"key b\"></span>validation</p>\n<div class=\"grid\">\n");
    for (size_t i = 0; i < content->n_methods; i++) {
        const struct jc_report_method *method = &content->methods[i];
        if (method->curve && method->curve->n_epochs)
            put_curve(out, method->name, method->curve);
    }
    jc_buf_puts(out, "</div>\n");
}

void jc_report_put_sizes(struct jc_buf *out, const struct jc_evaluation *evaluation)
{
    jc_buf_puts(out, "<div class=\"card\"><h3>By training rows of the category</h3>\n<p class=\"soft\">"
                     "<span class=\"key a\"></span>top-1<span class=\"key a5\"></span>top-5</p>\n");
    struct jc_svg svg = jc_svg_open(out, 220, "Accuracy by the number of training rows of the category");
    svg.bottom -= 14; /* two lines below the axis */
    svg.max.x = JC_SIZE_BINS;
    jc_svg_axis_y(&svg, 5, 100, 0, "per cent");
    for (size_t i = 0; i < JC_SIZE_BINS; i++) {
        const struct jc_tally *rows = &evaluation->sizes[i].rows;
        double x = (double)i + .5, top_1 = jc_tally_top_1(rows), top_5 = jc_tally_top_5(rows);
        char text[96];
        snprintf(text, sizeof(text), "%u rows: top-1 %.1f %%, top-5 %.1f %%", rows->n, top_1 * 100, top_5 * 100);
        jc_svg_bar(&svg, "a5", x - .32, x + .32, top_5, text);
        jc_svg_bar(&svg, "a", x - .32, x + .32, top_1, text);
        jc_svg_text(&svg, "name", jc_svg_x(&svg, x), svg.bottom + 14, "middle", jc_size_bin_name(i));
        snprintf(text, sizeof(text), rows->n ? "n = %u" : "no rows", rows->n);
        jc_svg_text(&svg, "tick", jc_svg_x(&svg, x), svg.bottom + 27, "middle", text);
    }
    jc_svg_text(&svg, "axis", (svg.left + svg.right) / 2, svg.bottom + 43, "middle",
                "training rows of the category; n = rows measured");
    jc_svg_close(&svg);
    jc_buf_puts(out, "</div>\n");
}

void jc_report_put_reliability(struct jc_buf *out, const struct jc_evaluation *evaluation)
{
    static const struct jc_svg_point ideal[] = {{0, 0}, {1, 1}};
    jc_buf_printf(out,
                  "<div class=\"card\"><h3>Reliability</h3>\n<p class=\"soft\">Is the confidence a probability? On the "
                  "dashed line it is. Expected calibration error %.3f; the bars are the share of the rows.</p>\n",
                  evaluation->ece);
    struct jc_svg svg = jc_svg_open(out, 260, "Accuracy by confidence");
    jc_svg_axis_x(&svg, 5, 100, 0, "confidence, per cent");
    jc_svg_axis_y(&svg, 5, 100, 0, "right, per cent");
    struct jc_svg_point points[JC_CALIBRATION_BINS];
    char hints[JC_CALIBRATION_BINS][96];
    for (size_t b = 0; b < JC_CALIBRATION_BINS; b++) {
        const struct jc_calibration_bin *bin = &evaluation->bins[b];
        points[b] = (struct jc_svg_point){bin->n ? bin->confidence : NAN, bin->accuracy};
        snprintf(hints[b], sizeof(hints[b]), "%zu rows: confidence %.1f %%, right %.1f %%", bin->n,
                 bin->confidence * 100, bin->accuracy * 100);
        jc_svg_bar(&svg, "a5", ((double)b + .1) / JC_CALIBRATION_BINS, ((double)b + .9) / JC_CALIBRATION_BINS,
                   (double)bin->n / (double)evaluation->n, hints[b]);
    }
    jc_svg_line(&svg, "ideal", ideal, JC_COUNT(ideal));
    jc_svg_line(&svg, "a", points, JC_CALIBRATION_BINS);
    for (size_t b = 0; b < JC_CALIBRATION_BINS; b++)
        if (evaluation->bins[b].n)
            jc_svg_dot(&svg, "a", points[b], 3.5, hints[b]);
    jc_svg_close(&svg);
    jc_buf_puts(out, "</div>\n");
}

void jc_report_put_coverage(struct jc_buf *out, const struct jc_evaluation *evaluation)
{
    jc_buf_printf(out,
                  "<div class=\"card\"><h3>Coverage and precision</h3>\n<p class=\"soft\">Only rows over a confidence "
                  "are answered: the most confident half is %.1f %% right.</p>\n",
                  evaluation->precision_at_half * 100);
    struct jc_svg svg = jc_svg_open(out, 230, "Precision by coverage");
    jc_svg_axis_x(&svg, 5, 100, 0, "answered, per cent of the rows");
    jc_svg_axis_y(&svg, 5, 100, 0, "right, per cent of the answered");
    struct jc_svg_point points[JC_COVERAGE_POINTS];
    for (size_t i = 0; i < evaluation->n_coverage; i++)
        points[i] = (struct jc_svg_point){evaluation->coverage[i].coverage, evaluation->coverage[i].precision};
    jc_svg_line(&svg, "a", points, evaluation->n_coverage);
    jc_svg_close(&svg);
    jc_buf_puts(out, "</div>\n");
}

void jc_report_put_thresholds(struct jc_buf *out, const struct jc_evaluation *evaluation)
{
    jc_buf_puts(out, "<div class=\"card\"><h3>Thresholds</h3>\n<p class=\"soft\">The confidence to ask for, so "
                     "that of the answers at least so many are right.</p>\n<div class=\"scroll\"><table>\n<tr><th>at "
                     "least right</th><th>confidence from</th>"
                     "<th>answered</th><th>right</th></tr>\n");
    for (size_t t = 0; t < JC_THRESHOLDS; t++) {
        const struct jc_threshold *threshold = &evaluation->thresholds[t];
        jc_buf_printf(out, "<tr><td>%.0f %%</td>", threshold->target * 100);
        if (threshold->point.coverage > 0)
            jc_buf_printf(out, "<td>%.3f</td><td>%.1f %%</td><td>%.1f %%</td></tr>\n", threshold->point.threshold,
                          threshold->point.coverage * 100, threshold->point.precision * 100);
        else
            jc_buf_puts(out, "<td>none</td><td>0 %</td><td></td></tr>\n");
    }
    jc_buf_puts(out, "</table></div></div>\n");
}
