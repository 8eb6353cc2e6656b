/* A line for the keys file. See hash_key.h. */
#include "server/policy/hash_key.h"

#include <string.h>

#include "base/own.h"
#include "server/policy/keys.h"

jc_code jc_hash_key(const char *name, FILE *in, FILE *out, struct jc_err *err)
{
    if (!jc_key_name_is_valid(name))
        return jc_fail(err, JC_E_INVALID, "the name '%s': expected 1 to %d characters A-Za-z0-9._-", name,
                       JC_KEY_NAME - 1);
    JC_AUTO_FREE char *key = NULL;
    size_t cap = 0;
    ssize_t n_read = getline(&key, &cap, in);
    if (n_read < 0)
        return jc_fail(err, JC_E_INVALID, "no key on standard input");
    size_t n = (size_t)n_read;
    while (n && (key[n - 1] == '\n' || key[n - 1] == '\r'))
        n--;
    if (n < JC_KEY_BYTES_MIN)
        return jc_fail(err, JC_E_INVALID, "a key of %zu bytes: expected at least %d", n, JC_KEY_BYTES_MIN);
    for (size_t i = 0; i < n; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return jc_fail(err, JC_E_INVALID, "byte %zu of the key is no visible ASCII character", i + 1);
    char hex[JC_SHA256_HEX];
    jc_sha256_hex(key, n, hex);
    explicit_bzero(key, cap);
    if (fprintf(out, "%s:%s\n", name, hex) < 0 || fflush(out) != 0)
        return jc_fail_errno(err, JC_E_IO, "write the line");
    return JC_OK;
}
