/* The step `read`: the configured sources become categories and examples. */
#ifndef JC_TRAINER_READ_H
#define JC_TRAINER_READ_H

#include "trainer/config.h"
#include "trainer/data/dataset.h"

/* What became of the rows of the postings. */
struct jc_read_report {
    uint64_t n_rows;         /* good and bad */
    uint64_t n_bad;          /* in rejects.csv */
    uint64_t n_unclassified; /* left out, or kept as a class: as configured */
    uint64_t n_unknown;      /* of codes that no list or crosswalk has, left out or kept; without a list none is */
    uint64_t n_mapped;       /* taken to new codes by the crosswalk */
    uint64_t n_parted;       /* of codes that became several, and for that left out */
    uint64_t n_undated;      /* that became examples, without a date that can be read */
    uint64_t n_sentences;    /* examples cut from bodies */
};

/* Categories are those of the O*NET release and of source.categories, and what codes.unknown: keep adds; those of the
 * postings where neither is named. A code that is no category is looked up in the crosswalk, and then: a new code that
 * is no category either is made one where codes are kept, and passed over where they are not.
 * Errors: as jc_onet_load, jc_postings_open; NOT_FOUND where no source is named;
 * FORMAT where there are too many bad rows (rejects.csv is published all the same); INVALID. */
JC_MUST_CHECK jc_code jc_read(const struct jc_train_config *config, struct jc_dataset *dataset,
                              struct jc_read_report *ret_report, struct jc_err *err);

/* read_onet.c. Occupations become categories, and rows as the configuration says. */
JC_MUST_CHECK jc_code jc_read_onet(const struct jc_train_config *config, const char *folder, struct jc_dataset *dataset,
                                   struct jc_err *err);

/* read_postings.c. All files, in their order. */
JC_MUST_CHECK jc_code jc_read_postings(const struct jc_train_config *config, struct jc_dataset *dataset,
                                       struct jc_read_report *report, struct jc_err *err);

#endif
