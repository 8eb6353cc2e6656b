/*
 * The step `publish`: a bundle appears under its name whole and tested, or not at all.
 *
 * A folder of versions, which a scheduled run adds to and a server reads with `model.folder: root/current`:
 *     root/<version>/       complete bundles, never changed
 *     root/current          a symbolic link to one of them, by its name alone: root can be moved
 *     root/published.txt    the versions in the order of their publication (trainer/versions)
 *     root/.lock            held while any of these changes
 * To go back to a version that is still there, a person switches the link and reloads the server:
 *     ln -s <version> root/current.new && mv -T root/current.new root/current
 * (`ln -sfn <version> root/current` does it too, with a moment at which there is no link.) The next publication
 * switches to what it publishes.
 */
#ifndef JC_TRAINER_PUBLISH_H
#define JC_TRAINER_PUBLISH_H

#include <stddef.h>

#include "artifact/bundle.h"

/* Writes the bundle, loads it as a server would, canaries included, and then renames it to `folder`. A portable one
 * (no vocab_path) has no encoder to ask and is verified as a file only. Errors: as jc_bundle_write,
 * jc_classifier_load and jc_canary_run_all. */
JC_MUST_CHECK jc_code jc_publish_bundle(const char *folder, const struct jc_bundle_content *content,
                                        struct jc_err *err);

/* The same to root/<version>/; then switches root/current to it and deletes the versions published before the last
 * `keep` (at least 1; the new one counts). With keep 1, a server that is loading the old version at that moment may
 * fail to; from 2 on it has until the next publication.
 * A version that is there already (it gives the same answers) is tested and counts as published now; one that is
 * damaged, or whose manifest says something else, is replaced. What was killed under way leaves root/current at the old
 * version or the new; its temporary folders are deleted by a publication a day later. What cannot be deleted is left,
 * without an error. The version is then content->manifest->version.
 * Errors: as jc_publish_bundle; INVALID (keep 0, a name or method that makes no folder name, root/current not a link,
 * something else under the version's name), IO. Threads and processes: any, one publication at a time by the lock. */
JC_MUST_CHECK jc_code jc_publish_version(const char *root, size_t keep, const struct jc_bundle_content *content,
                                         struct jc_err *err);

#endif
