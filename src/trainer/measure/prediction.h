/* What a model said of one example: all that evaluation and report need to know of a model. */
#ifndef JC_TRAINER_PREDICTION_H
#define JC_TRAINER_PREDICTION_H

#include <stdint.h>

#include "linalg/linalg.h"

enum { JC_PREDICTION_HITS = 10 };

struct jc_prediction {
    uint32_t example;                       /* index into the dataset's examples */
    uint32_t category;                      /* the right one */
    uint32_t rank;                          /* of the right one, from 1; ties as in jc_topk */
    uint32_t n_hits;                        /* min(JC_PREDICTION_HITS, categories) */
    struct jc_hit hits[JC_PREDICTION_HITS]; /* best first */
    float confidence;                       /* the probability given to hits[0] */
    float right_probability;                /* the probability given to the right one */
    float brier;                            /* sum over categories of (probability - truth)^2 */
};

#endif
