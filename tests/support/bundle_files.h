/* What the tests of bundles share: a temporary folder with a vocabulary, and the bundle's folder in it, whose files are
 * damaged and loaded again. `err` is the test's own. */
#ifndef JC_TESTS_BUNDLE_FILES_H
#define JC_TESTS_BUNDLE_FILES_H

#include <limits.h>

#include "artifact/bundle.h"
#include "base/file.h"
#include "bundle_manifest.h"
#include "check.h"

static struct jc_err err;
static char root[] = "/tmp/jc-test-bundle-XXXXXX";
static char folder[PATH_MAX], vocab[PATH_MAX]; /* the bundle's; not in it */

static inline void begin_files(void)
{
    REQUIRE(mkdtemp(root));
    REQUIRE_OK(jc_path_join(folder, sizeof folder, root, "bundle", &err));
    REQUIRE_OK(jc_path_join(vocab, sizeof vocab, root, "vocab", &err));
    REQUIRE_OK(jc_file_write(vocab, "[PAD]\n[UNK]\n", 12, &err));
}

static inline void end_files(void)
{
    jc_dir_remove(folder);
    jc_dir_remove(root);
    CHECK(!jc_file_exists(root));
}

/* The path of a file of the bundle, until the next call. */
static inline const char *path_of(const char *name)
{
    static char path[PATH_MAX];
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, name, &err));
    return path;
}

static inline void check_load_fails(enum jc_bundle_parts parts, jc_code code, const char *file, const char *part)
{
    struct jc_bundle *bundle = NULL;
    CHECK_FAILS(jc_bundle_load(folder, parts, &bundle, &err), code, part);
    CHECK_CONTAINS(err.text, file);
    CHECK(!bundle);
}

/* Puts `data` as a file of the bundle and its hash into the manifest: the hash must not be what refuses it. */
static inline void replace_file(const char *name, const void *data, size_t n)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = NULL;
    char sha256[JC_SHA256_HEX];
    REQUIRE_OK(jc_file_write(path_of(name), data, n, &err));
    jc_sha256_hex(data, n, sha256);
    REQUIRE_OK(jc_manifest_load(path_of(JC_BUNDLE_MANIFEST), &manifest, &err));
    REQUIRE_OK(jc_manifest_set_file(manifest, name, sha256, &err));
    REQUIRE_OK(jc_manifest_write(manifest, path_of(JC_BUNDLE_MANIFEST), &err));
}

#endif
