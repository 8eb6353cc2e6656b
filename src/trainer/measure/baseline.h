/*
 * A published model on the rows of a run: asked through the run's vectors, so it must have been made for the same
 * encoder, the same vocabulary and the same part of a posting. Its categories are matched by code: an answer that the
 * run has no category for is wrong (its hit's index stands behind the run's categories), and so is every answer to a
 * row whose category it does not have (the rank is JC_RANK_NONE).
 */
#ifndef JC_TRAINER_BASELINE_H
#define JC_TRAINER_BASELINE_H

#include "trainer/pipeline.h"

/* Beyond every top N. */
#define JC_RANK_NONE UINT32_MAX

/* `folder`: a bundle, complete or portable. ret_version: free with free(). ret_predictions: of the test rows, in their
 * order. Errors: as jc_bundle_load; INVALID where it belongs to another encoder,
 * vocabulary or part of a posting. */
JC_MUST_CHECK jc_code jc_baseline_predict(const struct jc_run *run, const char *folder, char **ret_version,
                                          struct jc_prediction **ret_predictions, struct jc_err *err);

#endif
