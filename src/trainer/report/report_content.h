/*
 * The report of a training run: what goes into it, and the two forms it is written in, report.json for programs and
 * report.html for people: one file, no network, no script needed to read it. Threads: any.
 */
#ifndef JC_TRAINER_REPORT_CONTENT_H
#define JC_TRAINER_REPORT_CONTENT_H

#include "trainer/data/read.h"
#include "trainer/data/split.h"
#include "trainer/measure/compare.h"
#include "trainer/measure/data_report.h"
#include "trainer/measure/evaluation.h"
#include "trainer/measure/mislabelled.h"
#include "trainer/methods/curve.h"

struct jc_report_method {
    const char *name;
    const struct jc_evaluation *evaluation;
    const struct jc_evaluation *validation;  /* NULL: none */
    const struct jc_prediction *predictions; /* [evaluation->n] */
    double fit_seconds, predict_seconds;     /* without encoding; not finite = not measured */
    const struct jc_curve *curve;            /* NULL, or without epochs: the method has none */
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
    const uint32_t *n_train; /* [n_categories] training rows: jc_data_report_count */
    const struct jc_data_report *data_report;
    const struct jc_read_report *read; /* NULL, as the next two: the report says nothing of it */
    const struct jc_split_report *split;
    const struct jc_mislabelled *mislabelled;
    const struct jc_report_method *methods; /* one or more */
    size_t n_methods;
    size_t i_chosen; /* the method that the details are about */
    const struct jc_report_comparison *comparisons;
    size_t n_comparisons;
    double encode_seconds;
    size_t n_encoded; /* texts */
};

/* What a run with this method alone takes: encoding, fit and prediction. Not finite where one was not measured. */
static inline double jc_report_total_seconds(const struct jc_report_content *content,
                                             const struct jc_report_method *method)
{
    return content->encode_seconds + method->fit_seconds + method->predict_seconds;
}

/* Append the document. */
void jc_report_put_json(struct jc_buf *out, const struct jc_report_content *content);
void jc_report_put_html(struct jc_buf *out, const struct jc_report_content *content);

/* Writes `folder`/report.json and `folder`/report.html, each whole or not at all. Errors: IO, NOMEM, TOO_LARGE. */
JC_MUST_CHECK jc_code jc_report_write(const char *folder, const struct jc_report_content *content, struct jc_err *err);

#endif
