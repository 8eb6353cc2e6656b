/* --hash-key: the line it writes is one the keys file takes, for that key and no other. */
#include "server/policy/hash_key.h"

#include <stdint.h>

#include "base/own.h"
#include "check.h"
#include "server/policy/keys.h"

static jc_code hash(const char *name, const char *typed, char **ret_line, struct jc_err *err)
{
    size_t n_line = 0;
    JC_AUTO_FILE FILE *in = typed[0] ? fmemopen((void *)(uintptr_t)typed, strlen(typed), "r") : fopen("/dev/null", "r");
    FILE *out = open_memstream(ret_line, &n_line);
    REQUIRE(in && out);
    jc_code code = jc_hash_key(name, in, out, err);
    fclose(out);
    return code;
}

static void test_good(void)
{
    static const char key[] = "0123456789abcdef";
    static const char *const typed[] = {"0123456789abcdef", "0123456789abcdef\n", "0123456789abcdef\r\nmore\n"};
    for (size_t i = 0; i < JC_COUNT(typed); i++) {
        struct jc_err err;
        JC_AUTO_FREE char *line = NULL;
        REQUIRE_OK(hash("billing", typed[i], &line, &err));
        JC_AUTO_FINISH(jc_keys) struct jc_keys keys = {0};
        REQUIRE_OK(jc_keys_parse(line, strlen(line), &keys, &err));
        unsigned char digest[JC_SHA256_BYTES];
        jc_sha256_bytes(key, strlen(key), digest);
        CHECK_INT(jc_keys_find(&keys, digest), 0);
        CHECK_INT(keys.n_names, 1);
        CHECK(!strstr(line, key));
    }
}

static void test_bad(void)
{
    static const struct {
        const char *name, *typed, *part;
    } rows[] = {
        {"", "0123456789abcdef", "the name ''"},
        {"a:b", "0123456789abcdef", "the name 'a:b'"},
        {"billing", "", "no key"},
        {"billing", "\n0123456789abcdef", "0 bytes"},
        {"billing", "0123456789abcde\n", "15 bytes"},
        {"billing", "0123456789 bcdef", "byte 11"},
        {"billing", "0123456789abcde\xc3\xbc", "byte 16"},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_err err;
        JC_AUTO_FREE char *line = NULL;
        CHECK_FAILS(hash(rows[i].name, rows[i].typed, &line, &err), JC_E_INVALID, rows[i].part);
        CHECK_STR(line, "");
    }
}

int main(void)
{
    test_good();
    test_bad();
    return check_finish();
}
