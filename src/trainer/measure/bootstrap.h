/*
 * Bootstrap intervals of means: rows are drawn with replacement, and the spread of the redrawn means is the
 * uncertainty of the mean (percentile interval: Efron, Tibshirani 1993, An Introduction to the Bootstrap, ch. 13).
 * Several columns are drawn together. The same seed gives the same interval. Threads: any.
 */
#ifndef JC_TRAINER_BOOTSTRAP_H
#define JC_TRAINER_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { JC_BOOTSTRAP_RESAMPLES = 1000, JC_BOOTSTRAP_COLUMNS = 4 };

struct jc_estimate {
    double value;
    double low, high;    /* 95 % interval: the 2.5 % and 97.5 % quantiles */
    double lower, upper; /* 95 % one-sided bounds: the 5 % and 95 % quantiles */
};

/* values: [n][JC_BOOTSTRAP_COLUMNS], row-major, n > 0. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_bootstrap_means(const float *values, size_t n, uint64_t seed,
                                         struct jc_estimate ret_means[JC_BOOTSTRAP_COLUMNS], struct jc_err *err);

#endif
