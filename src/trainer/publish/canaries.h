/*
 * Canaries: titles that a model answers rightly and clearly, asked again at every load. Chosen from the training
 * examples: the major groups of the codes take turns, and within one the titles that most sources know come first
 * (common ones), then those with the widest margin. The same model gives the same canaries.
 */
#ifndef JC_TRAINER_CANARIES_H
#define JC_TRAINER_CANARIES_H

#include "trainer/methods/method.h"

/* The least distance between the first and the second score: a thousand times what two builds of an encoder differ, and
 * fifty times what int8 does. */
#define JC_CANARY_MARGIN 0.05f

/* Appends up to `n` canaries, rows that have one of `roles`, to the manifest: fewer where fewer titles qualify. Errors:
 * NOMEM. */
JC_MUST_CHECK jc_code jc_canaries_choose(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                                         size_t n, struct jc_manifest *manifest, struct jc_err *err);

#endif
