/* tokenizer: greedy longest match, [UNK], truncation, chunks, a prefix and errors with a vocabulary of a few tokens. */
#include "text/tokenizer.h"

#include <stdbool.h>

#include "check.h"
#include "temp_file.h"

enum { PAD, UNK, CLS, SEP, NURSE, N, UN, AFF, ABLE, AA, A, IN_A, DOT, BRACKET, CLOSE, IN_E, IDEOGRAPH, SEPA };

static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nnurse\nn\nun\n##aff\n##able\naa\na\n##a\n.\n[\n]\n##e\n"
                                 "\xe6\xbc\xa2\nsep\n";

static struct jc_err err;

static struct jc_tokenizer *load(size_t max_tokens)
{
    struct jc_tokenizer *tokenizer = NULL;
    REQUIRE_OK(jc_tokenizer_load(write_temp(vocabulary, sizeof vocabulary - 1), max_tokens, &tokenizer, &err));
    return tokenizer;
}

static void check_ids(const struct jc_tokenizer *tokenizer, const char *text, size_t n, const int32_t *want,
                      size_t n_want)
{
    int32_t ids[512];
    size_t n_ids = 0;
    memset(ids, 0x55, sizeof ids);
    REQUIRE_OK(jc_tokenizer_encode(tokenizer, text, n, 1, ids, &n_ids, &err));
    if (!check_report(n_ids == n_want, __FILE__, __LINE__, "'%.40s': %zu ids, not %zu", text, n_ids, n_want))
        return;
    for (size_t i = 0; i < n_want; i++)
        check_report(ids[i] == want[i], __FILE__, __LINE__, "'%.40s': id %zu is %d, not %d", text, i, ids[i], want[i]);
    CHECK_INT(ids[n_ids], 0x55555555); /* nothing is written behind the ids */
}

#define CHECK_IDS(tokenizer, text, ...)                                      \
    check_ids(tokenizer, text, strlen(text), (const int32_t[]){__VA_ARGS__}, \
              sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void test_pieces(void)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load(64);
    CHECK_INT(jc_tokenizer_max_tokens(tokenizer), 64);
    CHECK_INT(jc_tokenizer_vocab_size(tokenizer), 18);
    CHECK_IDS(tokenizer, "", CLS, SEP);
    CHECK_IDS(tokenizer, " \n\xe2\x80\x8b", CLS, SEP);
    CHECK_IDS(tokenizer, "Nurse", CLS, NURSE, SEP);
    CHECK_IDS(tokenizer, "N\xc3\x9crse. nurse", CLS, NURSE, DOT, NURSE, SEP);
    CHECK_IDS(tokenizer, "unaffable", CLS, UN, AFF, ABLE, SEP);  /* the example of the BERT sources */
    CHECK_IDS(tokenizer, "unwanted unaffx", CLS, UNK, UNK, SEP); /* one [UNK] for the whole word */
    CHECK_IDS(tokenizer, "aaaa", CLS, AA, IN_A, IN_A, SEP);
    CHECK_IDS(tokenizer, "ne", CLS, N, IN_E, SEP);
    CHECK_IDS(tokenizer, "e", CLS, UNK, SEP); /* only "##e" is there */
    CHECK_IDS(tokenizer,
              "a\xe6\xbc\xa2"
              "a",
              CLS, A, IDEOGRAPH, A, SEP);
    CHECK_IDS(tokenizer, "[SEP]", CLS, BRACKET, SEPA, CLOSE, SEP);
    CHECK_IDS(tokenizer, "##a", CLS, UNK, UNK, A, SEP); /* '#' is punctuation */
}

static void test_truncation(void)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *four = load(4);
    CHECK_IDS(four, "nurse", CLS, NURSE, SEP);
    CHECK_IDS(four, "nurse nurse nurse", CLS, NURSE, NURSE, SEP);
    CHECK_IDS(four, "a unaffable", CLS, A, UN, SEP); /* cut within a word */
    CHECK_IDS(four, "a unaffx", CLS, A, UNK, SEP);   /* the rest of the word still counts */
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *two = load(2);
    CHECK_IDS(two, "nurse", CLS, SEP);
}

