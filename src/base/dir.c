/* Publishing whole folders. See file.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define JC_AUTO_DIR __attribute__((cleanup(close_dir)))

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

jc_code jc_dir_create_parent(const char *path, struct jc_err *err)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return jc_fail(err, JC_E_TOO_LARGE, "path too long: %s", path);
    for (char *slash = folder; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return jc_fail_errno(err, JC_E_IO, "create folder '%s'", folder);
        *slash = '/';
    }
    return JC_OK;
}

jc_code jc_dir_create(const char *path, struct jc_err *err)
{
    jc_code code = jc_dir_create_parent(path, err);
    if (code)
        return code;
    return mkdir(path, 0777) == 0 || errno == EEXIST ? JC_OK : jc_fail_errno(err, JC_E_IO, "create folder '%s'", path);
}

jc_code jc_dir_create_temp(const char *path, char *ret_temp, size_t n_temp, struct jc_err *err)
{
    jc_code code = jc_dir_create_parent(path, err);
    if (code)
        return code;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (snprintf(ret_temp, n_temp, "%.*s.tmp-XXXXXX", (int)n, path) >= (int)n_temp)
        return jc_fail(err, JC_E_TOO_LARGE, "path too long: %s", path);
    if (!mkdtemp(ret_temp))
        return jc_fail_errno(err, JC_E_IO, "create folder '%s'", ret_temp);
    if (chmod(ret_temp, 0755) != 0)
        return jc_fail_errno(err, JC_E_IO, "chmod '%s'", ret_temp);
    return JC_OK;
}

static jc_code sync_at(int dir_fd, const char *name, const char *folder, struct jc_err *err)
{
    JC_AUTO_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return jc_fail_errno(err, JC_E_IO, "sync '%s/%s'", folder, name);
    return JC_OK;
}

static jc_code sync_folder(const char *folder, struct jc_err *err)
{
    JC_AUTO_DIR DIR *dir = opendir(folder);
    if (!dir)
        return jc_fail_errno(err, JC_E_IO, "open folder '%s'", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (is_dot(entry->d_name))
            continue;
        jc_code code = sync_at(dirfd(dir), entry->d_name, folder, err);
        if (code)
            return code;
    }
    return sync_at(dirfd(dir), ".", folder, err);
}

/* File systems that cannot swap two names (NFS, some overlays): the old folder steps aside, and for the moment between
 * the two renames there is none. */
static jc_code replace_in_two_steps(const char *temp, const char *path, struct jc_err *err)
{
    char old[PATH_MAX];
    if (snprintf(old, sizeof old, "%s.old", temp) >= (int)sizeof old)
        return jc_fail(err, JC_E_TOO_LARGE, "path too long: %s", temp);
    if (rename(path, old) != 0)
        return jc_fail_errno(err, JC_E_IO, "rename '%s' to '%s'", path, old);
    if (rename(temp, path) != 0) {
        jc_fail_errno(err, JC_E_IO, "rename '%s' to '%s'", temp, path);
        rename(old, path);
        return err->code;
    }
    jc_dir_remove(old);
    return JC_OK;
}

static jc_code put_in_place(const char *temp, const char *path, struct jc_err *err)
{
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        jc_dir_remove(temp);
        return JC_OK;
    }
    if (errno != ENOENT && jc_file_exists(path))
        return replace_in_two_steps(temp, path, err);
    if (rename(temp, path) == 0)
        return JC_OK;
    return jc_fail_errno(err, JC_E_IO, "rename '%s' to '%s'", temp, path);
}

jc_code jc_dir_publish(const char *temp, const char *path, struct jc_err *err)
{
    jc_code code = sync_folder(temp, err);
    if (code)
        return code;

    code = put_in_place(temp, path, err);
    if (code)
        return code;

    char parent[PATH_MAX];
    if (snprintf(parent, sizeof parent, "%s/..", path) >= (int)sizeof parent)
        return jc_fail(err, JC_E_TOO_LARGE, "path too long: %s", path);
    return sync_at(AT_FDCWD, parent, path, err);
}

void jc_dir_remove(const char *path)
{
    JC_AUTO_DIR DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (!is_dot(entry->d_name))
            unlinkat(dirfd(dir), entry->d_name, 0);
    rmdir(path);
}
