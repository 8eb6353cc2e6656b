/* The calibration that a model's encoder needs to run in int8, measured on the run's own training texts. */
#ifndef JC_TRAINER_CALIBRATION_H
#define JC_TRAINER_CALIBRATION_H

#include "model/encoder.h"
#include "trainer/data/dataset.h"
#include "trainer/data/tokens.h"

struct jc_calibration {
    float *values; /* [n]; NULL: none */
    size_t n;
};

void jc_calibration_finish(struct jc_calibration *calibration);

/* encoder: onednn in f32. Takes up to a thousand texts that train, spread over the dataset; the same ones every time.
 * Errors: as jc_encoder_calibrate. */
JC_MUST_CHECK jc_code jc_calibration_measure(const struct jc_encoder *encoder, const struct jc_dataset *dataset,
                                             const struct jc_tokens *tokens, struct jc_calibration *ret_calibration,
                                             struct jc_err *err);

#endif
