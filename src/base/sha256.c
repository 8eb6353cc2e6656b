/* SHA-256 over libnettle. See sha256.h. */
#include "base/sha256.h"

#include <nettle/sha2.h>

#include "base/file.h"

void jc_sha256_bytes(const void *data, size_t n, unsigned char ret_digest[JC_SHA256_BYTES])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, n, data);
    sha256_digest(&ctx, JC_SHA256_BYTES, ret_digest);
}

static void put_hex(const unsigned char digest[JC_SHA256_BYTES], char ret_hex[JC_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < JC_SHA256_BYTES; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[2 * JC_SHA256_BYTES] = '\0';
}

void jc_sha256_hex(const void *data, size_t n, char ret_hex[JC_SHA256_HEX])
{
    unsigned char digest[JC_SHA256_BYTES];
    jc_sha256_bytes(data, n, digest);
    put_hex(digest, ret_hex);
}

static void update(void *context, const void *bytes, size_t n)
{
    sha256_update(context, n, bytes);
}

jc_code jc_sha256_file(const char *path, char ret_hex[JC_SHA256_HEX], struct jc_err *err)
{
    struct sha256_ctx ctx;
    unsigned char digest[JC_SHA256_BYTES];
    sha256_init(&ctx);
    jc_code code = jc_file_scan(path, update, &ctx, err);
    if (code)
        return code;
    sha256_digest(&ctx, sizeof digest, digest);
    put_hex(digest, ret_hex);
    return JC_OK;
}
