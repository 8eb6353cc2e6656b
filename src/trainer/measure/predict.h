/* A head's predictions for the examples of a dataset. */
#ifndef JC_TRAINER_PREDICT_H
#define JC_TRAINER_PREDICT_H

#include "trainer/measure/prediction.h"
#include "trainer/methods/method.h"

/* The rank of `right`, from 1: categories with a higher score stand before it, and of equal ones those with a lower
 * index, as in jc_topk. */
size_t jc_predict_rank(const float *scores, size_t n_categories, size_t right);

/* Calls visit, for rows only (jc_example_is_row), with the scores [n_categories] of every example whose role is among
 * `roles`, in the order of the examples and in the caller's thread; the scoring itself is shared by data->n_threads.
 * Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_predict_visit(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                                       void (*visit)(void *context, size_t i_example, const float *scores),
                                       void *context, struct jc_err *err);

/* ret_predictions [*ret_n], in the order of the examples; free with free(). Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_predict(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                                 struct jc_prediction **ret_predictions, size_t *ret_n, struct jc_err *err);

#endif
