/* Token ids against the recorded ones: a list of texts, and every code point between two letters. */
#include "text/normalize.h"
#include "text/utf8.h"
#include "tokens.h"

#define MAX_LINE_BYTES (1 << 20)

/* One line of tokens.jsonl. */
static void check_text(const struct jc_tokenizer *tokenizer, const json_t *record, size_t line)
{
    struct jc_err err;
    const json_t *text = json_object_get(record, "text"), *want = json_object_get(record, "ids");
    REQUIRE(json_is_string(text) && json_is_array(want));
    int32_t ids[MAX_TOKENS];
    size_t n = 0;
    REQUIRE_OK(jc_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), 1, ids, &n, &err));
    size_t n_want = json_array_size(want), i = 0;
    while (i < n && i < n_want && ids[i] == json_integer_value(json_array_get(want, i)))
        i++;
    check_report(i == n && i == n_want, __FILE__, __LINE__, "tokens.jsonl:%zu: ids differ from id %zu on", line, i);
}

static void test_texts(const struct jc_tokenizer *tokenizer)
{
    char path[PATH_MAX];
    find_recorded("tokens.jsonl", path);
    JC_AUTO_FILE FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    JC_AUTO_FREE char *line = malloc(MAX_LINE_BYTES);
    size_t n_lines = 0;
    while (fgets(line, MAX_LINE_BYTES, file)) {
        n_lines++;
        json_t *record = json_loads(line, JSON_ALLOW_NUL, NULL);
        REQUIRE(record != NULL);
        check_text(tokenizer, record, n_lines);
        json_decref(record);
    }
    CHECK(n_lines > 800);
}

static bool put_word(void *context, const char *word, size_t n)
{
    struct jc_buf *words = context;
    jc_buf_put(words, word, n);
    jc_buf_putc(words, '\n');
    return true;
}

/* The first 16 digits of the hash of what was put, which goes. */
static const char *hash_short(struct jc_buf *bytes)
{
    static char hex[JC_SHA256_HEX];
    jc_sha256_hex(bytes->data, bytes->n, hex);
    jc_buf_clear(bytes);
    hex[16] = 0;
    return hex;
}

static void check_block(const struct jc_tokenizer *tokenizer, uint32_t first, uint32_t last, const char *want_ids,
                        const char *want_words)
{
    JC_AUTO_BUF struct jc_buf ids = {0}, words = {0};
    for (uint32_t c = first; c <= last; c++) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        char text[16] = "a";
        size_t n = 1 + jc_utf8_put(c, text + 1);
        text[n++] = 'b';
        put_ids(&ids, tokenizer, text, n);
        n = 4 + jc_utf8_put(c, (char *)memcpy(text, "A\xe3\x80\xae", 4) + 4); /* U+302E, class 224 */
        memcpy(text + n,
               "\xe1\xad\x84"
               "B",
               4); /* U+1B44, class 9 */
        jc_normalize(text, n + 4, put_word, &words);
    }
    const char *got = hash_short(&ids);
    check_report(strcmp(got, want_ids) == 0, __FILE__, __LINE__, "ids of U+%04X to U+%04X: %s, not %s", first, last,
                 got, want_ids);
    got = hash_short(&words);
    check_report(strcmp(got, want_words) == 0, __FILE__, __LINE__, "words of U+%04X to U+%04X: %s, not %s", first, last,
                 got, want_words);
}

static void test_every_code_point(const struct jc_tokenizer *tokenizer)
{
    char path[PATH_MAX];
    find_recorded("sweep.tsv", path);
    JC_AUTO_FILE FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    unsigned first, last, next = 0;
    char ids[17], words[17];
    while (fscanf(file, "%x %x %16s %16s", &first, &last, ids, words) == 4) {
        CHECK_INT(first, next);
        check_block(tokenizer, first, last, ids, words);
        next = last + 1;
    }
    CHECK_INT(next, 0x110000);
}

int main(void)
{
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = load_recorded_tokenizer();
    test_texts(tokenizer);
    test_every_code_point(tokenizer);
    return check_finish();
}
