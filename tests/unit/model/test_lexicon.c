/* Lexical features against a plain list of tokens and pairs, at the limits, and the words' vector against a sum. */
#include "model/lexicon.h"

#include <stdbool.h>

#include "base/rng.h"
#include "check.h"

enum { CLS = 2, SEP = 3, MAX_IDS = 100 };

/* The documented key, put together in another way. */
static int64_t key_of(int32_t first, int32_t second)
{
    return (int64_t)first * INT64_C(4294967296) + second;
}

static int compare(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* All tokens and neighbours, sorted, doubles taken out. */
static size_t list_keys(const int32_t *ids, size_t n_ids, int64_t *ret_keys)
{
    int64_t all[JC_LEXICON_FEATURES];
    size_t n_tokens = n_ids < 3 ? 0 : n_ids - 2, n_all = 0, n = 0;
    if (n_tokens > JC_LEXICON_TOKENS)
        n_tokens = JC_LEXICON_TOKENS;
    for (size_t i = 1; i <= n_tokens; i++)
        all[n_all++] = key_of(ids[i], JC_LEXICON_ALONE);
    for (size_t i = 0; n_tokens && i <= n_tokens; i++)
        all[n_all++] = key_of(ids[i], ids[i + 1]);
    qsort(all, n_all, sizeof(*all), compare);
    for (size_t i = 0; i < n_all; i++)
        if (i == 0 || all[i] != all[i - 1])
            ret_keys[n++] = all[i];
    return n;
}

static size_t check_keys(const int32_t *ids, size_t n_ids)
{
    int64_t keys[JC_LEXICON_FEATURES], wanted[JC_LEXICON_FEATURES];
    size_t n = jc_lexicon_keys(ids, n_ids, keys);
    size_t n_wanted = list_keys(ids, n_ids, wanted);
    CHECK_INT(n, n_wanted);
    for (size_t i = 0; i < n && n == n_wanted; i++)
        CHECK_INT(keys[i], wanted[i]);
    return n;
}

static bool has(const int32_t *ids, size_t n_ids, int64_t key)
{
    int64_t keys[JC_LEXICON_FEATURES];
    size_t n = jc_lexicon_keys(ids, n_ids, keys);
    for (size_t i = 0; i < n; i++)
        if (keys[i] == key)
            return true;
    return false;
}

static void test_short(void)
{
    const int32_t none[] = {CLS, SEP}, one[] = {CLS, 7, SEP}, two[] = {CLS, 7, 8, SEP}, turned[] = {CLS, 8, 7, SEP};
    const int32_t same[] = {CLS, 7, 7, 7, SEP};
    CHECK_INT(check_keys(NULL, 0), 0);
    CHECK_INT(check_keys(none, 1), 0);
    CHECK_INT(check_keys(none, 2), 0);
    CHECK_INT(check_keys(one, 3), 3); /* the token, and that it is first and last */
    CHECK_INT(check_keys(two, 4), 5);
    CHECK_INT(check_keys(same, 5), 4);
    CHECK(has(two, 4, key_of(CLS, 7)) && !has(turned, 4, key_of(CLS, 7)));
    CHECK(has(turned, 4, key_of(7, SEP)) && !has(two, 4, key_of(7, SEP)));
    CHECK(has(two, 4, key_of(7, 8)) && !has(turned, 4, key_of(7, 8)));
    CHECK(has(two, 4, key_of(8, JC_LEXICON_ALONE)) && has(turned, 4, key_of(8, JC_LEXICON_ALONE)));
}

/* The rows of a random part of all keys over few words, against a search from the front. */
static void check_features(struct jc_rng *rng, const int32_t *ids, size_t n_ids, int32_t n_words)
{
    static int64_t known[20 * 21];
    int64_t keys[JC_LEXICON_FEATURES];
    size_t n_known = 0, n_wanted = 0;
    for (int32_t first = 0; first < n_words; first++)
        for (int32_t second = 0; second <= n_words; second++)
            if (jc_rng_next(rng) % 2)
                known[n_known++] = key_of(first, second < n_words ? second : JC_LEXICON_ALONE);
    uint32_t features[JC_LEXICON_FEATURES];
    size_t n = jc_lexicon_features(ids, n_ids, known, n_known, features), n_keys = list_keys(ids, n_ids, keys);
    for (size_t row = 0; row < n_known; row++)
        for (size_t i = 0; i < n_keys; i++)
            if (keys[i] == known[row]) {
                CHECK(n_wanted < n && features[n_wanted] == row);
                n_wanted++;
            }
    CHECK_INT(n, n_wanted);
}

static void test_random(void)
{
    struct jc_rng rng = jc_rng_seeded(5);
    for (int32_t round = 0; round < 2000; round++) {
        int32_t ids[MAX_IDS], n_words = 1 + round % 20;
        size_t n = 2 + jc_rng_next(&rng) % 60;
        for (size_t i = 0; i < n; i++)
            ids[i] = (int32_t)(jc_rng_next(&rng) % (uint64_t)n_words);
        check_keys(ids, n);
        check_features(&rng, ids, n, n_words);
    }
    const int32_t ids[] = {CLS, 7, SEP};
    uint32_t features[JC_LEXICON_FEATURES];
    const int64_t other[] = {key_of(7, 8)};
    CHECK_INT(jc_lexicon_features(ids, 3, other, 1, features), 0);
    CHECK_INT(jc_lexicon_features(ids, 3, other, 0, features), 0);
}

/* Distinct tokens up to the limit, and what follows it. */
static void test_limit(void)
{
    int32_t ids[MAX_IDS];
    int64_t keys[JC_LEXICON_FEATURES], again[JC_LEXICON_FEATURES];
    for (int32_t i = 0; i < MAX_IDS; i++)
        ids[i] = INT32_MAX - 1000 + i;
    CHECK_INT(check_keys(ids, JC_LEXICON_TOKENS + 2), JC_LEXICON_FEATURES);
    CHECK_INT(check_keys(ids, MAX_IDS), JC_LEXICON_FEATURES);
    jc_lexicon_keys(ids, MAX_IDS, keys);
    ids[JC_LEXICON_TOKENS + 2] = 5; /* behind the last pair */
    CHECK_INT(jc_lexicon_keys(ids, MAX_IDS, again), JC_LEXICON_FEATURES);
    CHECK(memcmp(keys, again, sizeof(keys)) == 0);
    ids[JC_LEXICON_TOKENS + 1] = 5; /* the second half of the last pair */
    CHECK_INT(jc_lexicon_keys(ids, MAX_IDS, again), JC_LEXICON_FEATURES);
    CHECK(memcmp(keys, again, sizeof(keys)) != 0);
}

static void test_embed(void)
{
    enum { DIM = 3, N = 10 };
    float rows[N * DIM], words[DIM] = {NAN, NAN, NAN};
    for (size_t i = 0; i < N * DIM; i++)
        rows[i] = (float)(i * i % 11) - 4;
    const uint32_t features[] = {0, 3, 4, 8, 9};
    for (size_t n = 0; n <= JC_COUNT(features); n++) {
        jc_lexicon_embed(rows, DIM, features, n, words);
        for (size_t d = 0; d < DIM; d++) {
            double sum = 0;
            for (size_t i = 0; i < n; i++)
                sum += (double)rows[features[i] * DIM + d];
            CHECK_NEAR(words[d], n ? sum / sqrt((double)n) : 0, 1e-5);
        }
    }
}

int main(void)
{
    test_short();
    test_random();
    test_limit();
    test_embed();
    return check_finish();
}
