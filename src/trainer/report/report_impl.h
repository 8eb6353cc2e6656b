/* The parts of report.html. Each appends to *out; texts of any origin go through jc_markup_put_text. */
#ifndef JC_TRAINER_REPORT_IMPL_H
#define JC_TRAINER_REPORT_IMPL_H

#include "trainer/report/report_content.h"

enum { JC_REPORT_TITLE_CHARS = 120 }; /* a title that is longer is cut */

/* report_style.c */
void jc_report_put_style(struct jc_buf *out);
void jc_report_put_script(struct jc_buf *out);

/* What the Content-Security-Policy lets run: "sha256-<base64>" of the script's text, so that nothing else does. */
extern const char jc_report_script_hash[];

/* report_methods.c */
void jc_report_put_methods(struct jc_buf *out, const struct jc_report_content *content);

/* report_charts.c */
void jc_report_put_method_bars(struct jc_buf *out, const struct jc_report_content *content);
/* with_b: the comparisons are not all of one method. */
void jc_report_put_differences(struct jc_buf *out, const struct jc_report_content *content, bool with_b);
void jc_report_put_curves(struct jc_buf *out, const struct jc_report_content *content);
void jc_report_put_sizes(struct jc_buf *out, const struct jc_evaluation *evaluation);
void jc_report_put_reliability(struct jc_buf *out, const struct jc_evaluation *evaluation);
void jc_report_put_coverage(struct jc_buf *out, const struct jc_evaluation *evaluation);
void jc_report_put_thresholds(struct jc_buf *out, const struct jc_evaluation *evaluation);

/* report_confusion.c */
void jc_report_put_groups(struct jc_buf *out, const struct jc_evaluation *evaluation);
void jc_report_put_pairs(struct jc_buf *out, const struct jc_report_content *content);

/* report_browser.c */
void jc_report_put_browser(struct jc_buf *out, const struct jc_report_content *content);

/* report_dataset.c */
void jc_report_put_data(struct jc_buf *out, const struct jc_report_content *content);

/* report_labels.c */
void jc_report_put_mislabelled(struct jc_buf *out, const struct jc_report_content *content);

/* Title and code of a category, and the text of an example. */
void jc_report_put_category(struct jc_buf *out, const struct jc_report_content *content, uint32_t category);
void jc_report_put_title(struct jc_buf *out, const struct jc_report_content *content, uint32_t example);

#endif
