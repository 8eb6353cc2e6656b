/* WordPiece over the words of the normaliser: the greedy longest match from the left. */
#include "text/tokenizer.h"

#include <stdbool.h>
#include <string.h>

#include "text/normalize.h"
#include "text/utf8.h"
#include "text/vocab.h"

#define MIN_TOKENS 2u
#define MAX_TOKENS 512u

struct jc_tokenizer {
    struct jc_vocab *vocab;
    size_t max_tokens;
    int32_t cls, sep, unk;
    int32_t *prefix; /* [n_prefix]: what stands behind each [CLS] */
    size_t n_prefix;
};

/* An encoding under way. */
struct encoding {
    const struct jc_tokenizer *tokenizer;
    int32_t *ids;
    size_t n;
    size_t n_max;    /* of the chunk under way, less [SEP] */
    size_t n_chunks; /* that may still begin */
};

static jc_code find_special(const struct jc_vocab *vocab, const char *token, const char *path, int32_t *ret_id,
                            struct jc_err *err)
{
    int32_t id = jc_vocab_find(vocab, token, strlen(token));
    if (id < 0)
        return jc_fail(err, JC_E_FORMAT, "%s: no token %s", path, token);
    *ret_id = id;
    return JC_OK;
}

jc_code jc_tokenizer_load(const char *vocab_path, size_t max_tokens, struct jc_tokenizer **ret_tokenizer,
                          struct jc_err *err)
{
    if (max_tokens < MIN_TOKENS || max_tokens > MAX_TOKENS)
        return jc_fail(err, JC_E_INVALID, "max_tokens is %zu, not %u to %u", max_tokens, MIN_TOKENS, MAX_TOKENS);
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    if (!tokenizer)
        return jc_fail(err, JC_E_NOMEM, "out of memory for a tokenizer");
    tokenizer->max_tokens = max_tokens;
    jc_code code = jc_vocab_load(vocab_path, &tokenizer->vocab, err);
    if (code == JC_OK)
        code = find_special(tokenizer->vocab, "[CLS]", vocab_path, &tokenizer->cls, err);
    if (code == JC_OK)
        code = find_special(tokenizer->vocab, "[SEP]", vocab_path, &tokenizer->sep, err);
    if (code == JC_OK)
        code = find_special(tokenizer->vocab, "[UNK]", vocab_path, &tokenizer->unk, err);
    if (code != JC_OK)
        return code;
    *ret_tokenizer = TAKE(tokenizer);
    return JC_OK;
}

void jc_tokenizer_destroy(struct jc_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    jc_vocab_destroy(tokenizer->vocab);
    free(tokenizer->prefix);
    free(tokenizer);
}

size_t jc_tokenizer_max_tokens(const struct jc_tokenizer *tokenizer)
{
    return tokenizer->max_tokens;
}

size_t jc_tokenizer_vocab_size(const struct jc_tokenizer *tokenizer)
{
    return jc_vocab_size(tokenizer->vocab);
}

/* The pieces of one word, or [UNK] for the whole word where a rest of it has none. Returns how many. */
static size_t split_word(const struct jc_tokenizer *tokenizer, const char *word, size_t n,
                         int32_t ret_pieces[JC_WORD_MAX_CHARS])
{
    size_t n_pieces = 0;
    for (size_t at = 0; word && at < n;) {
        size_t n_piece = 0;
        int32_t id = jc_vocab_longest(tokenizer->vocab, at > 0, word + at, n - at, &n_piece);
        if (id < 0) {
            n_pieces = 0;
            break;
        }
        ret_pieces[n_pieces++] = id;
        at += n_piece;
    }
    if (n_pieces > 0)
        return n_pieces;
    ret_pieces[0] = tokenizer->unk;
    return 1;
}

static void begin_chunk(struct encoding *encoding)
{
    const struct jc_tokenizer *tokenizer = encoding->tokenizer;
    encoding->ids[encoding->n++] = tokenizer->cls;
    for (size_t i = 0; i < tokenizer->n_prefix; i++)
        encoding->ids[encoding->n++] = tokenizer->prefix[i];
}

/* Room for one more id, in another chunk where this one is full. */
static bool make_room(struct encoding *encoding)
{
    if (encoding->n < encoding->n_max)
        return true;
    if (encoding->n_chunks == 0)
        return false;
    encoding->ids[encoding->n++] = encoding->tokenizer->sep;
    begin_chunk(encoding);
    encoding->n_max += encoding->tokenizer->max_tokens;
    encoding->n_chunks--;
    return true;
}

static bool encode_word(void *context, const char *word, size_t n)
{
    struct encoding *encoding = context;
    int32_t pieces[JC_WORD_MAX_CHARS]; /* each holds at least one character of the word */
    size_t n_pieces = split_word(encoding->tokenizer, word, n, pieces);
    for (size_t i = 0; i < n_pieces; i++) {
        if (!make_room(encoding))
            return false;
        encoding->ids[encoding->n++] = pieces[i];
    }
    return encoding->n < encoding->n_max || encoding->n_chunks > 0;
}

jc_code jc_tokenizer_encode(const struct jc_tokenizer *tokenizer, const char *text, size_t n, size_t max_chunks,
                            int32_t *ret_ids, size_t *ret_n, struct jc_err *err)
{
    jc_code code = jc_utf8_check("text", text, n, err);
    if (code != JC_OK)
        return code;
    const size_t n_first = 1 + tokenizer->n_prefix; /* of a chunk, before the text */
    struct encoding encoding = {.tokenizer = tokenizer, .ids = ret_ids, .n_max = tokenizer->max_tokens - 1};
    if (tokenizer->max_tokens > n_first + 1)
        encoding.n_chunks = max_chunks - 1;
    begin_chunk(&encoding);
    if (encoding.n < encoding.n_max)
        jc_normalize(text, n, encode_word, &encoding);
    if (encoding.n == n_first)
        encoding.n = 1; /* nothing is no text, whatever stands before it */
    ret_ids[encoding.n++] = tokenizer->sep;
    *ret_n = encoding.n;
    return JC_OK;
}

jc_code jc_tokenizer_set_prefix(struct jc_tokenizer *tokenizer, const char *prefix, struct jc_err *err)
{
    int32_t ids[MAX_TOKENS];
    size_t n;
    jc_code code = jc_tokenizer_encode(tokenizer, prefix, strlen(prefix), 1, ids, &n, err);
    if (code)
        return jc_wrap(err, "prefix");
    if (n * 2 > tokenizer->max_tokens && n > 2)
        return jc_fail(err, JC_E_INVALID, "the prefix takes more than half of the %zu tokens of a text",
                       tokenizer->max_tokens);
    int32_t *copy = malloc(n * sizeof *copy);
    if (!copy)
        return jc_fail(err, JC_E_NOMEM, "out of memory for a tokenizer");
    memcpy(copy, ids + 1, (n - 2) * sizeof *copy);
    free(tokenizer->prefix);
    tokenizer->prefix = copy;
    tokenizer->n_prefix = n - 2;
    return JC_OK;
}
