/* Methods: how examples become a head. One file a method; the table is in method.c. */
#ifndef JC_TRAINER_METHOD_H
#define JC_TRAINER_METHOD_H

#include <stdio.h>

#include "artifact/head.h"
#include "trainer/data/dataset.h"
#include "trainer/data/tokens.h"
#include "trainer/methods/curve.h"

struct jc_train_config;

/* Examples, and the vectors and tokens of their texts. Borrowed. */
struct jc_train_data {
    const struct jc_dataset *dataset;
    const float *vectors;           /* unit rows [...][dim]; jc_train_vector knows which is whose */
    const uint32_t *rows;           /* [texts]: the row of a text; NULL: its own number */
    const struct jc_tokens *tokens; /* of the texts; methods without a lexicon do without */
    size_t dim;
    unsigned n_threads;
    const struct jc_train_config *config; /* of the methods that have settings */
};

/* The vector of a text, [dim]. */
static inline const float *jc_train_vector(const struct jc_train_data *data, size_t text)
{
    return data->vectors + (data->rows ? data->rows[text] : text) * data->dim;
}

/* What a method is asked to do. Borrowed. */
struct jc_fit {
    const struct jc_train_data *data;
    unsigned roles;              /* it is fitted on the examples that have one of these */
    unsigned watch;              /* examples that choose what it chooses (when to stop, weights of a blend); 0: none, it
                                    takes what its settings or `start` say */
    const struct jc_head *start; /* a head of the same method, fitted on some of these examples: to go on from, which
                                    may be cheaper; NULL: none */
    struct jc_curve *curve;      /* takes the losses after each epoch, of a method that has epochs; NULL: not wanted */
};

struct jc_method {
    const char *name;
    const char *help;
    float sharpness; /* before calibration */
    /* Fits a head, which it initialises. After a failure the caller finishes it. */
    jc_code (*fit)(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err);
};

extern const struct jc_method jc_method_direct;
extern const struct jc_method jc_method_average;
extern const struct jc_method jc_method_softmax;
extern const struct jc_method jc_method_nearest;
extern const struct jc_method jc_method_exemplar;
extern const struct jc_method jc_method_blend;
extern const struct jc_method jc_method_contrastive;
extern const struct jc_method jc_method_contrastive_published;

/* A line for each method: name and help. */
void jc_method_print_help(FILE *out);

/* Errors: INVALID, listing the methods there are. */
JC_MUST_CHECK jc_code jc_method_find(const char *name, const struct jc_method **ret_method, struct jc_err *err);

/* ret_head: free with jc_head_finish. Errors: INVALID (a start that does not fit the data), MODEL (not finite),
 * NOMEM. */
JC_MUST_CHECK jc_code jc_method_fit(const struct jc_method *method, const struct jc_fit *fit, struct jc_head *ret_head,
                                    double *ret_seconds, struct jc_err *err);

/* A head of zeros without a lexicon. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_method_plain_head(const struct jc_train_data *data, struct jc_head *head, struct jc_err *err);

/* Takes over what `start`, a fit->start, knows: its categories, and those of its features that `head` has. */
void jc_method_copy_start(const struct jc_head *start, struct jc_head *head);

/* Each category's normalised weighted mean of its examples' vectors into the head's embeddings; the vector of its label
 * where it has none. What `average` is, and what the others start from. */
void jc_method_average_rows(const struct jc_train_data *data, unsigned roles, struct jc_head *head);

#endif
