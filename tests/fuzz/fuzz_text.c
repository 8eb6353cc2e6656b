/*
 * libFuzzer: bytes as a posting (title, a line feed, body), cleaned and tokenised. Checked besides the sanitizers: the
 * cleaned text of every part is valid UTF-8, trimmed, no longer than its source; ids are of the vocabulary and within
 * the maximum, alone and in chunks.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/posting.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#define MAX_TOKENS 32
#define MAX_CHUNKS 3

#define ENSURE(x)                                                   \
    do {                                                            \
        if (!(x)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
            abort();                                                \
        }                                                           \
    } while (0)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

/* A vocabulary small enough for the fuzzer to meet all of it. */
static struct jc_tokenizer *load_tokenizer(void)
{
    static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nab\n##a\n##b\n##ab\n##abab\n.\n<\n&\n"
                                     "\xc3\xa6\n##\xc3\xa6\n\xe6\xbc\xa2\nabababababababababababababababababab\n";
    char path[] = "/tmp/jobcode-fuzz-XXXXXX";
    struct jc_err err;
    struct jc_tokenizer *tokenizer = NULL;
    int fd = mkstemp(path);
    ENSURE(fd >= 0 && write(fd, vocabulary, sizeof vocabulary - 1) == (ssize_t)sizeof vocabulary - 1);
    ENSURE(jc_tokenizer_load(path, MAX_TOKENS, &tokenizer, &err) == JC_OK);
    close(fd);
    unlink(path);
    return tokenizer;
}

/* The same in chunks: the first is the one chunk, all but the last are full. */
static void check_chunks(const struct jc_tokenizer *tokenizer, const char *text, size_t n, const int32_t *first,
                         size_t n_first)
{
    struct jc_err err;
    int32_t ids[MAX_CHUNKS * MAX_TOKENS];
    size_t n_ids = 0;
    ENSURE(jc_tokenizer_encode(tokenizer, text, n, MAX_CHUNKS, ids, &n_ids, &err) == JC_OK);
    ENSURE(n_ids >= n_first && n_ids <= sizeof ids / sizeof *ids && memcmp(ids, first, n_first * sizeof *ids) == 0);
    for (size_t i = 0; i < n_ids; i++) {
        bool is_last = i + 1 == n_ids;
        ENSURE((ids[i] == 2) == (i % MAX_TOKENS == 0));
        ENSURE((ids[i] == 3) == (i % MAX_TOKENS == MAX_TOKENS - 1 || is_last));
    }
    ENSURE(n_ids <= MAX_TOKENS || n_ids % MAX_TOKENS == 0 || n_ids % MAX_TOKENS > 2);
}

static void check_encoding(const struct jc_tokenizer *tokenizer, const char *text, size_t n)
{
    struct jc_err err;
    int32_t ids[MAX_TOKENS];
    size_t n_ids = 0;
    jc_code code = jc_tokenizer_encode(tokenizer, text, n, 1, ids, &n_ids, &err);
    ENSURE(code == jc_utf8_check("text", text, n, &err));
    if (code != JC_OK)
        return;
    ENSURE(n_ids >= 2 && n_ids <= MAX_TOKENS && ids[0] == 2 && ids[n_ids - 1] == 3);
    for (size_t i = 0; i < n_ids; i++)
        ENSURE(ids[i] >= 0 && (size_t)ids[i] < jc_tokenizer_vocab_size(tokenizer));
    check_chunks(tokenizer, text, n, ids, n_ids);
}

/* The cleaned text is no longer than what it was made from, valid, trimmed and squeezed. */
static void check_text(const struct jc_posting *posting, enum jc_posting_part part)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf text = {0};
    ENSURE(jc_posting_text(posting, part, &text, &err) == JC_OK);
    ENSURE(part == JC_POSTING_TITLE_BODY ? text.n <= posting->n_title + posting->n_body + 2
                                         : text.n <= posting->n_title || text.n <= posting->n_body);
    ENSURE(jc_utf8_check("cleaned", text.data, text.n, &err) == JC_OK);
    ENSURE(text.n == 0 || (text.data[0] != ' ' && text.data[text.n - 1] != ' '));
    ENSURE(text.n == 0 || !memmem(text.data, text.n, "  ", 2));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static struct jc_tokenizer *tokenizer;
    if (!tokenizer)
        tokenizer = load_tokenizer();
    const char *title = (const char *)data;
    const char *end = n > 0 ? memchr(title, '\n', n) : NULL;
    struct jc_posting posting = {.title = title, .n_title = end ? (size_t)(end - title) : n};
    if (end) {
        posting.body = end + 1;
        posting.n_body = n - posting.n_title - 1;
    }
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf text = {0};
    check_encoding(tokenizer, title, n);
    if (jc_posting_text(&posting, JC_POSTING_TITLE, &text, &err) != JC_OK)
        return 0;
    for (int part = JC_POSTING_TITLE; part <= JC_POSTING_TITLE_BODY; part++)
        check_text(&posting, (enum jc_posting_part)part);
    check_encoding(tokenizer, text.data, text.n);
    return 0;
}
