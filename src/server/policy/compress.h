/*
 * gzip (RFC 1952) of a finished answer. At the fastest level: on answers of 35 KB it takes a quarter of the time of
 * zlib's default and comes out a fifth larger, still under a quarter of the original. Threads: any.
 */
#ifndef JC_SERVER_POLICY_COMPRESS_H
#define JC_SERVER_POLICY_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends data[n], compressed, to *out. False where that is no shorter, or memory is short: send it as it is. */
bool jc_compress_gzip(const void *data, size_t n, struct jc_buf *out);

#endif
