/*
 * Rows that are likely mislabelled: all other rows say with confidence that they belong elsewhere. Cross-validation
 * leaving one out (Northcutt, Jiang, Chuang 2021, Confident learning): a row's title is compared with the mean vector
 * of every category, its own without all rows of that title, and a softmax, whose sharpness is the likeliest over the
 * rows checked, makes probabilities of the cosines.
 */
#ifndef JC_TRAINER_MISLABELLED_H
#define JC_TRAINER_MISLABELLED_H

#include "trainer/methods/method.h"

enum { JC_SUSPECTS = 50 };

/* The rows of one title in one category are suspect where another category is JC_SUSPECT_OTHER likely and their own
 * JC_SUSPECT_OWN at most, and the title does not also stand under the other one. Where probabilities mean what they
 * say, at most one in twenty of rows that are so unlikely is where it belongs; one other category that explains nearly
 * all of the rest keeps rows out that merely lie between many. */
#define JC_SUSPECT_OTHER .8
#define JC_SUSPECT_OWN .05

/* Rows of other titles that a category must have for a verdict on its rows, and to be suggested. */
enum { JC_SUSPECT_ROWS = 3 };

struct jc_suspect {
    uint32_t example;      /* the first of the rows */
    uint32_t n_rows;       /* alike */
    uint32_t suggested;    /* category */
    float probability;     /* of it */
    float own_probability; /* of the category that the rows are in */
};

struct jc_mislabelled {
    size_t n_rows;                           /* that could be checked: their category has others to compare with */
    size_t n_checked;                        /* of them: all, or an even part, about JC_SUSPECT_TITLES titles */
    size_t n_suspect;                        /* rows */
    float sharpness;                         /* 0: nothing was checked */
    struct jc_suspect suspects[JC_SUSPECTS]; /* the surest first */
    size_t n_suspects;                       /* how many are listed */
};

enum { JC_SUSPECT_TITLES = 200000 };

/* Over the examples of `roles`; what was cut from a body is neither checked nor compared with. The number of threads
 * does not change the result. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_mislabelled_find(const struct jc_train_data *data, unsigned roles,
                                          struct jc_mislabelled *ret_mislabelled, struct jc_err *err);

#endif
