/* What the tests of the readers share: a temporary folder, files in it, plain or gzip. `err` is the test's own. */
#ifndef JC_TESTS_DATA_FILES_H
#define JC_TESTS_DATA_FILES_H

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

#include "base/file.h"
#include "check.h"

static struct jc_err err;
static char folder[] = "/tmp/jobcode_test.XXXXXX";

/* The path of a file of the folder, until the call after the next. */
static inline const char *path_of(const char *name)
{
    static char paths[2][PATH_MAX];
    static int turn;
    char *path = paths[turn ^= 1];
    REQUIRE_OK(jc_path_join(path, PATH_MAX, folder, name, &err));
    return path;
}

static inline const char *write_file(const char *name, const void *bytes, size_t n)
{
    const char *path = path_of(name);
    REQUIRE_OK(jc_file_write(path, bytes, n, &err));
    return path;
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_file(name, text, strlen(text));
}

/* Appends the text as one gzip member: zlib compression level 0 to 9. */
static inline void put_gzip(struct jc_buf *buf, const void *bytes, size_t n, int level)
{
    z_stream z = {0};
    REQUIRE(deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&z, n);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)jc_buf_reserve(buf, room);
    z.avail_out = (uInt)room;
    REQUIRE(z.next_out && deflate(&z, Z_FINISH) == Z_STREAM_END);
    buf->n += z.total_out;
    deflateEnd(&z);
}

#endif