/* Of a text in at most max_chunks chunks. */
static void check_chunks(int line, size_t max_tokens, size_t max_chunks, const char *text, const int32_t *want,
                         size_t n_want)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load(max_tokens);
    int32_t ids[64];
    size_t n = 0;
    memset(ids, 0x55, sizeof ids);
    REQUIRE_OK(jc_tokenizer_encode(tokenizer, text, strlen(text), max_chunks, ids, &n, &err));
    bool is_same = n == n_want && memcmp(ids, want, n * sizeof *ids) == 0;
    check_report(is_same, __FILE__, line, "'%s' in %zu of %zu tokens: other ids, %zu", text, max_chunks, max_tokens, n);
    CHECK(n <= max_chunks * max_tokens);
    CHECK_INT(ids[n], 0x55555555);
}

#define CHECK_CHUNKS(max_tokens, max_chunks, text, ...)                                  \
    check_chunks(__LINE__, max_tokens, max_chunks, text, (const int32_t[]){__VA_ARGS__}, \
                 sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void test_chunks(void)
{
    CHECK_CHUNKS(4, 3, "", CLS, SEP);
    CHECK_CHUNKS(4, 3, "a", CLS, A, SEP);
    CHECK_CHUNKS(4, 3, "a n", CLS, A, N, SEP); /* exactly full */
    CHECK_CHUNKS(4, 3, "a n.", CLS, A, N, SEP, CLS, DOT, SEP);
    CHECK_CHUNKS(4, 3, "a n. a", CLS, A, N, SEP, CLS, DOT, A, SEP);
    CHECK_CHUNKS(4, 3, "a n. a n .", CLS, A, N, SEP, CLS, DOT, A, SEP, CLS, N, DOT, SEP);
    CHECK_CHUNKS(4, 3, "a n. a n . a a", CLS, A, N, SEP, CLS, DOT, A, SEP, CLS, N, DOT, SEP); /* cut */
    CHECK_CHUNKS(4, 1, "a n. a", CLS, A, N, SEP);
    CHECK_CHUNKS(4, 2, "a unaffable unaffable", CLS, A, UN, SEP, CLS, AFF, ABLE, SEP); /* within a word */
    CHECK_CHUNKS(4, 2, "unaffx unaffx unaffx", CLS, UNK, UNK, SEP, CLS, UNK, SEP);
    CHECK_CHUNKS(3, 3, "a n. a", CLS, A, SEP, CLS, N, SEP, CLS, DOT, SEP);
    CHECK_CHUNKS(3, 3, "unaffable", CLS, UN, SEP, CLS, AFF, SEP, CLS, ABLE, SEP);
    CHECK_CHUNKS(3, 16, "a", CLS, A, SEP);
    CHECK_CHUNKS(2, 16, "a n.", CLS, SEP); /* no chunk has room for any */
}

static struct jc_tokenizer *load_prefixed(size_t max_tokens, const char *prefix)
{
    struct jc_tokenizer *tokenizer = load(max_tokens);
    REQUIRE_OK(jc_tokenizer_set_prefix(tokenizer, prefix, &err));
    return tokenizer;
}

/* The prefix "un." of two tokens, of texts in at most three chunks. */
static void check_prefixed(int line, size_t max_tokens, const char *text, const int32_t *want, size_t n_want)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load_prefixed(max_tokens, "UN.");
    int32_t ids[64];
    size_t n = 0;
    memset(ids, 0x55, sizeof ids);
    REQUIRE_OK(jc_tokenizer_encode(tokenizer, text, strlen(text), 3, ids, &n, &err));
    bool is_same = n == n_want && memcmp(ids, want, n * sizeof *ids) == 0;
    check_report(is_same, __FILE__, line, "'%s' in chunks of %zu: other ids, %zu", text, max_tokens, n);
    CHECK(n <= 3 * max_tokens);
    CHECK_INT(ids[n > 2 ? n : n + 2], 0x55555555); /* the prefix may stand behind what it was taken from */
}

