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

void jc_sha256_hex(const void *data, size_t n, char ret_hex[JC_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[JC_SHA256_BYTES];
    jc_sha256_bytes(data, n, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[2 * sizeof digest] = '\0';
}

jc_code jc_sha256_file(const char *path, char ret_hex[JC_SHA256_HEX], struct jc_err *err)
{
    JC_AUTO_FINISH(jc_map) struct jc_map map = {0};
    jc_code code = jc_map_file(path, &map, err);
    if (code)
        return code;
    jc_sha256_hex(map.data, map.n, ret_hex);
    return JC_OK;
}
