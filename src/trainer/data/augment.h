/*
 * More examples for rare categories: sentences of their postings' bodies, each an example of its own that goes where
 * its posting goes. Which categories are rare is known at the end of the reading: until then the sentences of the first
 * postings of each category are kept aside. Threads: one at a time.
 */
#ifndef JC_TRAINER_AUGMENT_H
#define JC_TRAINER_AUGMENT_H

#include "trainer/data/dataset.h"

struct jc_augment;

/* For categories of fewer than `rows` postings, at most `sentences` of each. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_augment_create(uint64_t rows, uint64_t sentences, struct jc_augment **ret_augment,
                                        struct jc_err *err);
void jc_augment_destroy(struct jc_augment *augment);
JC_DEFINE_AUTO(jc_augment)

/* A posting that has become example `parent` of the dataset. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_augment_add(struct jc_augment *augment, const struct jc_dataset *dataset, uint32_t parent,
                                     const struct jc_posting *posting, struct jc_err *err);

/* Adds the sentences of the rare categories to the dataset; together those of a posting weigh as much as it does.
 * Errors: NOMEM, TOO_LARGE. */
JC_MUST_CHECK jc_code jc_augment_apply(const struct jc_augment *augment, struct jc_dataset *dataset, uint64_t *ret_n,
                                       struct jc_err *err);

/* The next sentence of the cleaned text[*at, n): 4 words or more, at most 400 bytes, ended by '.', '!' or '?' before a
 * blank or at the end, by a bullet, or by the text's end; what ends it is no part of it. *at goes behind it. False
 * where there is none. */
bool jc_augment_sentence(const char *text, size_t n, size_t *at, const char **ret_sentence, size_t *ret_n);

#endif