#define CHECK_PREFIXED(max_tokens, text, ...)                                  \
    check_prefixed(__LINE__, max_tokens, text, (const int32_t[]){__VA_ARGS__}, \
                   sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void test_prefix(void)
{
    CHECK_PREFIXED(64, "nurse", CLS, UN, DOT, NURSE, SEP);
    CHECK_PREFIXED(64, "##able", CLS, UN, DOT, UNK, UNK, UNK, SEP); /* it does not grow into the text's first word */
    CHECK_PREFIXED(64, "", CLS, SEP);
    CHECK_PREFIXED(64, " \n\xe2\x80\x8b", CLS, SEP);
    CHECK_PREFIXED(8, "a n . a", CLS, UN, DOT, A, N, DOT, A, SEP); /* exactly full */
    CHECK_PREFIXED(8, "a n . a n", CLS, UN, DOT, A, N, DOT, A, SEP, CLS, UN, DOT, N, SEP);
    CHECK_PREFIXED(8, "n n n n a a a a n n n n . .", CLS, UN, DOT, N, N, N, N, SEP, CLS, UN, DOT, A, A, A, A, SEP, CLS,
                   UN, DOT, N, N, N, N, SEP); /* cut */

    JC_AUTO(jc_tokenizer) struct jc_tokenizer *none = load_prefixed(8, "");
    CHECK_IDS(none, "nurse", CLS, NURSE, SEP);
    CHECK_IDS(none, "", CLS, SEP);
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *blank = load_prefixed(8, " \xe2\x80\x8b ");
    CHECK_IDS(blank, "nurse", CLS, NURSE, SEP);
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *least = load_prefixed(2, ""); /* no room for any, and none is asked */
    CHECK_IDS(least, "nurse", CLS, SEP);
}

static void test_wrong_prefix(void)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load(8);
    CHECK_FAILS(jc_tokenizer_set_prefix(tokenizer, "un un un", &err), JC_E_INVALID, "more than half of the 8 tokens");
    CHECK_FAILS(jc_tokenizer_set_prefix(tokenizer, "un un un un un un un un un", &err), JC_E_INVALID, "more than half");
    CHECK_FAILS(jc_tokenizer_set_prefix(tokenizer, "un\xff", &err), JC_E_INVALID, "prefix: ");
    CHECK_CONTAINS(err.text, "invalid UTF-8 at byte 2");
    CHECK_IDS(tokenizer, "nurse", CLS, NURSE, SEP); /* as it was */
    REQUIRE_OK(jc_tokenizer_set_prefix(tokenizer, "un un", &err));
    CHECK_IDS(tokenizer, "nurse", CLS, UN, UN, NURSE, SEP);
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *least = load(3);
    CHECK_FAILS(jc_tokenizer_set_prefix(least, "un", &err), JC_E_INVALID, "more than half of the 3 tokens");
}

static void test_long_words(void)
{
    static char text[1 << 22];
    memset(text, 'a', sizeof text);
    int32_t want[512] = {CLS, AA};
    for (size_t i = 2; i < 512; i++)
        want[i] = IN_A;
    want[100] = SEP; /* [CLS] aa, 98 times ##a, [SEP] */
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load(512);
    check_ids(tokenizer, text, 100, want, 101);
    const int32_t unknown[] = {CLS, UNK, SEP};
    check_ids(tokenizer, text, 101, unknown, 3);
    check_ids(tokenizer, text, sizeof text, unknown, 3);
}

static void test_errors(void)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load(8);
    int32_t ids[8];
    size_t n = 99;
    CHECK_FAILS(jc_tokenizer_encode(tokenizer, "nurse\xff", 6, 1, ids, &n, &err), JC_E_INVALID,
                "invalid UTF-8 at byte 5");
    CHECK_INT(n, 99);
    struct jc_tokenizer *none = NULL;
    CHECK_FAILS(jc_tokenizer_load(temp_path, 1, &none, &err), JC_E_INVALID, "max_tokens is 1");
    CHECK_FAILS(jc_tokenizer_load(temp_path, 513, &none, &err), JC_E_INVALID, "max_tokens is 513");
    CHECK_FAILS(jc_tokenizer_load(write_temp("[CLS]\n[UNK]\n", 12), 8, &none, &err), JC_E_FORMAT, "no token [SEP]");
    CHECK_FAILS(jc_tokenizer_load(write_temp("[SEP]\n[UNK]\n", 12), 8, &none, &err), JC_E_FORMAT, "no token [CLS]");
    CHECK_FAILS(jc_tokenizer_load(write_temp("[SEP]\n[CLS]\n", 12), 8, &none, &err), JC_E_FORMAT, "no token [UNK]");
    CHECK_FAILS(jc_tokenizer_load("/nonexistent", 8, &none, &err), JC_E_NOT_FOUND, "/nonexistent");
    CHECK(!none);
    jc_tokenizer_destroy(NULL);
}

int main(void)
{
    test_pieces();
    test_truncation();
    test_chunks();
    test_prefix();
    test_wrong_prefix();
    test_long_words();
    test_errors();
    return check_finish();
}
