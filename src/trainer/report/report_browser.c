/* report.html: the mistakes, by major group, category and title, folded, so that a phone can find its way. */
#include "model/soc_major.h"
#include "trainer/report/markup.h"
#include "trainer/report/report_impl.h"

enum { MAX_MISTAKES = 20 }; /* listed of a category */

/* The categories of each group, and the mistakes of each category: lists linked through next_...[], in the order of the
 * dataset and of the predictions. Entries are an index + 1; 0 ends a list. */
struct browser {
    const struct jc_report_content *content;
    const struct jc_report_method *method;
    uint32_t *first_category; /* [n_groups] */
    uint32_t *next_category;  /* [n_categories] */
    uint32_t *first_mistake;  /* [n_categories] */
    uint32_t *next_mistake;   /* [n] */
};

static void browser_finish(struct browser *browser)
{
    free(browser->first_category);
    free(browser->next_category);
    free(browser->first_mistake);
    free(browser->next_mistake);
}

static bool browser_init(struct browser *browser, const struct jc_report_content *content)
{
    const struct jc_report_method *method = &content->methods[content->i_chosen];
    const struct jc_evaluation *e = method->evaluation;
    *browser = (struct browser){.content = content,
                                .method = method,
                                .first_category = calloc(e->n_groups + 1, sizeof(uint32_t)),
                                .next_category = calloc(e->n_categories + 1, sizeof(uint32_t)),
                                .first_mistake = calloc(e->n_categories + 1, sizeof(uint32_t)),
                                .next_mistake = calloc(e->n + 1, sizeof(uint32_t))};
    if (!browser->first_category || !browser->next_category || !browser->first_mistake || !browser->next_mistake)
        return false;
    for (size_t i = e->n; i-- > 0;) {
        const struct jc_prediction *p = &method->predictions[i];
        if (p->rank == 1)
            continue;
        browser->next_mistake[i] = browser->first_mistake[p->category];
        browser->first_mistake[p->category] = (uint32_t)i + 1;
    }
    for (size_t c = e->n_categories; c-- > 0;) {
        size_t group = jc_evaluation_group_of(e, content->dataset->categories[c].code);
        if (!browser->first_mistake[c])
            continue;
        browser->next_category[c] = browser->first_category[group];
        browser->first_category[group] = (uint32_t)c + 1;
    }
    return true;
}

static void put_mistakes(struct jc_buf *out, const struct browser *browser, size_t category)
{
    const struct jc_tally *tally = &browser->method->evaluation->categories[category];
    size_t n_listed = 0;
    jc_buf_puts(out, "<ul>\n");
    for (uint32_t at = browser->first_mistake[category]; at && n_listed < MAX_MISTAKES;
         at = browser->next_mistake[at - 1]) {
        const struct jc_prediction *p = &browser->method->predictions[at - 1];
        jc_buf_puts(out, "<li><b>");
        jc_report_put_title(out, browser->content, p->example);
        jc_buf_puts(out, "</b> answered as ");
        jc_report_put_category(out, browser->content, p->hits[0].index);
        jc_buf_printf(out, " <small>confidence %.2f, right one at rank %u</small></li>\n", (double)p->confidence,
                      p->rank);
        n_listed++;
    }
    if (tally->n - tally->n_top_1 > n_listed)
        jc_buf_printf(out, "<li>and %zu more</li>\n", tally->n - tally->n_top_1 - n_listed);
    jc_buf_puts(out, "</ul>\n");
}

static void put_category(struct jc_buf *out, const struct browser *browser, size_t category)
{
    const struct jc_tally *tally = &browser->method->evaluation->categories[category];
    jc_buf_puts(out, "<details><summary>");
    jc_markup_put_text(out, browser->content->dataset->categories[category].code, 20);
    jc_buf_putc(out, ' ');
    jc_markup_put_text(out, browser->content->dataset->categories[category].title, JC_REPORT_TITLE_CHARS);
    jc_buf_printf(out, " <span class=\"soft\">%u of %u right, %u training rows</span></summary>\n", tally->n_top_1,
                  tally->n, browser->content->n_train[category]);
    put_mistakes(out, browser, category);
    jc_buf_puts(out, "</details>\n");
}

void jc_report_put_browser(struct jc_buf *out, const struct jc_report_content *content)
{
    const struct jc_evaluation *e = content->methods[content->i_chosen].evaluation;
    __attribute__((cleanup(browser_finish))) struct browser browser;
    if (!browser_init(&browser, content)) {
        out->failed = true; /* as any put that finds no memory */
        return;
    }
    jc_buf_printf(out,
                  "<h2 id=\"categories\">Mistakes by category</h2>\n<p class=\"soft\">Categories with rows answered "
                  "wrong, at most %d rows of each.</p>\n<div class=\"card\" id=\"browser\">"
                  "<input id=\"filter\" type=\"search\" placeholder=\"Filter by code or words\" "
                  "aria-label=\"Filter by code or words\" hidden>\n",
                  MAX_MISTAKES);
    for (size_t g = 0; g < e->n_groups; g++) {
        const struct jc_group_result *group = &e->groups[g];
        if (!browser.first_category[g])
            continue;
        jc_buf_printf(out, "<details><summary><b>%s</b> %s <span class=\"soft\">%u of %u right</span></summary>\n",
                      group->code, jc_soc_major_name(group->code), group->rows.n_top_1, group->rows.n);
        for (uint32_t at = browser.first_category[g]; at; at = browser.next_category[at - 1])
            put_category(out, &browser, at - 1);
        jc_buf_puts(out, "</details>\n");
    }
    jc_buf_puts(out, "</div>\n");
}
