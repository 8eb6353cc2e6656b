/* The tokenizer that the recordings were made with, and hashes over its ids as the recording script makes them. */
#ifndef JC_TESTS_TOKENS_H
#define JC_TESTS_TOKENS_H

#include "base/buf.h"
#include "golden.h"
#include "text/tokenizer.h"

#define MAX_TOKENS 256

/* Ends the test where the vocabulary is not the recorded one. */
static inline struct jc_tokenizer *load_recorded_tokenizer(void)
{
    struct jc_err err;
    char path[PATH_MAX], sha256[JC_SHA256_HEX];
    find_input("JOBCODE_WEIGHTS", "vocab.txt", path);
    json_t *summary = load_recorded("tokens.json");
    REQUIRE_OK(jc_sha256_file(path, sha256, &err));
    CHECK_STR(sha256, json_string_value(json_object_get(summary, "vocab_sha256")));
    CHECK_INT(json_integer_value(json_object_get(summary, "max_tokens")), MAX_TOKENS);
    json_decref(summary);
    struct jc_tokenizer *tokenizer = NULL;
    REQUIRE_OK(jc_tokenizer_load(path, MAX_TOKENS, &tokenizer, &err));
    return tokenizer;
}

static inline void put_i32(struct jc_buf *bytes, int32_t value)
{
    uint32_t v = (uint32_t)value;
    jc_buf_put(bytes, (unsigned char[]){v & 0xFF, v >> 8 & 0xFF, v >> 16 & 0xFF, v >> 24}, 4);
}

/* Puts the number of ids of a text, then the ids, as 32-bit little-endian integers. */
static inline void put_ids(struct jc_buf *bytes, const struct jc_tokenizer *tokenizer, const char *text, size_t n)
{
    struct jc_err err;
    int32_t ids[MAX_TOKENS];
    size_t n_ids = 0;
    REQUIRE_OK(jc_tokenizer_encode(tokenizer, text, n, 1, ids, &n_ids, &err));
    put_i32(bytes, (int32_t)n_ids);
    for (size_t i = 0; i < n_ids; i++)
        put_i32(bytes, ids[i]);
}

#endif
