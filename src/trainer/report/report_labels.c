/* report.html: rows that are likely mislabelled. */
#include "trainer/report/report_impl.h"

enum { UNFOLDED = 10 };

static void put_suspect(struct jc_buf *out, const struct jc_report_content *content, const struct jc_suspect *suspect)
{
    jc_buf_puts(out, "<li><b>");
    jc_report_put_title(out, content, suspect->example);
    jc_buf_puts(out, "</b> is labelled ");
    jc_report_put_category(out, content, content->dataset->examples[suspect->example].category);
    jc_buf_puts(out, ", looks like ");
    jc_report_put_category(out, content, suspect->suggested);
    jc_buf_printf(out, " <small>%.1f %% against %.1f %%", 100 * (double)suspect->probability,
                  100 * (double)suspect->own_probability);
    if (suspect->n_rows > 1)
        jc_buf_printf(out, ", %u rows", suspect->n_rows);
    jc_buf_puts(out, "</small></li>\n");
}

static void put_suspects(struct jc_buf *out, const struct jc_report_content *content, size_t begin, size_t end)
{
    jc_buf_puts(out, "<ul class=\"pairs\">\n");
    for (size_t i = begin; i < end; i++)
        put_suspect(out, content, &content->mislabelled->suspects[i]);
    jc_buf_puts(out, "</ul>\n");
}

void jc_report_put_mislabelled(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_mislabelled *found = content->mislabelled;
    size_t n = found->n_suspects, n_open = n < UNFOLDED ? n : UNFOLDED;
    jc_buf_printf(out,
                  "<div class=\"card\"><h3>Likely mislabelled</h3>\n<p class=\"soft\"><b>%zu</b> of %zu rows "
                  "checked%s: all other rows say with at least %.0f %% that they belong elsewhere, and with at most "
                  "%.0f %% that they are where they are.%s</p>\n",
                  found->n_suspect, found->n_checked, found->n_checked < found->n_rows ? ", an even part of all," : "",
                  100 * JC_SUSPECT_OTHER, 100 * JC_SUSPECT_OWN, n ? " Worth a look, the surest first:" : "");
    if (n)
        put_suspects(out, content, 0, n_open);
    if (n > n_open) {
        jc_buf_printf(out, "<details><summary>%zu more</summary>\n", n - n_open);
        put_suspects(out, content, n_open, n);
        jc_buf_puts(out, "</details>\n");
    }
    jc_buf_puts(out, "</div>\n");
}
