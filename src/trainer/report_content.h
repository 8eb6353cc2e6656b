/*
 * The report of a training run: what goes into it, and the two forms it is written in, report.json for programs and
 * report.html for people: one file, no network, no script needed to read it. Threads: any.
 */
#ifndef JC_TRAINER_REPORT_CONTENT_H
#define JC_TRAINER_REPORT_CONTENT_H

#include "trainer/compare.h"
#include "trainer/data_report.h"
#include "trainer/evaluation.h"

/* Losses after each epoch. */
struct jc_curve {
    const char *method;
    size_t n_epochs;
    const double *train;      /* [n_epochs] */
    const double *validation; /* [n_epochs], or NULL */
};

struct jc_report_method {
    const char *name;
    const struct jc_evaluation *evaluation;
    const struct jc_prediction *predictions; /* [evaluation->n] */
    double fit_seconds, predict_seconds;     /* without encoding; not finite = not measured */
};

/* How `b` compares with `a`. */
struct jc_report_comparison {
    const char *a, *b;
    const struct jc_comparison *comparison;
    double margin;
};

/* Borrowed for the call. Texts may be hostile. */
struct jc_report_content {
    const char *model;       /* "onet-30.1" */
    const char *version;     /* of the bundle; NULL where none was published */
    const char *data;        /* "O*NET 30.1" */
    const char *encoder;     /* "all-MiniLM-L6-v2" */
    const char *date;        /* jc_clock_utc */
    const char *measured_on; /* "validation", "test" */
    const char *attribution; /* may be "" */
    const struct jc_dataset *dataset;
    const uint32_t *n_train; /* [n_categories] training rows */
    const struct jc_data_report *data_report;
    const struct jc_report_method *methods; /* one or more */
    size_t n_methods;
    size_t i_chosen; /* the method that the details are about */
    const struct jc_curve *curves;
    size_t n_curves;
    const struct jc_report_comparison *comparisons;
    size_t n_comparisons;
    double encode_seconds;
    size_t n_encoded; /* texts */
};

/* Append the document. */
void jc_report_put_json(struct jc_buf *out, const struct jc_report_content *content);
void jc_report_put_html(struct jc_buf *out, const struct jc_report_content *content);

/* Writes `folder`/report.json and `folder`/report.html, each whole or not at all. Errors: IO, NOMEM, TOO_LARGE. */
JC_MUST_CHECK jc_code jc_report_write(const char *folder, const struct jc_report_content *content, struct jc_err *err);

#endif
