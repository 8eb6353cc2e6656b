/* The step `publish`. */
#include "trainer/publish/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "model/canary.h"
#include "trainer/publish/versions.h"

#define LOCK_FILE ".lock"
#define VERSION_MAX (NAME_MAX - 11) /* bytes: deleting it appends ".tmp-XXXXXX" */

static jc_code test_classifier(const char *folder, const struct jc_encoder_options *options, struct jc_err *err)
{
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    jc_code code;
    if ((code = jc_classifier_load(folder, options, &classifier, err)) ||
        (code = jc_session_create(classifier, &session, err)))
        return code;
    return jc_canary_run_all(classifier, session, err);
}

/* As a server loads it, in each precision it may; a portable bundle has no encoder to ask. */
static jc_code test_bundle(const char *folder, const struct jc_bundle_content *content, struct jc_err *err)
{
    if (content->vocab_path) {
        static const struct jc_encoder_options int8 = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_INT8};
        jc_code code = test_classifier(folder, NULL, err);
        if (code || !content->calibration)
            return code;
        code = test_classifier(folder, &int8, err);
        return code ? jc_wrap(err, "in int8") : JC_OK;
    }
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    return jc_bundle_load(folder, JC_BUNDLE_PORTABLE, &bundle, err);
}

static jc_code write_tested(const char *temp, const struct jc_bundle_content *content, struct jc_err *err)
{
    jc_code code = jc_bundle_write(temp, content, err);
    if (code)
        return code;
    code = test_bundle(temp, content, err);
    return code ? jc_wrap(err, "the new bundle does not pass its own test") : JC_OK;
}

jc_code jc_publish_bundle(const char *folder, const struct jc_bundle_content *content, struct jc_err *err)
{
    if (!content->vocab_path)
        return jc_bundle_write(folder, content, err);
    char temp[PATH_MAX];
    jc_code code = jc_dir_create_temp(folder, temp, sizeof(temp), err);
    if (code)
        return code;
    if ((code = write_tested(temp, content, err)) || (code = jc_dir_publish(temp, folder, err)))
        jc_dir_remove(temp);
    return code;
}

/* A version's name becomes a folder's and a line of published.txt. */
static jc_code check_name(const char *version, struct jc_err *err)
{
    size_t n = strlen(version);
    if (n == 0 || n > VERSION_MAX || *version == '.')
        return jc_fail(err, JC_E_INVALID, "version '%.100s' is no folder name of 1 to %d bytes without a leading dot",
                       version, VERSION_MAX);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)version[i] < ' ' || version[i] == '/')
            return jc_fail(err, JC_E_INVALID, "version '%s': byte %zu is a slash or a control character", version, i);
    return JC_OK;
}

/* Released when *ret_fd is closed, at the latest by the end of the process. */
static jc_code lock_root(const char *root, int *ret_fd, struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof(path), root, LOCK_FILE, err);
    if (code)
        return code;
    JC_AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return jc_fail_errno(err, JC_E_IO, "open '%s'", path);
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return jc_fail_errno(err, JC_E_IO, "lock '%s'", path);
    *ret_fd = fd;
    fd = -1;
    return JC_OK;
}

/* Early, before anything is changed: the switch itself comes last. */
static jc_code check_current(const char *current, struct jc_err *err)
{
    struct stat st;
    if (lstat(current, &st) != 0)
        return errno == ENOENT ? JC_OK : jc_fail_errno(err, JC_E_IO, "stat '%s'", current);
    if (!S_ISLNK(st.st_mode))
        return jc_fail(err, JC_E_INVALID, "'%s' is not a symbolic link: move it away", current);
    return JC_OK;
}

/* What does not change an answer (figures, notices, canaries) may differ in one version. */
static bool has_same_manifest(const char *temp, const char *folder)
{
    char paths[2][PATH_MAX], hashes[2][JC_SHA256_HEX];
    struct jc_err ignored;
    return !jc_path_join(paths[0], PATH_MAX, temp, JC_BUNDLE_MANIFEST, &ignored) &&
           !jc_path_join(paths[1], PATH_MAX, folder, JC_BUNDLE_MANIFEST, &ignored) &&
           !jc_sha256_file(paths[0], hashes[0], &ignored) && !jc_sha256_file(paths[1], hashes[1], &ignored) &&
           strcmp(hashes[0], hashes[1]) == 0;
}

/* Makes the tested `temp` root/<version>, unless that version stands there intact: then `temp` is left over. */
static jc_code put_in_place(const char *root, const char *temp, const char *folder,
                            const struct jc_bundle_content *content, struct jc_err *err)
{
    struct stat st;
    if (lstat(folder, &st) != 0)
        return errno == ENOENT ? jc_dir_publish(temp, folder, err) : jc_fail_errno(err, JC_E_IO, "stat '%s'", folder);
    if (!jc_versions_holds(root, content->manifest->version))
        return jc_fail(err, JC_E_INVALID, "'%s' is not the version of that name: move it away", folder);
    jc_code code = test_bundle(folder, content, err);
    bool damaged = code == JC_E_FORMAT || code == JC_E_NOT_FOUND || code == JC_E_MODEL;
    bool renewed = !code && content->vocab_path && !has_same_manifest(temp, folder);
    return damaged || renewed ? jc_dir_publish(temp, folder, err) : code;
}

/* Deletes what is over. The new version is published by now: what fails here waits for the next time. */
static void clear_up(const char *root, size_t keep, const char *version)
{
    JC_AUTO_FINISH(jc_versions) struct jc_versions versions = {0};
    struct jc_err ignored;
    jc_versions_sweep(root);
    if (jc_versions_list(root, &versions, &ignored) || versions.n <= keep)
        return;
    jc_versions_prune(root, &versions, keep, version);
    if (jc_versions_write_order(root, &versions, version, &ignored))
        return; /* the old order stands, and names what is gone */
}

/* Everything that the lock guards. The order is written first: a version in place is never without its rank. */
static jc_code switch_to(const char *root, size_t keep, const char *temp, const char *folder,
                         const struct jc_bundle_content *content, struct jc_err *err)
{
    const char *version = content->manifest->version;
    char current[PATH_MAX];
    JC_AUTO_FD int lock = -1;
    JC_AUTO_FINISH(jc_versions) struct jc_versions versions = {0};
    jc_code code;
    if ((code = jc_path_join(current, sizeof(current), root, JC_VERSIONS_CURRENT, err)) ||
        (code = lock_root(root, &lock, err)) || (code = check_current(current, err)) ||
        (code = jc_versions_list(root, &versions, err)) ||
        (code = jc_versions_write_order(root, &versions, version, err)) ||
        (code = put_in_place(root, temp, folder, content, err)) || (code = jc_link_publish(current, version, err)))
        return code;
    clear_up(root, keep, version);
    return JC_OK;
}

jc_code jc_publish_version(const char *root, size_t keep, const struct jc_bundle_content *content, struct jc_err *err)
{
    char temp[PATH_MAX], folder[PATH_MAX];
    if (keep == 0)
        return jc_fail(err, JC_E_INVALID, "'%s': at least 1 version is kept, not 0", root);
    jc_code code;
    if ((code = jc_path_join(folder, sizeof(folder), root, "new", err)) ||
        (code = jc_dir_create_temp(folder, temp, sizeof(temp), err)))
        return code;
    if (!(code = write_tested(temp, content, err)) && !(code = check_name(content->manifest->version, err)) &&
        !(code = jc_path_join(folder, sizeof(folder), root, content->manifest->version, err)))
        code = switch_to(root, keep, temp, folder, content, err);
    jc_dir_remove(temp); /* where it was not renamed */
    return code;
}
