/* The files of a vector cache. Every change of them keeps them valid: see vector_cache.h. */
#include "trainer/vectors/vector_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/sha256.h"

enum { VERSION = 1 }; /* on a machine of the other byte order it reads as another */

struct header {
    char magic[8];
    uint32_t version, dim;
    char encoder[64]; /* hexadecimal SHA-256 of kind and weights */
    char reserved[JC_VECTOR_MAP_HEADER - 80];
};
_Static_assert(sizeof(struct header) == JC_VECTOR_MAP_HEADER, "the header has no gaps");
_Static_assert(sizeof(struct jc_vector_record) == 24, "a record has no gaps");

static const char keys_magic[8] = "jcvkeys", vectors_magic[8] = "jcvrows";

static size_t vector_bytes(const struct jc_vector_files *files)
{
    return files->dim * sizeof(float);
}

static bool write_at(int fd, const void *data, size_t n, size_t offset)
{
    const char *from = data;
    while (n) {
        ssize_t n_written = pwrite(fd, from, n, (off_t)offset);
        if (n_written < 0 && errno == EINTR)
            continue;
        if (n_written <= 0)
            return false;
        from += n_written;
        n -= (size_t)n_written;
        offset += (size_t)n_written;
    }
    return true;
}

static jc_code read_at(int fd, const char *path, void *data, size_t n, size_t offset, struct jc_err *err)
{
    char *to = data;
    while (n) {
        ssize_t n_read = pread(fd, to, n, (off_t)offset);
        if (n_read < 0 && errno == EINTR)
            continue;
        if (n_read < 0)
            return jc_fail_errno(err, JC_E_IO, "read '%s'", path);
        if (n_read == 0)
            return jc_fail(err, JC_E_IO, "'%s' became shorter while it was read", path);
        to += n_read;
        n -= (size_t)n_read;
        offset += (size_t)n_read;
    }
    return JC_OK;
}

/* Checks the header, or writes it where the file is new or was left within it. */
static jc_code check_header(const struct jc_vector_files *files, int fd, const char *path, const struct header *want,
                            size_t n_row, size_t *ret_n_rows, struct jc_err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return jc_fail_errno(err, JC_E_IO, "stat '%s'", path);
    if (!S_ISREG(st.st_mode))
        return jc_fail(err, JC_E_IO, "'%s' is not a regular file", path);
    size_t n = (size_t)st.st_size;
    struct header header;
    jc_code code = read_at(fd, path, &header, n < sizeof(header) ? n : sizeof(header), 0, err);
    if (code)
        return code;
    if (memcmp(&header, want, n < sizeof(header) ? n : sizeof(header)) != 0)
        return jc_fail(err, JC_E_FORMAT,
                       "'%s' is damaged, or no vector cache of this version for this encoder: delete it", path);
    if (n < sizeof(header) && files->writes && !write_at(fd, want, sizeof(*want), 0))
        return jc_fail_errno(err, JC_E_IO, "write '%s'", path);
    *ret_n_rows = n < sizeof(header) ? 0 : (n - sizeof(header)) / n_row;
    return JC_OK;
}

/* Opens the file of keys, locked if possible: the lock on it is that of the pair. */
static jc_code open_keys(struct jc_vector_files *files, struct jc_err *err)
{
    const char *path = files->keys_path;
    files->keys_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (files->keys_fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS)) {
        int why = errno;
        files->keys_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        snprintf(files->note, sizeof(files->note), "%s cannot be written to: %s", path, strerror(why));
    } else if (files->keys_fd >= 0) {
        files->writes = flock(files->keys_fd, LOCK_EX | LOCK_NB) == 0;
        if (!files->writes && errno == EWOULDBLOCK)
            snprintf(files->note, sizeof(files->note), "%s is written to by another process", path);
        else if (!files->writes)
            snprintf(files->note, sizeof(files->note), "%s cannot be locked: %s", path, strerror(errno));
    }
    return files->keys_fd < 0 ? jc_fail_errno(err, JC_E_IO, "open '%s'", path) : JC_OK;
}

