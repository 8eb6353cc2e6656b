/* Methods: how examples become a head. One file a method; the table is in method.c. */
#ifndef JC_TRAINER_METHOD_H
#define JC_TRAINER_METHOD_H

#include "artifact/head.h"
#include "trainer/dataset.h"
#include "trainer/tokens.h"

/* Examples, and the vectors and tokens of their texts. Borrowed. */
struct jc_train_data {
    const struct jc_dataset *dataset;
    const float *vectors;           /* [texts][dim], unit rows */
    const struct jc_tokens *tokens; /* of the texts; methods without a lexicon do without */
    size_t dim;
    unsigned n_threads;
    const struct jc_train_config *config; /* of the methods that have settings */
};

struct jc_method {
    const char *name;
    float sharpness; /* before calibration */
    /* Fits on the examples whose role is among `roles`, into a head that it initialises. After a failure the caller
     * finishes it. */
    jc_code (*fit)(const struct jc_train_data *data, unsigned roles, struct jc_head *head, struct jc_err *err);
};

extern const struct jc_method jc_method_direct;
extern const struct jc_method jc_method_average;
extern const struct jc_method jc_method_softmax;

/* Errors: INVALID, listing the methods there are. */
JC_MUST_CHECK jc_code jc_method_find(const char *name, const struct jc_method **ret_method, struct jc_err *err);

/* ret_head: free with jc_head_finish. Errors: MODEL (not finite), NOMEM. */
JC_MUST_CHECK jc_code jc_method_fit(const struct jc_method *method, const struct jc_train_data *data, unsigned roles,
                                    struct jc_head *ret_head, double *ret_seconds, struct jc_err *err);

/* A head of zeros without a lexicon. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_method_plain_head(const struct jc_train_data *data, struct jc_head *head, struct jc_err *err);

/* Each category's normalised mean of its examples' vectors into the head's embeddings; the vector of its label where
 * it has none. What `average` is, and what the others start from. */
void jc_method_average_rows(const struct jc_train_data *data, unsigned roles, struct jc_head *head);

#endif
