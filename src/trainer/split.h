/* The step `split`: which examples train and which test. */
#ifndef JC_TRAINER_SPLIT_H
#define JC_TRAINER_SPLIT_H

#include "base/buf.h"
#include "trainer/dataset.h"

/* Clears *buf and writes the title as two titles are compared: lower case, every run of characters other than a-z 0-9
 * + # & is one blank, none at either end. */
void jc_split_normalize(const char *title, struct jc_buf *buf);

/*
 * Gives every example its role. NONE: all train. POSTINGS, the public benchmark: titles known from employers' postings
 * test where their normalised form is no training title's, and are unused where it is; all others train.
 * Errors: NOMEM; INVALID where nothing is left to train or to test with.
 */
JC_MUST_CHECK jc_code jc_split_dataset(struct jc_dataset *dataset, enum jc_split_kind kind, struct jc_err *err);

/*
 * Makes about `share` of the training texts validation texts, by a hash of the text: not by the order of the rows.
 * Categories of JC_SPLIT_RARE training rows or fewer keep them all. A text's training rows stay together.
 */
enum { JC_SPLIT_RARE = 5 };
JC_MUST_CHECK jc_code jc_split_validation(struct jc_dataset *dataset, double share, struct jc_err *err);

#endif
