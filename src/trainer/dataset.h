/*
 * What a model is made from: categories, and examples, each a text of a category. Texts are cleaned as in serving and
 * stored once; an example names its text by number. Filled by the steps read, clean and split; then it stands still.
 */
#ifndef JC_TRAINER_DATASET_H
#define JC_TRAINER_DATASET_H

#include <stdbool.h>

#include "artifact/bundle.h"
#include "data/onet.h"
#include "trainer/config.h"
#include "trainer/texts.h"

/* What the split made of an example. Bits: a method is fitted on a set of roles. */
enum jc_role {
    JC_ROLE_TRAIN = 1,
    JC_ROLE_TEST = 2,
    JC_ROLE_UNUSED = 4,     /* held out of training, and too close to a training title to test with */
    JC_ROLE_VALIDATION = 8, /* of the training rows, those that calibrate */
    JC_ROLE_ANY = 15,
};

struct jc_example {
    const char *raw;    /* as the source has it; of the source */
    uint32_t category;  /* index into categories */
    uint32_t text;      /* number in texts */
    uint32_t n_sources; /* how many sources know it: the more, the more common a title */
    enum jc_role role;
    bool from_postings; /* known from employers' postings */
};

struct jc_dataset {
    struct jc_onet *onet; /* owns the strings of categories and examples */
    struct jc_category *categories;
    size_t n_categories;
    struct jc_example *examples;
    size_t n_examples, cap_examples;
    size_t n_empty;   /* rows without usable text: left out */
    uint32_t *labels; /* [n_categories]: the text that stands for a category in the method `direct` */
    struct jc_texts *texts;
};

/* NULL when out of memory. */
struct jc_dataset *jc_dataset_create(void);
void jc_dataset_destroy(struct jc_dataset *dataset);
JC_DEFINE_AUTO(jc_dataset)

JC_MUST_CHECK jc_code jc_dataset_add(struct jc_dataset *dataset, const struct jc_example *example, struct jc_err *err);

/* How many examples have one of `roles`. */
size_t jc_dataset_count(const struct jc_dataset *dataset, unsigned roles);

/* Reads the configured sources. Errors: as jc_onet_load; NOT_FOUND where no source is named. */
JC_MUST_CHECK jc_code jc_dataset_read(struct jc_dataset *dataset, const struct jc_train_config *config,
                                      struct jc_err *err);

/* Fills texts, each example's text, and labels; drops examples that have none. Errors: INVALID, FORMAT, NOMEM. */
JC_MUST_CHECK jc_code jc_dataset_clean(struct jc_dataset *dataset, enum jc_direct_text label, struct jc_err *err);

#endif
