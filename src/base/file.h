/*
 * Files: read with a cap, written so that a reader sees the old content or the new and never a half (write, fsync,
 * rename, fsync of the folder), folders published the same way. Errors name the path. Threads: any.
 */
#ifndef JC_BASE_FILE_H
#define JC_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* "<folder>/<name>" into a caller's buffer. Errors: TOO_LARGE when it does not fit. */
JC_MUST_CHECK jc_code jc_path_join(char *ret_path, size_t n_path, const char *folder, const char *name,
                                   struct jc_err *err);

bool jc_file_exists(const char *path);

/* Appends the file's bytes to *buf. Errors: NOT_FOUND, TOO_LARGE (more than max_bytes), IO, NOMEM. */
JC_MUST_CHECK jc_code jc_file_read(const char *path, size_t max_bytes, struct jc_buf *buf, struct jc_err *err);

/* Hands the file's bytes to `take`, piece by piece. Not mapped: a file that somebody cuts short meanwhile ends early, and
 * raises no SIGBUS. Errors: NOT_FOUND, IO. */
JC_MUST_CHECK jc_code jc_file_scan(const char *path, void (*take)(void *context, const void *bytes, size_t n),
                                   void *context, struct jc_err *err);

/* Publishes `n` bytes under `path`. Errors: IO. */
JC_MUST_CHECK jc_code jc_file_write(const char *path, const void *data, size_t n, struct jc_err *err);

/* Publishes the temporary file `temp`, written through `fd`, under `path` in its folder: fsync, rename, fsync of the
 * folder. Errors: IO. */
JC_MUST_CHECK jc_code jc_file_publish(int fd, const char *temp, const char *path, struct jc_err *err);

/* Makes `to` the same content as `from`: a hard link where the file system allows it, else a copy. */
JC_MUST_CHECK jc_code jc_file_link(const char *from, const char *to, struct jc_err *err);

/* Makes `path` a symbolic link to `target` in one step (a link under a temporary name, rename, fsync of the folder): a
 * reader meets the old target or the new. Errors: INVALID where something other than a link stands there; IO. */
JC_MUST_CHECK jc_code jc_link_publish(const char *path, const char *target, struct jc_err *err);

/* A file's bytes, mapped read-only. Zero-initialise; unmap with jc_map_finish. An empty file maps to n == 0. */
struct jc_map {
    const unsigned char *data;
    size_t n;
};
JC_MUST_CHECK jc_code jc_map_file(const char *path, struct jc_map *ret_map, struct jc_err *err);
void jc_map_finish(struct jc_map *map);

/* Makes the folder and its missing parents; fine where it is there. Errors: IO. */
JC_MUST_CHECK jc_code jc_dir_create(const char *path, struct jc_err *err);

/* Makes the folders above `path`: all of it before its last slash. Errors: IO. */
JC_MUST_CHECK jc_code jc_dir_create_parent(const char *path, struct jc_err *err);

/* Makes an empty temporary folder beside `path` ("<path>.tmp-XXXXXX") and its missing parents. */
JC_MUST_CHECK jc_code jc_dir_create_temp(const char *path, char *ret_temp, size_t n_temp, struct jc_err *err);

/* fsyncs every file of folder `temp` and the folder, then makes it `path` in one step: what stood there is swapped
 * out and deleted afterwards. */
JC_MUST_CHECK jc_code jc_dir_publish(const char *temp, const char *path, struct jc_err *err);

/* Deletes a folder of plain files (no sub-folders). Best effort. */
void jc_dir_remove(const char *path);

#endif
