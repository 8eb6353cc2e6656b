/* The step `publish`: a bundle appears under its name whole and tested, or not at all. */
#ifndef JC_TRAINER_PUBLISH_H
#define JC_TRAINER_PUBLISH_H

#include "artifact/bundle.h"

/* Writes the bundle, loads it as a server would, canaries included, and then renames it to `folder`. A portable one
 * (no vocab_path) has no encoder to ask and is verified as a file only. Errors: as jc_bundle_write and
 * jc_classifier_load. */
JC_MUST_CHECK jc_code jc_publish_bundle(const char *folder, const struct jc_bundle_content *content,
                                        struct jc_err *err);

#endif
