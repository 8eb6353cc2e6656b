/* A head as the GPU's scoring takes it. Borrowed from the head. */
#ifndef JC_MODEL_SCORER_SOURCE_H
#define JC_MODEL_SCORER_SOURCE_H

#include "artifact/head.h"
#include "cuda/cuda.h"

static inline struct jc_cuda_scorer_source jc_scorer_source(const struct jc_head *head)
{
    const struct jc_exemplars *exemplars = &head->exemplars;
    return (struct jc_cuda_scorer_source){.n_categories = head->n_categories,
                                          .dim = head->dim,
                                          .n_words = head->lexicon_dim,
                                          .matrix = head->matrix,
                                          .bias = head->bias,
                                          .sharpness = head->sharpness,
                                          .saturation = head->saturation,
                                          .power = head->power,
                                          .exemplars = {.n = exemplars->n,
                                                        .k = exemplars->k,
                                                        .vectors = exemplars->vectors,
                                                        .code_begins = exemplars->code_begins,
                                                        .codes = exemplars->codes,
                                                        .code_weights = exemplars->code_weights,
                                                        .sharpness = exemplars->sharpness,
                                                        .weight = exemplars->weight}};
}

#endif
