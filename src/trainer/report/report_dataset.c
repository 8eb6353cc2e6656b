/* report.html: the data: what was read, how it was split, and what it is like. */
#include <time.h>

#include "trainer/report/markup.h"
#include "trainer/report/report_impl.h"
#include "trainer/report/svg.h"

static void put_fact(struct jc_buf *out, const char *name, size_t value)
{
    jc_buf_printf(out, "<div class=\"card fact\"><b>%zu</b>%s</div>\n", value, name);
}

static void put_sizes(struct jc_buf *out, const struct jc_data_report *data)
{
    jc_buf_puts(out, "<div class=\"card\"><h3>Categories by rows</h3>\n<div class=\"scroll\"><table>\n"
                     "<tr><th>rows of the category</th><th>categories</th><th>rows</th></tr>\n");
    for (size_t s = 0; s < JC_SIZE_BINS; s++)
        jc_buf_printf(out, "<tr><td>%s</td><td>%zu</td><td>%zu</td></tr>\n", jc_size_bin_name(s),
                      data->sizes[s].n_categories, data->sizes[s].n_rows);
    jc_buf_puts(out, "</table></div></div>\n");
}

static void put_tokens(struct jc_buf *out, const struct jc_data_report *data)
{
    size_t n_most = 0;
    for (size_t i = 0; i < JC_TOKEN_BINS; i++)
        n_most = data->tokens[i] > n_most ? data->tokens[i] : n_most;
    jc_buf_printf(out,
                  "<div class=\"card\"><h3>Length in tokens</h3>\n<p class=\"soft\">%.1f on average, %zu at most; the "
                  "last bar holds all from %d up.</p>\n",
                  data->mean_tokens, data->max_tokens, JC_TOKEN_BINS - 1);
    struct jc_svg svg = jc_svg_open(out, 200, "Rows by length in tokens");
    double top = jc_svg_round_up((double)n_most / (double)data->n_rows);
    jc_svg_set_range(&svg, (struct jc_svg_point){0, 0}, (struct jc_svg_point){JC_TOKEN_BINS - 1, top});
    jc_svg_axis_x(&svg, 4, 1, 0, "tokens");
    jc_svg_axis_y(&svg, 5, 100, 1, "per cent of the rows");
    for (size_t i = 0; i < JC_TOKEN_BINS; i++) {
        char hint[64];
        snprintf(hint, sizeof(hint), "%zu%s tokens: %zu rows", i, i + 1 == JC_TOKEN_BINS ? " or more" : "",
                 data->tokens[i]);
        if (data->tokens[i])
            jc_svg_bar(&svg, "a", (double)i - .4, (double)i + .4, (double)data->tokens[i] / (double)data->n_rows, hint);
    }
    jc_svg_close(&svg);
    jc_buf_puts(out, "</div>\n");
}

static void put_ambiguous(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_data_report *data = content->data_report;
    jc_buf_printf(out,
                  "<div class=\"card\"><h3>Titles of several codes</h3>\n<p class=\"soft\">%zu distinct titles stand "
                  "under more than one code, in %zu rows. Who knows the title alone can be right in at most %.1f %% of "
                  "all rows.</p>\n<div class=\"scroll\"><table>\n<tr><th class=\"text\">title</th><th>codes</th>"
                  "<th>rows</th></tr>\n",
                  data->n_ambiguous_texts, data->n_ambiguous_rows, data->ceiling * 100);
    for (size_t i = 0; i < data->n_ambiguous; i++) {
        const struct jc_ambiguous_text *text = &data->ambiguous[i];
        size_t n;
        jc_buf_puts(out, "<tr><td class=\"text\">");
        jc_markup_put_text(out, jc_texts_get(content->dataset->texts, text->text, &n), JC_REPORT_TITLE_CHARS);
        jc_buf_printf(out, "</td><td>%u</td><td>%u</td></tr>\n", text->n_categories, text->n_rows);
    }
    jc_buf_puts(out, "</table></div></div>\n");
}

struct line {
    const char *name;
    uint64_t n;
};

