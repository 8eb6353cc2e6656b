/* What the files of the split share: titles by number, draws, and the rules between rows of one title. */
#ifndef JC_TRAINER_SPLIT_IMPL_H
#define JC_TRAINER_SPLIT_IMPL_H

#include "trainer/config.h"
#include "trainer/data/split.h"

/* The normal forms of the dataset's texts. A 64-bit hash stands for a form: among 1,000,000 two share one by chance
 * once in 37 million data sets, and are then one title. */
struct jc_split_titles {
    size_t n;
    uint32_t *of_text; /* [texts]: the title of each text */
    uint64_t *hashes;  /* [n], ascending */
    uint8_t *roles;    /* [n]: bits, the roles its examples have; see jc_split_mark */
};

/* On failure too: finish it. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_split_titles_init(struct jc_split_titles *titles, const struct jc_dataset *dataset,
                                           struct jc_err *err);
void jc_split_titles_finish(struct jc_split_titles *titles);

static inline uint32_t jc_split_title(const struct jc_split_titles *titles, const struct jc_example *example)
{
    return titles->of_text[example->text];
}

/* Draws of one seed for different ends do not repeat each other: else what is left after a test set was drawn would
 * have no validation titles. */
enum jc_split_purpose { JC_SPLIT_FOR_TEST, JC_SPLIT_FOR_VALIDATION, JC_SPLIT_FOR_ROUNDING };
uint64_t jc_split_draw(uint64_t hash, uint64_t seed, enum jc_split_purpose purpose);

/* A draw as a number in [0, 1). */
static inline double jc_split_unit(uint64_t draw)
{
    return (double)(draw >> 11) * 0x1.0p-53;
}

/* Does a split place it by itself? */
static inline bool jc_split_is_drawn(const struct jc_example *example)
{
    return jc_example_is_row(example) && !example->auxiliary;
}

/* Fills titles->roles, by all examples or by those that were not cut from a body. */
void jc_split_mark(const struct jc_dataset *dataset, bool with_cut, struct jc_split_titles *titles);

/* Training examples that were cut from a body follow their posting, once it has its role. Where the text is a title of
 * one of the roles `apart`, or validates and trains too, they are unused. Marks anew. */
void jc_split_follow(struct jc_dataset *dataset, struct jc_split_titles *titles, unsigned apart);

/* These make test rows of training rows. */
JC_MUST_CHECK jc_code jc_split_random(struct jc_dataset *dataset, const struct jc_split_titles *titles,
                                      const struct jc_split_config *config, struct jc_err *err);
JC_MUST_CHECK jc_code jc_split_stratified(struct jc_dataset *dataset, const struct jc_split_titles *titles,
                                          const struct jc_split_config *config, struct jc_split_report *report,
                                          struct jc_err *err);
JC_MUST_CHECK jc_code jc_split_time(struct jc_dataset *dataset, const struct jc_split_config *config,
                                    struct jc_split_report *report, struct jc_err *err);

#endif
