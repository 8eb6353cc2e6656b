/* Methods: how examples become an embedding a category. One file a method; the table is in method.c. */
#ifndef JC_TRAINER_METHOD_H
#define JC_TRAINER_METHOD_H

#include "trainer/dataset.h"

/* Examples and the vectors of their texts. Borrowed. */
struct jc_train_data {
    const struct jc_dataset *dataset;
    const float *vectors; /* [texts][dim], unit rows */
    size_t dim;
};

struct jc_method {
    const char *name;
    /* Fits on the examples whose role is among `roles`. ret_embeddings: [n_categories][dim], unit rows, zeroed by the
     * caller. A category without such an example gets the vector of its label. */
    jc_code (*fit)(const struct jc_train_data *data, unsigned roles, float *ret_embeddings, struct jc_err *err);
};

extern const struct jc_method jc_method_direct;
extern const struct jc_method jc_method_average;

/* Errors: INVALID, listing the methods there are. */
JC_MUST_CHECK jc_code jc_method_find(const char *name, const struct jc_method **ret_method, struct jc_err *err);

/* ret_embeddings: free with free(). */
JC_MUST_CHECK jc_code jc_method_fit(const struct jc_method *method, const struct jc_train_data *data, unsigned roles,
                                    float **ret_embeddings, double *ret_seconds, struct jc_err *err);

#endif
