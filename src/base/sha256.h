/* SHA-256 (libnettle), as 32 bytes, or as 64 lower-case hexadecimal digits and a NUL. */
#ifndef JC_BASE_SHA256_H
#define JC_BASE_SHA256_H

#include <stddef.h>

#include "base/err.h"

#define JC_SHA256_BYTES 32
#define JC_SHA256_HEX 65 /* bytes of the text with its NUL */

void jc_sha256_bytes(const void *data, size_t n, unsigned char ret_digest[JC_SHA256_BYTES]);
void jc_sha256_hex(const void *data, size_t n, char ret_hex[JC_SHA256_HEX]);

/* Errors: NOT_FOUND, IO. */
JC_MUST_CHECK jc_code jc_sha256_file(const char *path, char ret_hex[JC_SHA256_HEX], struct jc_err *err);

#endif
