/*
 * The margin loss against the hardest wrong category, and its training: of a row with the vector x, the category p and
 * the table w,
 *
 *     max(0, margin - cos(x, w[p]) + max over the categories n that are not the text's of cos(x, w[n]))
 *
 * averaged over a batch by the rows' weights; Adam on the whole table (Kingma and Ba 2015), rows without a gradient
 * coasting on their moments as in torch.optim.Adam.
 */
#ifndef JC_TRAINER_HINGE_H
#define JC_TRAINER_HINGE_H

#include <stdbool.h>

#include "trainer/methods/curve.h"
#include "trainer/methods/samples.h"

struct jc_hinge_row {
    const struct jc_sample *sample; /* its codes are no negatives */
    uint32_t category;
    float weight;
};

/* Borrowed. */
struct jc_hinge {
    const struct jc_hinge_row *rows, *watched; /* the validation loss is of `watched` */
    size_t n_rows, n_watched;
    size_t n_categories, dim;
    size_t epochs, batch;
    float margin, dropout, learning_rate;
    bool is_shuffled; /* rows come in another order each epoch */
    uint64_t seed;
    unsigned n_threads;
};

/* Trains table [n_categories][dim], whose rows are not 0, and adds the epochs' losses to `curve`, unless NULL. The
 * same seed and number of threads give the same table. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_hinge_train(const struct jc_hinge *hinge, float *table, struct jc_curve *curve,
                                     struct jc_err *err);

#endif
