/* Plain and gzip files as one stream of bytes. */
#include "data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { N_INPUT = 128 << 10 };

struct jc_stream {
    char *path;
    int fd;
    uint64_t n_read; /* bytes of the file that were read so far */
    bool gzip;
    bool between; /* gzip: at the end of a member, so that the file may end here */
    z_stream z;
    size_t at, n; /* what is left of `input`, for plain files */
    unsigned char input[N_INPUT];
};

static jc_code read_file(struct jc_stream *stream, void *to, size_t n, size_t *ret_n, struct jc_err *err)
{
    ssize_t n_read;
    do
        n_read = read(stream->fd, to, n);
    while (n_read < 0 && errno == EINTR);
    if (n_read < 0)
        return jc_fail_errno(err, JC_E_IO, "read '%s'", stream->path);
    stream->n_read += (size_t)n_read;
    *ret_n = (size_t)n_read;
    return JC_OK;
}

static jc_code open_file(struct jc_stream *stream, const char *path, struct jc_err *err)
{
    stream->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (stream->fd < 0)
        return jc_fail_errno(err, errno == ENOENT ? JC_E_NOT_FOUND : JC_E_IO, "open '%s'", path);
    struct stat st;
    if (fstat(stream->fd, &st) != 0)
        return jc_fail_errno(err, JC_E_IO, "stat '%s'", path);
    if (!S_ISREG(st.st_mode))
        return jc_fail(err, JC_E_IO, "'%s' is not a regular file", path);
    return JC_OK;
}

/* Reads the first bytes and decides what the file is. */
static jc_code detect_gzip(struct jc_stream *stream, struct jc_err *err)
{
    while (stream->n < 2) {
        size_t n = 0;
        jc_code code = read_file(stream, stream->input + stream->n, N_INPUT - stream->n, &n, err);
        if (code)
            return code;
        if (n == 0)
            break;
        stream->n += n;
    }
    if (stream->n < 2 || stream->input[0] != 0x1f || stream->input[1] != 0x8b)
        return JC_OK;
    /* 15: the largest window there is; +16: gzip's header and checksum. */
    if (inflateInit2(&stream->z, 15 + 16) != Z_OK)
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", stream->path);
    stream->gzip = true;
    stream->z.next_in = stream->input;
    stream->z.avail_in = (uInt)stream->n;
    return JC_OK;
}

jc_code jc_stream_open(const char *path, struct jc_stream **ret_stream, struct jc_err *err)
{
    JC_AUTO(jc_stream) struct jc_stream *stream = calloc(1, sizeof(*stream));
    if (stream)
        stream->fd = -1;
    if (!stream || !(stream->path = strdup(path)))
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", path);
    jc_code code = open_file(stream, path, err);
    if (code || (code = detect_gzip(stream, err)))
        return code;
    *ret_stream = TAKE(stream);
    return JC_OK;
}

void jc_stream_destroy(struct jc_stream *stream)
{
    if (!stream)
        return;
    if (stream->gzip)
        inflateEnd(&stream->z);
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream->path);
    free(stream);
}

/* Where in the file the next compressed byte stands. */
static unsigned long long find_position(const struct jc_stream *stream)
{
    return stream->n_read - stream->z.avail_in;
}

/* Fills the compressed input where it is empty. */
static jc_code refill(struct jc_stream *stream, bool *ret_end, struct jc_err *err)
{
    *ret_end = false;
    if (stream->z.avail_in > 0)
        return JC_OK;
    size_t n = 0;
    jc_code code = read_file(stream, stream->input, N_INPUT, &n, err);
    if (code)
        return code;
    stream->z.next_in = stream->input;
    stream->z.avail_in = (uInt)n;
    *ret_end = n == 0;
    return JC_OK;
}

/* Behind a member: zero bytes (the padding that tapes and some tools leave) are skipped, anything else begins the next
 * member. */
static void start_member(struct jc_stream *stream)
{
    while (stream->z.avail_in > 0 && *stream->z.next_in == 0) {
        stream->z.next_in++;
        stream->z.avail_in--;
    }
    if (stream->z.avail_in == 0)
        return;
    inflateReset(&stream->z);
    stream->between = false;
}

static jc_code inflate_some(struct jc_stream *stream, struct jc_err *err)
{
    int status = inflate(&stream->z, Z_NO_FLUSH);
    if (status == Z_STREAM_END)
        stream->between = true;
    if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR)
        return JC_OK;
    if (status == Z_MEM_ERROR)
        return jc_fail(err, JC_E_NOMEM, "no memory to read '%s'", stream->path);
    return jc_fail(err, JC_E_FORMAT, "%s: damaged gzip near byte %llu: %s", stream->path, find_position(stream),
                   stream->z.msg ? stream->z.msg : "a dictionary is wanted");
}

static jc_code read_gzip(struct jc_stream *stream, char *to, size_t n, size_t *ret_n, struct jc_err *err)
{
    uInt room = n > UINT_MAX ? UINT_MAX : (uInt)n;
    stream->z.next_out = (Bytef *)to;
    stream->z.avail_out = room;
    while (stream->z.avail_out == room) {
        bool end;
        jc_code code = refill(stream, &end, err);
        if (code)
            return code;
        if (end && stream->between)
            break;
        if (end)
            return jc_fail(err, JC_E_FORMAT, "%s: truncated gzip: it ends at byte %llu, in mid-stream", stream->path,
                           find_position(stream));
        if (stream->between)
            start_member(stream);
        if (!stream->between && (code = inflate_some(stream, err)))
            return code;
    }
    *ret_n = room - stream->z.avail_out;
    return JC_OK;
}

jc_code jc_stream_read(struct jc_stream *stream, char *to, size_t n, size_t *ret_n, struct jc_err *err)
{
    if (stream->gzip)
        return read_gzip(stream, to, n, ret_n, err);
    if (stream->at == stream->n)
        return read_file(stream, to, n, ret_n, err);
    size_t left = stream->n - stream->at;
    *ret_n = n < left ? n : left;
    memcpy(to, stream->input + stream->at, *ret_n);
    stream->at += *ret_n;
    return JC_OK;
}
