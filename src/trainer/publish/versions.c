/* Listing, ordering and deleting the versions of a model. See versions.h. */
#include "trainer/publish/versions.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "artifact/bundle.h"
#include "base/file.h"

#define ORDER_MAX (1u << 20) /* bytes of published.txt */
#define STALE_S (24 * 60 * 60)
#define TEMP_MARK ".tmp-"
#define TEMP_SUFFIX (sizeof TEMP_MARK - 1 + 6) /* bytes of ".tmp-XXXXXX" */

#define JC_AUTO_DIR __attribute__((cleanup(close_dir)))

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

void jc_versions_finish(struct jc_versions *versions)
{
    for (size_t i = 0; i < versions->n; i++)
        free(versions->items[i].name);
    free(versions->items);
    *versions = (struct jc_versions){0};
}

bool jc_versions_holds(const char *root, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct stat st;
    struct jc_err ignored;
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = NULL;
    if (*name == '.' || jc_path_join(folder, sizeof folder, root, name, &ignored) || lstat(folder, &st) != 0 ||
        !S_ISDIR(st.st_mode) || jc_path_join(path, sizeof path, folder, JC_BUNDLE_MANIFEST, &ignored) ||
        jc_manifest_load(path, &manifest, &ignored))
        return false;
    return strcmp(manifest->version, name) == 0;
}

/* The number of the last line of `order` that is `name`, from 1; 0 where none is. */
static size_t find_rank(const struct jc_buf *order, const char *name)
{
    size_t n_name = strlen(name), rank = 0, n_lines = 0;
    for (size_t at = 0; at < order->n;) {
        const char *line = order->data + at, *end = memchr(line, '\n', order->n - at);
        size_t n = end ? (size_t)(end - line) : order->n - at;
        n_lines++;
        if (n == n_name && memcmp(line, name, n) == 0)
            rank = n_lines;
        at += n + 1;
    }
    return rank;
}

static jc_code add_version(struct jc_versions *versions, const char *name, size_t rank, struct jc_err *err)
{
    struct jc_version *items = reallocarray(versions->items, versions->n + 1, sizeof(*items));
    if (items)
        versions->items = items;
    char *copy = items ? strdup(name) : NULL;
    if (!copy)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    versions->items[versions->n++] = (struct jc_version){.name = copy, .rank = rank};
    return JC_OK;
}

static int compare_age(const void *a, const void *b)
{
    const struct jc_version *x = a, *y = b;
    int order = (x->rank > y->rank) - (x->rank < y->rank);
    return order ? order : strcmp(x->name, y->name);
}

static jc_code read_order(const char *root, struct jc_buf *order, struct jc_err *err)
{
    char path[PATH_MAX];
    jc_code code = jc_path_join(path, sizeof path, root, JC_VERSIONS_ORDER, err);
    if (!code)
        code = jc_file_read(path, ORDER_MAX, order, err);
    return code == JC_E_NOT_FOUND ? JC_OK : code;
}

jc_code jc_versions_list(const char *root, struct jc_versions *ret_versions, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf order = {0};
    JC_AUTO_FINISH(jc_versions) struct jc_versions versions = {0};
    jc_code code = read_order(root, &order, err);
    if (code)
        return code;
    JC_AUTO_DIR DIR *dir = opendir(root);
    if (!dir)
        return jc_fail_errno(err, JC_E_IO, "open folder '%s'", root);
    struct dirent *entry;
    while (!code && (errno = 0, entry = readdir(dir))) {
        if (jc_versions_holds(root, entry->d_name))
            code = add_version(&versions, entry->d_name, find_rank(&order, entry->d_name), err);
    }
    if (code)
        return code;
    if (errno)
        return jc_fail_errno(err, JC_E_IO, "read folder '%s'", root);
    if (versions.n)
        qsort(versions.items, versions.n, sizeof(*versions.items), compare_age);
    *ret_versions = versions;
    versions = (struct jc_versions){0};
    return JC_OK;
}

jc_code jc_versions_write_order(const char *root, const struct jc_versions *versions, const char *newest,
                                struct jc_err *err)
{
    char path[PATH_MAX];
    JC_AUTO_BUF struct jc_buf text = {0};
    for (size_t i = 0; i < versions->n; i++)
        if (strcmp(versions->items[i].name, newest) != 0)
            jc_buf_printf(&text, "%s\n", versions->items[i].name);
    jc_buf_printf(&text, "%s\n", newest);
    jc_code code = jc_buf_check(&text, err);
    if (!code)
        code = jc_path_join(path, sizeof path, root, JC_VERSIONS_ORDER, err);
    return code ? code : jc_file_write(path, text.data, text.n, err);
}

static bool delete_version(const char *root, const char *name)
{
    char folder[PATH_MAX], temp[PATH_MAX];
    struct jc_err ignored;
    if (jc_path_join(folder, sizeof folder, root, name, &ignored) ||
        jc_dir_create_temp(folder, temp, sizeof temp, &ignored))
        return false;
    bool is_gone = rename(folder, temp) == 0;
    jc_dir_remove(temp);
    return is_gone;
}

void jc_versions_prune(const char *root, struct jc_versions *versions, size_t n_kept, const char *current)
{
    size_t n_excess = versions->n > n_kept ? versions->n - n_kept : 0, n_left = 0;
    for (size_t i = 0; i < versions->n; i++) {
        struct jc_version version = versions->items[i];
        if (i < n_excess && strcmp(version.name, current) != 0 && delete_version(root, version.name))
            free(version.name);
        else
            versions->items[n_left++] = version;
    }
    versions->n = n_left;
}

/* "*.tmp-XXXXXX", with what mkstemp writes for the X. */
static bool is_temp_name(const char *name)
{
    size_t n = strlen(name);
    if (n <= TEMP_SUFFIX || memcmp(name + n - TEMP_SUFFIX, TEMP_MARK, sizeof TEMP_MARK - 1) != 0)
        return false;
    for (size_t i = n - 6; i < n; i++)
        if (!isalnum((unsigned char)name[i]))
            return false;
    return true;
}

/* A file or link that is ours; a file of another's may be called anything. */
static bool is_our_file(const char *name)
{
    size_t n = strlen(name) - TEMP_SUFFIX;
    return (n == strlen(JC_VERSIONS_ORDER) && memcmp(name, JC_VERSIONS_ORDER, n) == 0) ||
           (n == strlen(JC_VERSIONS_CURRENT) && memcmp(name, JC_VERSIONS_CURRENT, n) == 0);
}

void jc_versions_sweep(const char *root)
{
    JC_AUTO_DIR DIR *dir = opendir(root);
    if (!dir)
        return;
    time_t now = time(NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        char path[PATH_MAX];
        struct stat st;
        struct jc_err ignored;
        if (!is_temp_name(name) || fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            st.st_mtime > now - STALE_S || jc_path_join(path, sizeof path, root, name, &ignored))
            continue;
        if (S_ISDIR(st.st_mode))
            jc_dir_remove(path);
        else if (is_our_file(name))
            unlinkat(dirfd(dir), name, 0);
    }
}
