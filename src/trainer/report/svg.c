/* Writing SVG elements. See svg.h. */
#include "trainer/report/svg.h"

#include <math.h>

#include "trainer/report/markup.h"

struct jc_svg jc_svg_open(struct jc_buf *out, double height, const char *label)
{
    jc_buf_printf(out, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"", JC_SVG_WIDTH, height);
    jc_markup_put_text(out, label, 0);
    jc_buf_puts(out, "\">\n");
    return (struct jc_svg){.out = out,
                           .height = height,
                           .left = 40,
                           .right = JC_SVG_WIDTH - 10,
                           .top = 18,
                           .bottom = height - 34,
                           .max = {1, 1}};
}

void jc_svg_close(struct jc_svg *svg)
{
    jc_buf_puts(svg->out, "</svg>\n");
}

void jc_svg_set_range(struct jc_svg *svg, struct jc_svg_point min, struct jc_svg_point max)
{
    svg->min = min;
    svg->max = (struct jc_svg_point){max.x > min.x ? max.x : min.x + 1, max.y > min.y ? max.y : min.y + 1};
}

double jc_svg_round_up(double x)
{
    static const double steps[] = {1, 2, 2.5, 5, 10};
    if (!(x > 0) || !isfinite(x))
        return 1;
    double power = pow(10, floor(log10(x)));
    for (size_t i = 0; i < JC_COUNT(steps); i++)
        if (steps[i] * power >= x)
            return steps[i] * power;
    return 10 * power;
}

double jc_svg_x(const struct jc_svg *svg, double x)
{
    return svg->left + (x - svg->min.x) / (svg->max.x - svg->min.x) * (svg->right - svg->left);
}

double jc_svg_y(const struct jc_svg *svg, double y)
{
    return svg->bottom - (y - svg->min.y) / (svg->max.y - svg->min.y) * (svg->bottom - svg->top);
}

static void put_grid_line(struct jc_svg *svg, double x0, double y0, double x1, double y1)
{
    jc_buf_printf(svg->out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x0, y0, x1, y1);
}

static void put_tick(struct jc_svg *svg, double x, double y, const char *anchor, double value, int n_decimals)
{
    jc_buf_printf(svg->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.*f</text>\n", x, y, anchor,
                  n_decimals, value);
}

void jc_svg_axis_x(struct jc_svg *svg, size_t n_steps, double factor, int n_decimals, const char *name)
{
    for (size_t i = 0; i <= n_steps; i++) {
        double value = svg->min.x + (svg->max.x - svg->min.x) * (double)i / (double)n_steps;
        put_grid_line(svg, jc_svg_x(svg, value), svg->top, jc_svg_x(svg, value), svg->bottom);
        put_tick(svg, jc_svg_x(svg, value), svg->bottom + 13, "middle", value * factor, n_decimals);
    }
    jc_svg_text(svg, "axis", (svg->left + svg->right) / 2, svg->bottom + 29, "middle", name);
}

void jc_svg_axis_y(struct jc_svg *svg, size_t n_steps, double factor, int n_decimals, const char *name)
{
    for (size_t i = 0; i <= n_steps; i++) {
        double value = svg->min.y + (svg->max.y - svg->min.y) * (double)i / (double)n_steps;
        put_grid_line(svg, svg->left, jc_svg_y(svg, value), svg->right, jc_svg_y(svg, value));
        put_tick(svg, svg->left - 5, jc_svg_y(svg, value) + 3.5, "end", value * factor, n_decimals);
    }
    jc_svg_text(svg, "axis", 2, svg->top - 7, "start", name);
}

void jc_svg_line(struct jc_svg *svg, const char *class, const struct jc_svg_point *points, size_t n)
{
    bool drawing = false;
    jc_buf_printf(svg->out, "<path class=\"%s\" d=\"", class);
    for (size_t i = 0; i < n; i++) {
        bool finite = isfinite(points[i].x) && isfinite(points[i].y);
        if (finite)
            jc_buf_printf(svg->out, "%c%.1f %.1f", drawing ? 'L' : 'M', jc_svg_x(svg, points[i].x),
                          jc_svg_y(svg, points[i].y));
        drawing = finite;
    }
    jc_buf_puts(svg->out, "\"/>\n");
}

static void put_hint(struct jc_svg *svg, const char *element, const char *hint)
{
    if (!hint) {
        jc_buf_puts(svg->out, "/>\n");
        return;
    }
    jc_buf_puts(svg->out, "><title>");
    jc_markup_put_text(svg->out, hint, 0);
    jc_buf_printf(svg->out, "</title></%s>\n", element);
}

void jc_svg_bar(struct jc_svg *svg, const char *class, double x0, double x1, double y, const char *hint)
{
    double left = jc_svg_x(svg, x0), top = jc_svg_y(svg, y);
    jc_svg_rect(svg, class, left, top, jc_svg_x(svg, x1) - left, svg->bottom - top, 1, hint);
}

void jc_svg_dot(struct jc_svg *svg, const char *class, struct jc_svg_point at, double radius, const char *hint)
{
    jc_buf_printf(svg->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", class, jc_svg_x(svg, at.x),
                  jc_svg_y(svg, at.y), radius);
    put_hint(svg, "circle", hint);
}

void jc_svg_text(struct jc_svg *svg, const char *class, double x, double y, const char *anchor, const char *text)
{
    jc_buf_printf(svg->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", class, x, y, anchor);
    jc_markup_put_text(svg->out, text, 0);
    jc_buf_puts(svg->out, "</text>\n");
}

void jc_svg_rect(struct jc_svg *svg, const char *class, double x, double y, double width, double height, double opacity,
                 const char *hint)
{
    jc_buf_printf(svg->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", class, x, y,
                  width > 0 ? width : 0, height > 0 ? height : 0);
    if (opacity < 1)
        jc_buf_printf(svg->out, " fill-opacity=\"%.3f\"", opacity > 0 ? opacity : 0);
    put_hint(svg, "rect", hint);
}
