/*
 * The bytes of a file, plain or gzip (told by its first bytes, whatever its name; several members one after the other
 * are one text). Regular files only: a FIFO or device given by mistake must not hang us. Threads: one at a time.
 */
#ifndef JC_DATA_STREAM_H
#define JC_DATA_STREAM_H

#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

struct jc_stream;

/* Errors: NOT_FOUND, IO, NOMEM. */
JC_MUST_CHECK jc_code jc_stream_open(const char *path, struct jc_stream **ret_stream, struct jc_err *err);
void jc_stream_destroy(struct jc_stream *stream);
JC_DEFINE_AUTO(jc_stream)

/* Reads up to `n` (> 0) bytes; *ret_n is 0 at the end of the text only.
 * Errors: IO; FORMAT (a damaged or truncated gzip, near which byte of the file); NOMEM. */
JC_MUST_CHECK jc_code jc_stream_read(struct jc_stream *stream, char *to, size_t n, size_t *ret_n, struct jc_err *err);

#endif