/* Lines of zero say nothing. */
static void put_lines(struct jc_buf *out, const struct line *lines, size_t n)
{
    jc_buf_puts(out, "<div class=\"scroll\"><table>\n");
    for (size_t i = 0; i < n; i++)
        if (lines[i].n)
            jc_buf_printf(out, "<tr><td>%s</td><td>%ju</td></tr>\n", lines[i].name, (uintmax_t)lines[i].n);
    jc_buf_puts(out, "</table></div>\n");
}

static void put_read(struct jc_buf *out, const struct jc_read_report *read)
{
    const struct line lines[] = {
        {"rows of postings", read->n_rows},
        {"bad, in rejects.csv", read->n_bad},
        {"labelled as unclassified", read->n_unclassified},
        {"of a code that is no category", read->n_unknown},
        {"of an old code, taken to its new one", read->n_mapped},
        {"of an old code that became several, left out", read->n_parted},
        {"without a date that can be read", read->n_undated},
        {"examples cut from bodies", read->n_sentences},
    };
    jc_buf_puts(out, "<div class=\"card\"><h3>What was read</h3>\n");
    put_lines(out, lines, JC_COUNT(lines));
    jc_buf_puts(out, "</div>\n");
}

static void put_leak(struct jc_buf *out, const struct jc_split_report *split)
{
    if (split->n_leaked)
        jc_buf_printf(
            out,
            "<p class=\"bad\"><b>%zu of %zu test rows (%.1f %%)</b> have a title that also stands in training: "
            "what is measured on them is memory.</p>\n",
            split->n_leaked, split->n_test, 100.0 * (double)split->n_leaked / (double)split->n_test);
    else if (split->n_test)
        jc_buf_printf(out, "<p>None of the titles of %zu test rows stands in training.</p>\n", split->n_test);
}

static void put_split(struct jc_buf *out, const struct jc_split_report *split)
{
    const struct line lines[] = {
        {"rows to train", split->n_train},
        {"rows to calibrate (validation)", split->n_validation},
        {"rows to test", split->n_test},
        {"held out of training and too close to it to test with", split->n_unused},
        {"categories with test rows", split->n_test_categories},
        {"categories too small to be split, which train with all rows", split->n_rare_categories},
        {"rows in them", split->n_rare_rows},
        {"rows without a date, which train", split->n_undated},
    };
    time_t from = (time_t)split->test_from_s;
    struct tm tm;
    char day[32];
    jc_buf_puts(out, "<div class=\"card\"><h3>Split</h3>\n");
    put_leak(out, split);
    put_lines(out, lines, JC_COUNT(lines));
    if (from && gmtime_r(&from, &tm) && strftime(day, sizeof(day), "%Y-%m-%d %H:%M", &tm))
        jc_buf_printf(out, "<p class=\"soft\">Rows from %s UTC on are the test rows.</p>\n", day);
    jc_buf_puts(out, "</div>\n");
}

static void put_facts(struct jc_buf *out, const struct jc_data_report *data)
{
    jc_buf_puts(out, "<div class=\"facts\">\n");
    put_fact(out, "rows", data->n_rows);
    if (data->n_auxiliary)
        put_fact(out, "of them of sources that only train", data->n_auxiliary);
    if (data->n_cut)
        put_fact(out, "more, cut from bodies", data->n_cut);
    put_fact(out, "categories", data->n_categories);
    put_fact(out, "distinct texts", data->n_texts);
    put_fact(out, "duplicate rows", data->n_duplicates);
    put_fact(out, "rows without text, left out", data->n_empty);
    jc_buf_puts(out, "</div>\n");
}

void jc_report_put_data(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_data_report *data = content->data_report;
    jc_buf_puts(out, "<h2 id=\"data\">Data</h2>\n");
    put_facts(out, data);
    jc_buf_puts(out, "<div class=\"grid\">\n");
    if (content->read && content->read->n_rows)
        put_read(out, content->read);
    if (content->split)
        put_split(out, content->split);
    put_sizes(out, data);
    if (data->has_tokens)
        put_tokens(out, data);
    put_ambiguous(out, content);
    jc_buf_puts(out, "</div>\n");
    if (content->mislabelled)
        jc_report_put_mislabelled(out, content);
}
