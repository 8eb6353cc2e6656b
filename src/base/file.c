/* Reading, mapping and publishing single files. See file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

jc_code jc_path_join(char *ret_path, size_t n_path, const char *folder, const char *name, struct jc_err *err)
{
    int n = snprintf(ret_path, n_path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= n_path)
        return jc_fail(err, JC_E_TOO_LARGE, "path too long: %s/%s", folder, name);
    return JC_OK;
}

bool jc_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Opens a regular file for reading: a FIFO or device given by mistake must not hang or flood us. */
static jc_code open_regular(const char *path, int *ret_fd, size_t *ret_n, struct jc_err *err)
{
    JC_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return jc_fail_errno(err, errno == ENOENT ? JC_E_NOT_FOUND : JC_E_IO, "open '%s'", path);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return jc_fail_errno(err, JC_E_IO, "stat '%s'", path);
    if (!S_ISREG(st.st_mode))
        return jc_fail(err, JC_E_IO, "'%s' is not a regular file", path);
    *ret_n = (size_t)st.st_size;
    *ret_fd = fd;
    fd = -1;
    return JC_OK;
}

jc_code jc_file_read(const char *path, size_t max_bytes, struct jc_buf *buf, struct jc_err *err)
{
    JC_AUTO_FD int fd = -1;
    size_t size = 0, total = 0;
    jc_code code = open_regular(path, &fd, &size, err);
    if (code)
        return code;
    /* The size is a hint: the file may grow while it is read. */
    for (size_t room = size < max_bytes ? size + 1 : 4096;; room = 4096) {
        char *to = jc_buf_reserve(buf, room);
        if (!to)
            return jc_buf_check(buf, err);
        ssize_t n = read(fd, to, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return jc_fail_errno(err, JC_E_IO, "read '%s'", path);
        buf->n += (size_t)n;
        buf->data[buf->n] = '\0';
        if (n == 0)
            return JC_OK;
        total += (size_t)n;
        if (total > max_bytes)
            return jc_fail(err, JC_E_TOO_LARGE, "'%s' is larger than %zu bytes", path, max_bytes);
    }
}

#define SCAN_BYTES (256 * 1024)

jc_code jc_file_scan(const char *path, void (*take)(void *context, const void *bytes, size_t n), void *context,
                     struct jc_err *err)
{
    JC_AUTO_FD int fd = -1;
    size_t size;
    jc_code code = open_regular(path, &fd, &size, err);
    if (code)
        return code;
    JC_AUTO_FREE char *piece = malloc(SCAN_BYTES);
    if (!piece)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (;;) {
        ssize_t n = read(fd, piece, SCAN_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return jc_fail_errno(err, JC_E_IO, "read '%s'", path);
        if (n == 0)
            return JC_OK;
        take(context, piece, (size_t)n);
    }
}

static jc_code write_all(int fd, const char *path, const char *data, size_t n, struct jc_err *err)
{
    while (n > 0) {
        ssize_t written = write(fd, data, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return jc_fail_errno(err, JC_E_IO, "write '%s'", path);
        data += written;
        n -= (size_t)written;
    }
    return JC_OK;
}

/* Makes a rename in the folder of `path` durable. */
static jc_code sync_parent(const char *path, struct jc_err *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 0;
    snprintf(folder, sizeof folder, "%.*s", n ? n : 1, n ? path : slash ? "/" : ".");
    JC_AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return jc_fail_errno(err, JC_E_IO, "sync folder '%s'", folder);
    return JC_OK;
}

jc_code jc_file_publish(int fd, const char *temp, const char *path, struct jc_err *err)
{
    if (fchmod(fd, 0644) != 0 || fsync(fd) != 0)
        return jc_fail_errno(err, JC_E_IO, "sync '%s'", temp);
    if (rename(temp, path) != 0)
        return jc_fail_errno(err, JC_E_IO, "rename '%s' to '%s'", temp, path);
    return sync_parent(path, err);
}

jc_code jc_file_write(const char *path, const void *data, size_t n, struct jc_err *err)
{
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof temp, "%s.tmp-XXXXXX", path) >= (int)sizeof temp)
        return jc_fail(err, JC_E_TOO_LARGE, "path too long: %s", path);
    JC_AUTO_FD int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return jc_fail_errno(err, JC_E_IO, "create '%s'", temp);
    jc_code code = write_all(fd, temp, data, n, err);
    if (code || (code = jc_file_publish(fd, temp, path, err)))
        unlink(temp);
    return code;
}

jc_code jc_file_link(const char *from, const char *to, struct jc_err *err)
{
    if (link(from, to) == 0)
        return JC_OK;
    JC_AUTO_FINISH(jc_map) struct jc_map map = {0};
    jc_code code = jc_map_file(from, &map, err);
    return code ? code : jc_file_write(to, map.data, map.n, err);
}

/* rename() would silently replace a file, too. */
static jc_code check_link_or_none(const char *path, struct jc_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? JC_OK : jc_fail_errno(err, JC_E_IO, "stat '%s'", path);
    return S_ISLNK(st.st_mode) ? JC_OK : jc_fail(err, JC_E_INVALID, "'%s' is not a symbolic link: move it away", path);
}

jc_code jc_link_publish(const char *path, const char *target, struct jc_err *err)
{
    char temp[PATH_MAX];
    jc_code code = check_link_or_none(path, err);
    if (code)
        return code;
    /* As long as the six characters of mkstemp, so that whoever clears up after a kill knows one pattern. */
    if (snprintf(temp, sizeof temp, "%s.tmp-%06x", path, (unsigned)getpid() & 0xffffff) >= (int)sizeof temp)
        return jc_fail(err, JC_E_TOO_LARGE, "path too long: %s", path);
    unlink(temp); /* of a killed process that had our number */
    if (symlink(target, temp) != 0)
        return jc_fail_errno(err, JC_E_IO, "create link '%s'", temp);
    if (rename(temp, path) != 0) {
        code = jc_fail_errno(err, JC_E_IO, "rename '%s' to '%s'", temp, path);
        unlink(temp);
        return code;
    }
    return sync_parent(path, err);
}

jc_code jc_map_file(const char *path, struct jc_map *ret_map, struct jc_err *err)
{
    JC_AUTO_FD int fd = -1;
    size_t n = 0;
    jc_code code = open_regular(path, &fd, &n, err);
    if (code)
        return code;
    void *data = NULL;
    if (n > 0) {
        data = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            return jc_fail_errno(err, JC_E_IO, "map '%s'", path);
    }
    *ret_map = (struct jc_map){.data = data, .n = n};
    return JC_OK;
}

void jc_map_finish(struct jc_map *map)
{
    if (map->n) {
        void *data = (void *)(uintptr_t)map->data;
        munmap(data, map->n);
    }
    *map = (struct jc_map){0};
}
