/* gzip of answers. See compress.h. */
#include "server/policy/compress.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* a window of 32 KiB, with the gzip wrapper: zlib.h, deflateInit2 */
#define MEM_LEVEL 8

bool jc_compress_gzip(const void *data, size_t n, struct jc_buf *out)
{
    z_stream stream = {0};
    if (n > UINT_MAX ||
        deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    /* Room for less than there was: what does not fit is not worth sending. */
    char *room = n > 1 ? jc_buf_reserve(out, n - 1) : NULL;
    if (room) {
        stream.next_in = (unsigned char *)(uintptr_t)data;
        stream.avail_in = (unsigned)n;
        stream.next_out = (unsigned char *)room;
        stream.avail_out = (unsigned)(n - 1);
    }
    bool done = room && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    if (done) {
        out->n += stream.total_out;
        out->data[out->n] = '\0';
    }
    deflateEnd(&stream);
    return done;
}
