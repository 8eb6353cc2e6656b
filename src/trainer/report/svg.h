/*
 * Charts as inline SVG: a plot area with axes, and marks given in the data's own units. Colours are the style sheet's:
 * a mark names a class. Widths are those of a phone (JC_SVG_WIDTH units); a wider screen scales the whole chart.
 * Threads: one at a time.
 */
#ifndef JC_TRAINER_SVG_H
#define JC_TRAINER_SVG_H

#include "base/buf.h"

enum { JC_SVG_WIDTH = 360 };

struct jc_svg_point {
    double x, y;
};

struct jc_svg {
    struct jc_buf *out;
    double height;
    double left, right, top, bottom; /* of the plot area, in units; y grows downwards */
    struct jc_svg_point min, max;    /* what the corners of the plot area stand for */
};

/* Opens a picture; `label` is what a screen reader says. The plot area leaves room for tick labels. */
struct jc_svg jc_svg_open(struct jc_buf *out, double height, const char *label);
void jc_svg_close(struct jc_svg *svg);

/* Sets what the plot area stands for; an empty range is widened. */
void jc_svg_set_range(struct jc_svg *svg, struct jc_svg_point min, struct jc_svg_point max);

/* The least of 1, 2, 2.5, 5 times a power of ten that is not below x: the top of an axis of five steps. */
double jc_svg_round_up(double x);

double jc_svg_x(const struct jc_svg *svg, double x);
double jc_svg_y(const struct jc_svg *svg, double y);

/* Grid lines with labels at n_steps + 1 values, printed as value * factor (100: per cent). */
void jc_svg_axis_x(struct jc_svg *svg, size_t n_steps, double factor, int n_decimals, const char *name);
void jc_svg_axis_y(struct jc_svg *svg, size_t n_steps, double factor, int n_decimals, const char *name);

/* In the data's units. A point that is not finite interrupts the line. */
void jc_svg_line(struct jc_svg *svg, const char *class, const struct jc_svg_point *points, size_t n);
/* A bar over [x0, x1] from the bottom up to y, with a text that shows under the pointer. */
void jc_svg_bar(struct jc_svg *svg, const char *class, double x0, double x1, double y, const char *hint);
void jc_svg_dot(struct jc_svg *svg, const char *class, struct jc_svg_point at, double radius, const char *hint);

/* In units of the picture. anchor: "start", "middle", "end". */
void jc_svg_text(struct jc_svg *svg, const char *class, double x, double y, const char *anchor, const char *text);
void jc_svg_rect(struct jc_svg *svg, const char *class, double x, double y, double width, double height, double opacity,
                 const char *hint);

#endif
