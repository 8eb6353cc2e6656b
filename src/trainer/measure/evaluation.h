/*
 * How good a model is, from its predictions alone: ranks, per category and group, how far its confidence can be
 * trusted, and what it confuses. Plain data; free with jc_evaluation_finish. Threads: any.
 */
#ifndef JC_TRAINER_EVALUATION_H
#define JC_TRAINER_EVALUATION_H

#include "artifact/bundle.h"
#include "trainer/measure/bootstrap.h"
#include "trainer/measure/prediction.h"
#include "trainer/measure/size_bin.h"

enum {
    JC_CALIBRATION_BINS = 15,
    JC_COVERAGE_POINTS = 100,
    JC_THRESHOLDS = 5,
    JC_PAIR_EXAMPLES = 3,
    JC_CONFUSED_PAIRS = 20,
};

/* Rows and how many of them had the right category first, and among the first five. */
struct jc_tally {
    uint32_t n, n_top_1, n_top_5;
};

/* Categories by the training rows they have: jc_size_bin_name. */
struct jc_size_result {
    size_t n_categories; /* of the model, tested or not */
    struct jc_tally rows;
};

/* A SOC major group: the first two digits of a code; "??" where a code does not begin with two digits and '-'. */
struct jc_group_result {
    char code[3];
    struct jc_tally rows;
};

/* Rows whose confidence is in (i / 15, (i + 1) / 15]. */
struct jc_calibration_bin {
    size_t n;
    double confidence, accuracy; /* means; 0 where n is 0 */
};

/* What is answered when only confidences >= threshold are: rows of equal confidence stand or fall together. */
struct jc_coverage_point {
    double threshold;
    double coverage;  /* share of the rows that are answered */
    double precision; /* share of those that are right */
};

/* The widest coverage whose precision is at least `target`; point.coverage is 0 where none has. */
struct jc_threshold {
    double target;
    struct jc_coverage_point point;
};

struct jc_confused_pair {
    uint32_t right, answered;            /* categories */
    uint32_t n;                          /* rows of `right` answered with `answered` */
    uint32_t examples[JC_PAIR_EXAMPLES]; /* the first min(n, JC_PAIR_EXAMPLES): index into the predictions */
};

struct jc_evaluation {
    size_t n; /* rows */
    struct jc_estimate top_1, top_3, top_5, mrr;
    double top_10;
    double macro_accuracy;    /* mean top-1 over the categories that have rows */
    size_t n_tested;          /* how many categories have rows */
    double brier;             /* mean over rows of the sum over categories of (probability - truth)^2: Brier 1950 */
    double ece;               /* Naeini, Cooper, Hauskrecht 2015; the bins are those of Guo et al. 2017, eq. 3 */
    double precision_at_half; /* at the first threshold that covers half of the rows */
    struct jc_calibration_bin bins[JC_CALIBRATION_BINS];
    struct jc_coverage_point coverage[JC_COVERAGE_POINTS]; /* falling threshold; the last one covers every row */
    size_t n_coverage;
    struct jc_threshold thresholds[JC_THRESHOLDS]; /* for precision .5, .6, .7, .8, .9 */
    struct jc_size_result sizes[JC_SIZE_BINS];
    struct jc_tally *categories; /* [n_categories] */
    size_t n_categories;
    struct jc_group_result *groups; /* by code */
    size_t n_groups;
    uint32_t *group_confusion;                        /* [n_groups right][n_groups answered] rows */
    struct jc_confused_pair pairs[JC_CONFUSED_PAIRS]; /* most rows first */
    size_t n_pairs;
};

struct jc_evaluation_input {
    const struct jc_prediction *predictions;
    size_t n;
    const struct jc_category *categories;
    const uint32_t *n_train; /* [n_categories] training rows: jc_data_report_count */
    size_t n_categories;
    uint64_t seed; /* of the bootstrap */
};

/* Errors: INVALID (no rows, or a prediction that contradicts itself), NOMEM. */
JC_MUST_CHECK jc_code jc_evaluation_compute(const struct jc_evaluation_input *input,
                                            struct jc_evaluation *ret_evaluation, struct jc_err *err);

void jc_evaluation_finish(struct jc_evaluation *evaluation);

/* The index in groups of a category's code, which is one of those evaluated. */
size_t jc_evaluation_group_of(const struct jc_evaluation *evaluation, const char *code);

/* 0 where there are no rows. */
double jc_tally_top_1(const struct jc_tally *tally);
double jc_tally_top_5(const struct jc_tally *tally);

#endif
