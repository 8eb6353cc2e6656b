/*
 * The versions of a model in one folder: root/<version>/ each, root/published.txt with their order.
 * A version of ours is a real folder whose manifest.json reads and names the folder's own name; nothing else in root is
 * ever listed or deleted. The order of publication is a file, since modification times do not survive every copy.
 * Threads: any; processes: under the lock of trainer/publish.
 */
#ifndef JC_TRAINER_VERSIONS_H
#define JC_TRAINER_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define JC_VERSIONS_ORDER "published.txt" /* a version a line, oldest first */
#define JC_VERSIONS_CURRENT "current"     /* the link to the one that is served */

struct jc_version {
    char *name;
    size_t rank; /* by publication; 0: published.txt does not name it */
};

/* Plain data; zero-initialise, free with jc_versions_finish. */
struct jc_versions {
    struct jc_version *items; /* oldest first: those that published.txt does not name, by name, then in its order */
    size_t n;
};

/* Errors: IO, NOMEM, TOO_LARGE (published.txt). */
JC_MUST_CHECK jc_code jc_versions_list(const char *root, struct jc_versions *ret_versions, struct jc_err *err);
void jc_versions_finish(struct jc_versions *versions);

/* Is root/<name> a version of ours? */
bool jc_versions_holds(const char *root, const char *name);

/* Publishes the order: that of the list, and `newest` last. Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_versions_write_order(const char *root, const struct jc_versions *versions, const char *newest,
                                              struct jc_err *err);

/* Deletes the oldest but `n_kept` of the list, except `current`, there and here. Each gets a temporary name first: no
 * half of it is ever seen under its own. Best effort: what cannot be deleted stays, and stays listed. */
void jc_versions_prune(const char *root, struct jc_versions *versions, size_t n_kept, const char *current);

/* Deletes what killed writers left in root ("*.tmp-XXXXXX": folders; temporary files of published.txt and links of
 * `current`) and nothing has changed for a day. Best effort. */
void jc_versions_sweep(const char *root);

#endif
