/* What the data is like, before anything is learned from it. */
#ifndef JC_TRAINER_DATA_REPORT_H
#define JC_TRAINER_DATA_REPORT_H

#include "trainer/data/dataset.h"
#include "trainer/measure/size_bin.h"

enum { JC_TOKEN_BINS = 33, JC_AMBIGUOUS_TEXTS = 10 };

/* A text that stands under several codes. */
struct jc_ambiguous_text {
    uint32_t text; /* number in the dataset's texts */
    uint32_t n_rows, n_categories;
};

struct jc_data_report {
    size_t n_rows;       /* without those cut from bodies: they count nowhere but in n_cut */
    size_t n_auxiliary;  /* of them of sources that only ever train */
    size_t n_cut;        /* rows cut from the bodies of others */
    size_t n_empty;      /* rows left out because nothing was left of their text */
    size_t n_categories; /* with or without rows: sizes[0] have none */
    size_t n_texts;      /* distinct */
    struct {
        size_t n_categories, n_rows;
    } sizes[JC_SIZE_BINS]; /* by jc_data_report_count */
    size_t n_duplicates;   /* rows whose text and category an earlier row has */
    size_t n_ambiguous_texts, n_ambiguous_rows;
    double
        ceiling; /* the best top-1 accuracy that a title alone allows: sum over texts of the largest code's rows / n */
    struct jc_ambiguous_text ambiguous[JC_AMBIGUOUS_TEXTS]; /* most categories first */
    size_t n_ambiguous;                                     /* how many are listed */
    bool has_tokens;
    size_t tokens[JC_TOKEN_BINS]; /* rows by length in tokens; the last bin is JC_TOKEN_BINS - 1 and more */
    size_t max_tokens;
    double mean_tokens;
};

/* Of the examples whose role is among `roles`. token_lengths: [texts], with special tokens, or NULL.
 * Errors: INVALID (no rows), NOMEM. */
JC_MUST_CHECK jc_code jc_data_report_compute(const struct jc_dataset *dataset, unsigned roles,
                                             const uint32_t *token_lengths, struct jc_data_report *ret_report,
                                             struct jc_err *err);

/* ret_counts: [n_categories], the examples of each whose role is among `roles`. What was cut from a body or comes from
 * a source that only ever trains does not count: so a category is of the same size with and without such help, and runs
 * can be compared by size. */
void jc_data_report_count(const struct jc_dataset *dataset, unsigned roles, uint32_t *ret_counts);

#endif
