/* How good embeddings are: examples are scored against all categories, and the rank of the right one is counted. */
#ifndef JC_TRAINER_METRICS_H
#define JC_TRAINER_METRICS_H

#include "trainer/method.h"

struct jc_metrics {
    size_t n;                        /* examples measured */
    double top_1, top_3, top_5, mrr; /* shares of n; the mean of 1 / rank */
};

/* The rank of `right`, from 1: categories with a higher score stand before it, and of equal ones those with a lower
 * index, as in jc_topk. */
size_t jc_metrics_rank(const float *scores, size_t n_categories, size_t right);

/* Calls visit with the scores [n_categories] of every example whose role is among `roles`. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_metrics_visit(const struct jc_train_data *data, const float *embeddings, unsigned roles,
                                       void (*visit)(void *context, size_t i_example, const float *scores),
                                       void *context, struct jc_err *err);

/* Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_metrics_measure(const struct jc_train_data *data, const float *embeddings, unsigned roles,
                                         struct jc_metrics *ret_metrics, struct jc_err *err);

#endif