static jc_code open_vectors(struct jc_vector_files *files, struct jc_err *err)
{
    const char *path = files->vectors_path;
    files->vectors_fd =
        files->writes ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    /* A reader may come before the writer has made it. */
    if (files->vectors_fd < 0 && (files->writes || errno != ENOENT))
        return jc_fail_errno(err, JC_E_IO, "open '%s'", path);
    return JC_OK;
}

static jc_code check_files(struct jc_vector_files *files, const char *identity, struct jc_err *err)
{
    struct header want = {.version = VERSION, .dim = (uint32_t)files->dim};
    memcpy(want.encoder, identity, sizeof(want.encoder));
    memcpy(want.magic, keys_magic, sizeof(want.magic));
    size_t n_keys = 0, n_vectors = 0;
    jc_code code =
        check_header(files, files->keys_fd, files->keys_path, &want, sizeof(struct jc_vector_record), &n_keys, err);
    if (code)
        return code;
    memcpy(want.magic, vectors_magic, sizeof(want.magic));
    if (files->vectors_fd >= 0 && (code = check_header(files, files->vectors_fd, files->vectors_path, &want,
                                                       vector_bytes(files), &n_vectors, err)))
        return code;
    files->n = n_keys < n_vectors ? n_keys : n_vectors;
    return JC_OK;
}

/* Cuts off what only one of the files has, or none has whole. */
static bool cut(const struct jc_vector_files *files)
{
    return ftruncate(files->keys_fd, (off_t)(sizeof(struct header) + files->n * sizeof(struct jc_vector_record))) ==
               0 &&
           ftruncate(files->vectors_fd, (off_t)(sizeof(struct header) + files->n * vector_bytes(files))) == 0;
}

jc_code jc_vector_files_open(struct jc_vector_files *files, const char *folder, const struct jc_encoder_info *encoder,
                             struct jc_err *err)
{
    *files = (struct jc_vector_files){.keys_fd = -1, .vectors_fd = -1, .dim = encoder->dim};
    const char *identity = encoder->vectors_sha256;
    char name[64];
    jc_code code;
    snprintf(name, sizeof(name), "%.16s-%zu.keys", identity, encoder->dim);
    if ((code = jc_path_join(files->keys_path, sizeof(files->keys_path), folder, name, err)))
        return code;
    snprintf(name, sizeof(name), "%.16s-%zu.vectors", identity, encoder->dim);
    if ((code = jc_path_join(files->vectors_path, sizeof(files->vectors_path), folder, name, err)) ||
        (code = jc_dir_create(folder, err)) || (code = open_keys(files, err)) || (code = open_vectors(files, err)) ||
        (code = check_files(files, identity, err)))
        return code;
    return files->writes && !cut(files)
               ? jc_fail_errno(err, JC_E_IO, "cut '%s' to its last whole row", files->keys_path)
               : JC_OK;
}

void jc_vector_files_finish(struct jc_vector_files *files)
{
    if (files->keys_fd >= 0)
        close(files->keys_fd);
    if (files->vectors_fd >= 0)
        close(files->vectors_fd);
    files->keys_fd = files->vectors_fd = -1;
}

jc_code jc_vector_files_read(const struct jc_vector_files *files, struct jc_vector_record *ret_records,
                             struct jc_err *err)
{
    return read_at(files->keys_fd, files->keys_path, ret_records, files->n * sizeof(*ret_records),
                   sizeof(struct header), err);
}

bool jc_vector_files_append(struct jc_vector_files *files, const struct jc_vector_record *records, const float *vectors,
                            size_t n)
{
    size_t n_row = vector_bytes(files);
    const char *path = files->vectors_path;
    bool written = write_at(files->vectors_fd, vectors, n * n_row, sizeof(struct header) + files->n * n_row);
    if (written) {
        path = files->keys_path;
        written = write_at(files->keys_fd, records, n * sizeof(*records),
                           sizeof(struct header) + files->n * sizeof(*records));
    }
    if (written) {
        files->n += n;
        return true;
    }
    snprintf(files->note, sizeof(files->note), "%s cannot be written to: %s", path, strerror(errno));
    files->writes = false; /* and no cut: a reader may have mapped what there is; rows with a key are whole */
    return false;
}
