/*
 * The vocabulary as one pool of bytes and an open-addressing hash table over it. The hash (FNV-1a, 32 bits) runs from
 * left to right, so one pass over a word gives the hash of each of its prefixes, and "##" is a start value.
 */
#include "text/vocab.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "text/utf8.h"

#define MAX_FILE_BYTES ((size_t)64 << 20)
#define FNV_START UINT32_C(2166136261)
#define FNV_PRIME UINT32_C(16777619)

/* Most prefixes of a word are no token. Which lengths (in bytes) occur at all among the tokens that begin with the
 * same two bytes is a bit mask small enough to stay in the first-level cache; bit 31 stands for 31 bytes and more. */
#define N_LENGTH_MASKS 2048u
#define LONGEST_BIT 31u

struct slot {
    uint32_t hash;
    int32_t id; /* -1 = free */
};

struct jc_vocab {
    char *pool;       /* the file's bytes, one token behind the other, each followed by its line end */
    uint32_t *begin;  /* [n]: where token id begins in the pool */
    uint32_t *length; /* [n]: bytes */
    size_t n;
    struct slot *slots; /* [mask + 1], a power of two, at most half full */
    uint32_t mask;
    uint32_t lengths[2][N_LENGTH_MASKS]; /* [inside], by mask_index */
};

static uint32_t hash_step(uint32_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * FNV_PRIME;
}

static uint32_t hash_start(bool inside)
{
    return inside ? hash_step(hash_step(FNV_START, '#'), '#') : FNV_START;
}

static uint32_t hash_token(const char *token, size_t n)
{
    uint32_t hash = FNV_START;
    for (size_t i = 0; i < n; i++)
        hash = hash_step(hash, token[i]);
    return hash;
}

/* Spreads the hash over the table: FNV's high bits are the better ones (Fibonacci hashing, Knuth 6.4). */
static uint32_t slot_index(const struct jc_vocab *vocab, uint32_t hash)
{
    return (hash * UINT32_C(2654435769) >> 8) & vocab->mask;
}

static uint32_t mask_index(const char *text, size_t n)
{
    uint32_t second = n > 1 ? (unsigned char)text[1] : 0;
    return ((uint32_t)(unsigned char)text[0] * 37u + second) & (N_LENGTH_MASKS - 1);
}

static uint32_t length_bit(size_t n)
{
    return UINT32_C(1) << (n < LONGEST_BIT ? n : LONGEST_BIT);
}

/* The id of the token with this hash that is "##" (where inside) and text[0..n), or -1. */
static int32_t find_hashed(const struct jc_vocab *vocab, uint32_t hash, bool inside, const char *text, size_t n)
{
    size_t skip = inside ? 2 : 0;
    for (uint32_t at = slot_index(vocab, hash);; at = (at + 1) & vocab->mask) {
        const struct slot *slot = &vocab->slots[at];
        if (slot->id < 0)
            return -1;
        if (slot->hash != hash || vocab->length[slot->id] != n + skip)
            continue;
        const char *token = vocab->pool + vocab->begin[slot->id];
        if (memcmp(token + skip, text, n) == 0 && (!inside || memcmp(token, "##", 2) == 0))
            return slot->id;
    }
}

/* Enters the lengths under each pair of first bytes: a one-byte token matches before any second byte. */
static void enter_length(struct jc_vocab *vocab, bool inside, const char *piece, size_t n)
{
    uint32_t *masks = vocab->lengths[inside];
    if (n > 1) {
        masks[mask_index(piece, n)] |= length_bit(n);
        return;
    }
    for (int second = 0; second < 256; second++)
        masks[mask_index((const char[]){piece[0], (char)second}, 2)] |= length_bit(1);
}

static jc_code enter_token(struct jc_vocab *vocab, size_t id, const char *path, struct jc_err *err)
{
    const char *token = vocab->pool + vocab->begin[id];
    size_t n = vocab->length[id];
    uint32_t hash = hash_token(token, n);
    int32_t earlier = find_hashed(vocab, hash, false, token, n);
    if (earlier >= 0)
        return jc_fail(err, JC_E_FORMAT, "%s: line %zu: the token of line %d again", path, id + 1, (int)earlier + 1);
    uint32_t at = slot_index(vocab, hash);
    while (vocab->slots[at].id >= 0)
        at = (at + 1) & vocab->mask;
    vocab->slots[at] = (struct slot){.hash = hash, .id = (int32_t)id};
    enter_length(vocab, false, token, n);
    if (n > 2 && memcmp(token, "##", 2) == 0)
        enter_length(vocab, true, token + 2, n - 2);
    return JC_OK;
}

