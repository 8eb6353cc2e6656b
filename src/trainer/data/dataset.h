/*
 * What a model is made from: categories, and examples, each a text of a category. Texts are cleaned as in serving and
 * stored once; an example names its text by number. Filled by the steps read and split; then it stands still.
 * Threads: one writer.
 */
#ifndef JC_TRAINER_DATASET_H
#define JC_TRAINER_DATASET_H

#include <stdbool.h>

#include "artifact/bundle.h"
#include "text/posting.h"
#include "trainer/data/texts.h"

/* What the split made of an example. Bits: a method is fitted on a set of roles. */
enum jc_role {
    JC_ROLE_TRAIN = 1,
    JC_ROLE_TEST = 2,
    JC_ROLE_UNUSED = 4,     /* held out of training, and too close to a training text to test with */
    JC_ROLE_VALIDATION = 8, /* of the training rows, those that calibrate */
    JC_ROLE_ANY = 15,
};

#define JC_EXAMPLE_NO_PARENT UINT32_MAX

struct jc_example {
    uint32_t category;  /* index into categories */
    uint32_t text;      /* number in texts */
    uint32_t parent;    /* the example whose body it was cut from, before it in the list: it trains where that does and
                           never tests. JC_EXAMPLE_NO_PARENT: it is a row of its own */
    uint32_t n_sources; /* how many sources know it: the more, the more common a title */
    float weight;       /* how much it counts in training; > 0 */
    enum jc_role role;
    enum jc_role asked; /* the role that the row asks for in its own column; 0: none */
    bool auxiliary;     /* of a source that only ever trains */
    bool from_postings; /* an O*NET title known from employers' postings */
    int64_t posted_s;   /* seconds since 1970-01-01 UTC; 0: not known */
};

/* Is it a row of a source, and not cut from the body of one? What is cut from bodies only trains. */
static inline bool jc_example_is_row(const struct jc_example *example)
{
    return example->parent == JC_EXAMPLE_NO_PARENT;
}

struct jc_dataset {
    struct jc_category *categories; /* in the order they were added */
    size_t n_categories;
    struct jc_example *examples;
    size_t n_examples;
    size_t n_empty;   /* rows without usable text: left out */
    uint32_t *labels; /* [n_categories]: the text that stands for a category in the method `direct` */
    struct jc_texts *texts;

    size_t cap_categories, cap_examples;
    struct jc_texts *codes; /* number of a code = index of its category */
    struct jc_buf scratch;
};

/* NULL when out of memory. */
struct jc_dataset *jc_dataset_create(void);
void jc_dataset_destroy(struct jc_dataset *dataset);
JC_DEFINE_AUTO(jc_dataset)

/* Adds a category, or finds the one that has the code. `label` is what stands for it in the method `direct`, a raw
 * title; the category's title where it is NULL. Errors: INVALID (a label that is not UTF-8), FORMAT (one without text,
 * a code or title that a bundle cannot hold), NOMEM. */
JC_MUST_CHECK jc_code jc_dataset_add_category(struct jc_dataset *dataset, const char *code, const char *title,
                                              const char *label, uint32_t *ret_category, struct jc_err *err);

/* False where no category has the code. */
bool jc_dataset_find_category(const struct jc_dataset *dataset, const char *code, uint32_t *ret_category);

/* Errors: NOMEM, TOO_LARGE (over 2^31 examples). */
JC_MUST_CHECK jc_code jc_dataset_add(struct jc_dataset *dataset, const struct jc_example *example, struct jc_err *err);

/* A raw title of the example's category, cleaned as serving does; it becomes the example's text. One of which nothing
 * is left is counted in n_empty. Errors: INVALID (not UTF-8), NOMEM, TOO_LARGE. */
JC_MUST_CHECK jc_code jc_dataset_add_title(struct jc_dataset *dataset, const char *title, struct jc_example example,
                                           struct jc_err *err);

/* The cleaned text of example i. */
const char *jc_dataset_example_text(const struct jc_dataset *dataset, size_t i);

/* How many examples have one of `roles`. */
size_t jc_dataset_count(const struct jc_dataset *dataset, unsigned roles);

#endif
