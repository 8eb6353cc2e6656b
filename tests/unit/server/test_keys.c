/* The keys file: what is read, what is refused with its line, and whose a key is. */
#include "server/policy/keys.h"

#include "base/own.h"
#include "check.h"

#define HASH_A "3e744b9dc39389baf0c5a0660589b8402f3dbb49b89b3e75f2c9355852a3c677"
#define HASH_B "0000000000000000000000000000000000000000000000000000000000000001"
#define HASH_C "ABCDEF00000000000000000000000000000000000000000000000000000000ff"

static size_t find_hex(const struct jc_keys *keys, const char *hex)
{
    unsigned char digest[JC_SHA256_BYTES];
    for (size_t i = 0; i < sizeof digest; i++) {
        unsigned byte;
        REQUIRE(sscanf(hex + 2 * i, "%2x", &byte) == 1);
        digest[i] = (unsigned char)byte;
    }
    return jc_keys_find(keys, digest);
}

static void test_good(void)
{
    static const char text[] = "# ours\n\n  billing:" HASH_A "\r\n\tA.b-c_9:" HASH_B "  \nbilling:" HASH_C;
    struct jc_err err;
    JC_AUTO_FINISH(jc_keys) struct jc_keys keys = {0};
    REQUIRE_OK(jc_keys_parse(text, sizeof text - 1, &keys, &err));
    CHECK_INT(keys.n_keys, 3);
    REQUIRE(keys.n_names == 2);
    CHECK_STR(keys.names[0], "billing");
    CHECK_STR(keys.names[1], "A.b-c_9");
    CHECK_INT(find_hex(&keys, HASH_A), 0);
    CHECK_INT(find_hex(&keys, HASH_B), 1);
    CHECK_INT(find_hex(&keys, HASH_C), 0);
    /* A digest that differs in one bit is no one's, wherever the bit is. */
    for (size_t bit = 0; bit < 8 * JC_SHA256_BYTES; bit++) {
        unsigned char digest[JC_SHA256_BYTES];
        memcpy(digest, keys.keys[1].digest, sizeof digest);
        digest[bit / 8] ^= (unsigned char)(1U << bit % 8);
        CHECK_INT(jc_keys_find(&keys, digest), keys.n_names);
    }
}

static void test_empty(void)
{
    struct jc_err err;
    JC_AUTO_FINISH(jc_keys) struct jc_keys keys = {0};
    REQUIRE_OK(jc_keys_parse("", 0, &keys, &err));
    CHECK_INT(keys.n_keys, 0);
    CHECK_INT(find_hex(&keys, HASH_B), 0); /* n_names: no one */
}

static void check_refused(const char *text, size_t n, const char *part)
{
    struct jc_err err;
    struct jc_keys keys = {0};
    CHECK_FAILS(jc_keys_parse(text, n, &keys, &err), JC_E_INVALID, part);
    CHECK(!strstr(err.text, "s3cret")); /* a key in the wrong place is not told */
    CHECK(!keys.keys && !keys.names);
}

static void test_bad(void)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"billing", "line 1"},
        {"s3cret-s3cret-s3cret", "line 1: expected name:sha256"},
        {"\n# x\n:" HASH_A, "line 3"},
        {"bil ling:" HASH_A, "line 1"},
        {"b\xc3\xbcro:" HASH_A, "line 1"},
        {"\"quoted\":" HASH_A, "line 1"},
        {"a-name-of-thirty-three-characters:" HASH_A, "line 1"},
        {"billing:s3cret", "SHA-256"},
        {"billing: " HASH_A, "SHA-256"},
        {"billing:" HASH_A "0", "SHA-256"},
        {"billing:g" HASH_B, "SHA-256"},
        {"billing:g000000000000000000000000000000000000000000000000000000000000001", "SHA-256"},
        {"a:" HASH_A "\nb:" HASH_A "\n", "line 2: the same key"},
        {"a:" HASH_B "\na:" HASH_B "\n", "line 2: the same key"},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++)
        check_refused(rows[i].text, strlen(rows[i].text), rows[i].part);
    check_refused("a\0b:" HASH_A, 4 + 64, "line 1");
    check_refused("a:\0" HASH_A, 3 + 64, "SHA-256");
}

static void test_caps(void)
{
    struct jc_err err;
    struct jc_keys keys = {0};
    JC_AUTO_FREE char *text = malloc((JC_KEYS_MAX + 1) * 80);
    REQUIRE(text);
    size_t n = 0;
    for (int i = 0; i <= JC_KEYS_MAX; i++)
        n += (size_t)sprintf(text + n, "k:%064x\n", i);
    CHECK_FAILS(jc_keys_parse(text, n, &keys, &err), JC_E_TOO_LARGE, "line 1001");
    n = 0;
    for (int i = 0; i <= JC_KEY_NAMES_MAX; i++)
        n += (size_t)sprintf(text + n, "k%d:%064x\n", i, i);
    CHECK_FAILS(jc_keys_parse(text, n, &keys, &err), JC_E_TOO_LARGE, "line 257");
}

int main(void)
{
    test_good();
    test_empty();
    test_bad();
    test_caps();
    return check_finish();
}