/* Finds the lines of the pool. A last line without its line end counts; "\r\n" ends a line as "\n" does. */
static jc_code split_lines(struct jc_vocab *vocab, size_t n_pool, const char *path, struct jc_err *err)
{
    size_t id = 0;
    for (size_t at = 0; at < n_pool; id++) {
        const char *line = vocab->pool + at;
        const char *end = memchr(line, '\n', n_pool - at);
        size_t n = end ? (size_t)(end - line) : n_pool - at;
        size_t n_line = end ? n + 1 : n;
        if (end && n > 0 && line[n - 1] == '\r')
            n--;
        if (n == 0)
            return jc_fail(err, JC_E_FORMAT, "%s: line %zu: no token", path, id + 1);
        if (jc_utf8_check("token", line, n, err) != JC_OK) {
            err->code = JC_E_FORMAT;
            return jc_wrap(err, "%s: line %zu", path, id + 1);
        }
        vocab->begin[id] = (uint32_t)at;
        vocab->length[id] = (uint32_t)n;
        at += n_line;
    }
    vocab->n = id;
    return JC_OK;
}

static jc_code allocate_tables(struct jc_vocab *vocab, size_t n_lines, struct jc_err *err)
{
    size_t n_slots = 16;
    while (n_slots < 2 * n_lines)
        n_slots *= 2;
    vocab->begin = calloc(n_lines, sizeof *vocab->begin);
    vocab->length = calloc(n_lines, sizeof *vocab->length);
    vocab->slots = malloc(n_slots * sizeof *vocab->slots);
    if (!vocab->begin || !vocab->length || !vocab->slots)
        return jc_fail(err, JC_E_NOMEM, "out of memory for a vocabulary of %zu tokens", n_lines);
    for (size_t i = 0; i < n_slots; i++)
        vocab->slots[i] = (struct slot){.id = -1};
    vocab->mask = (uint32_t)(n_slots - 1);
    return JC_OK;
}

jc_code jc_vocab_load(const char *path, struct jc_vocab **ret_vocab, struct jc_err *err)
{
    JC_AUTO(jc_vocab) struct jc_vocab *vocab = calloc(1, sizeof *vocab);
    if (!vocab)
        return jc_fail(err, JC_E_NOMEM, "out of memory for a vocabulary");
    JC_AUTO_BUF struct jc_buf file = {0};
    jc_code code = jc_file_read(path, MAX_FILE_BYTES, &file, err);
    if (code != JC_OK)
        return code;
    if (file.n == 0)
        return jc_fail(err, JC_E_FORMAT, "%s: no token", path);
    size_t n_lines = 1;
    for (size_t i = 0; i < file.n; i++)
        n_lines += file.data[i] == '\n';
    size_t n_pool = file.n;
    vocab->pool = jc_buf_take(&file);
    if (!vocab->pool)
        return jc_fail(err, JC_E_NOMEM, "out of memory for '%s'", path);
    if ((code = allocate_tables(vocab, n_lines, err)) != JC_OK)
        return code;
    if ((code = split_lines(vocab, n_pool, path, err)) != JC_OK)
        return code;
    for (size_t id = 0; id < vocab->n; id++)
        if ((code = enter_token(vocab, id, path, err)) != JC_OK)
            return code;
    *ret_vocab = TAKE(vocab);
    return JC_OK;
}

void jc_vocab_destroy(struct jc_vocab *vocab)
{
    if (!vocab)
        return;
    free(vocab->pool);
    free(vocab->begin);
    free(vocab->length);
    free(vocab->slots);
    free(vocab);
}

size_t jc_vocab_size(const struct jc_vocab *vocab)
{
    return vocab->n;
}

int32_t jc_vocab_find(const struct jc_vocab *vocab, const char *token, size_t n)
{
    return find_hashed(vocab, hash_token(token, n), false, token, n);
}

int32_t jc_vocab_longest(const struct jc_vocab *vocab, bool inside, const char *text, size_t n, size_t *ret_n)
{
    if (n == 0)
        return -1;
    uint32_t lengths = vocab->lengths[inside][mask_index(text, n)];
    size_t n_max = n < JC_VOCAB_MAX_PIECE ? n : JC_VOCAB_MAX_PIECE;
    if (n_max >= LONGEST_BIT && !(lengths & length_bit(LONGEST_BIT)))
        n_max = LONGEST_BIT - 1;
    uint32_t hashes[JC_VOCAB_MAX_PIECE]; /* [i]: of the first i + 1 bytes */
    uint32_t hash = hash_start(inside);
    for (size_t i = 0; i < n_max; i++)
        hashes[i] = hash = hash_step(hash, text[i]);
    for (size_t length = n_max; length > 0; length--) {
        if (!(lengths & length_bit(length)))
            continue;
        int32_t id = find_hashed(vocab, hashes[length - 1], inside, text, length);
        if (id >= 0) {
            *ret_n = length;
            return id;
        }
    }
    return -1;
}
