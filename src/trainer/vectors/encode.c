/* The step `encode`: what the cache has, then what it has not. */
#include "trainer/vectors/encode.h"

#include <stdio.h>

#include "base/clock.h"
#include "linalg/linalg.h"
#include "model/chunks.h"
#include "trainer/vectors/encode_batches.h"
#include "trainer/vectors/interrupt.h"

#define NO_ROW UINT32_MAX

/* A cached vector and the same text encoded now. Backends, processors and batches differ by 1e-5 at most. */
#define MIN_COSINE 0.999F

struct encoding {
    const struct jc_encoder *encoder;
    const struct jc_tokens *tokens;
    size_t n_texts;
    const char *folder;
    struct jc_vector_cache *cache;
    struct jc_vector_key *keys; /* [n_texts] */
    uint32_t *rows;             /* [n_texts]; NO_ROW: not yet there */
    uint32_t *missing;          /* texts to encode, each with other tokens; room for n_texts */
    size_t n_missing, n_cached;
};

static void encoding_finish(struct encoding *encoding)
{
    jc_vector_cache_destroy(encoding->cache);
    free(encoding->keys);
    free(encoding->rows);
    free(encoding->missing);
}

void jc_vectors_finish(struct jc_vectors *vectors)
{
    jc_vector_map_finish(&vectors->map);
    free(vectors->rows);
    *vectors = (struct jc_vectors){0};
}

/* Fills rows and missing. Texts that differ only where the tokenizer does not look have one key. */
static jc_code look_up(struct encoding *encoding, struct jc_err *err)
{
    JC_AUTO(jc_texts) struct jc_texts *distinct = jc_texts_create();
    if (!distinct)
        return jc_fail(err, JC_E_NOMEM, "no memory for the texts to encode");
    for (size_t text = 0; text < encoding->n_texts; text++) {
        size_t n_ids;
        const int32_t *ids = jc_tokens_get(encoding->tokens, text, &n_ids);
        if (n_ids == 0)
            return jc_fail(err, JC_E_INVALID, "text %zu has no tokens", text);
        struct jc_vector_key *key = &encoding->keys[text];
        *key = jc_vector_key_make(ids, n_ids);
        if (jc_vector_cache_find(encoding->cache, key, &encoding->rows[text])) {
            encoding->n_cached++;
            continue;
        }
        encoding->rows[text] = NO_ROW;
        uint32_t number;
        jc_code code = jc_texts_add(distinct, (const char *)key->bytes, sizeof(key->bytes), &number, err);
        if (code)
            return code;
        if (number == encoding->n_missing)
            encoding->missing[encoding->n_missing++] = (uint32_t)text;
    }
    return JC_OK;
}

/* The cache is known by what makes a vector what it is; a defect of then shows in one. */
static jc_code check_cache(const struct encoding *encoding, struct jc_err *err)
{
    if (encoding->n_cached == 0)
        return JC_OK;
    size_t text = 0, n_ids, dim = jc_encoder_info(encoding->encoder)->dim;
    while (encoding->rows[text] == NO_ROW)
        text++;
    const int32_t *ids = jc_tokens_get(encoding->tokens, text, &n_ids);
    size_t n_chunks = jc_chunks_count(ids, n_ids);
    JC_AUTO_FREE uint32_t *n_tokens = calloc(n_chunks, sizeof(*n_tokens));
    JC_AUTO_FREE float *vectors = calloc(n_chunks, dim * sizeof(*vectors));
    if (!n_tokens || !vectors)
        return jc_fail(err, JC_E_NOMEM, "no memory for a text");
    const float *cached;
    jc_chunks_split(ids, n_ids, n_tokens);
    jc_code code = jc_encoder_encode(encoding->encoder, ids, n_tokens, n_chunks, vectors, err);
    if (code || (code = jc_vector_cache_get(encoding->cache, encoding->rows[text], &cached, err)))
        return code;
    jc_chunks_reduce(vectors, n_chunks, dim, vectors);
    float cosine = jc_vec_dot(cached, vectors, dim), length = jc_vec_dot(vectors, vectors, dim);
    if (length > 0 && cosine < MIN_COSINE)
        return jc_fail(err, JC_E_FORMAT, "the vectors in '%s' come from another encoder (cosine %.3f): delete it",
                       encoding->folder, (double)cosine);
    return JC_OK;
}

static void print_cache(const struct encoding *encoding)
{
    if (!encoding->folder[0])
        return;
    fprintf(stderr, "encode: %zu of %zu texts are in %s\n", encoding->n_cached, encoding->n_texts, encoding->folder);
    if (jc_vector_cache_damaged(encoding->cache))
        fprintf(stderr, "encode: %zu vectors there are damaged and made again\n",
                jc_vector_cache_damaged(encoding->cache));
}

/* Said before the vectors are made where it is known then, else after. */
static void print_note(const struct encoding *encoding)
{
    const char *note = jc_vector_cache_note(encoding->cache);
    if (note[0] && encoding->n_missing)
        fprintf(stderr, "encode: new vectors are not kept: %s\n", note);
}

/* Finds the rows of what has been encoded. Returns how many texts have one. */
static size_t find_rows(struct encoding *encoding)
{
    size_t n = 0;
    for (size_t text = 0; text < encoding->n_texts; text++)
        n += encoding->rows[text] != NO_ROW ||
             jc_vector_cache_find(encoding->cache, &encoding->keys[text], &encoding->rows[text]);
    return n;
}

static jc_code encode_missing(struct encoding *encoding, unsigned n_threads, struct jc_err *err)
{
    const struct jc_encode_batches batches = {.encoder = encoding->encoder,
                                              .tokens = encoding->tokens,
                                              .keys = encoding->keys,
                                              .cache = encoding->cache,
                                              .texts = encoding->missing,
                                              .n_texts = encoding->n_missing,
                                              .n_threads = n_threads ? n_threads : 1};
    bool kept = jc_vector_cache_keeps(encoding->cache);
    if (!kept)
        print_note(encoding);
    jc_code code = encoding->n_missing ? jc_encode_batches_run(&batches, err) : JC_OK;
    if (kept && !jc_vector_cache_keeps(encoding->cache))
        print_note(encoding);
    if (code)
        return code;
    size_t n = find_rows(encoding);
    if (jc_interrupt_asked())
        return jc_vector_cache_keeps(encoding->cache)
                   ? jc_fail(err, JC_E_CANCELLED, "interrupted: %zu of %zu texts are encoded and kept in %s", n,
                             encoding->n_texts, encoding->folder)
                   : jc_fail(err, JC_E_CANCELLED, "interrupted: %zu of %zu texts are encoded, and not kept", n,
                             encoding->n_texts);
    return n == encoding->n_texts ? JC_OK
                                  : jc_fail(err, JC_E_INTERNAL, "%zu of %zu texts have a vector", n, encoding->n_texts);
}

static jc_code encode(struct encoding *encoding, unsigned n_threads, struct jc_err *err)
{
    jc_code code = jc_vector_cache_open(encoding->folder, jc_encoder_info(encoding->encoder), &encoding->cache, err);
    if (code)
        return jc_wrap(err, "cache (\"\" goes without)");
    if ((code = look_up(encoding, err)) || (code = check_cache(encoding, err)))
        return code;
    print_cache(encoding);
    return encode_missing(encoding, n_threads, err);
}

jc_code jc_encode_texts(const struct jc_encoder *encoder, const struct jc_tokens *tokens, size_t n_texts,
                        unsigned n_threads, const char *cache, struct jc_vectors *ret_vectors,
                        struct jc_encode_stats *ret_stats, struct jc_err *err)
{
    uint64_t start_ns = jc_clock_ns();
    __attribute__((cleanup(encoding_finish))) struct encoding encoding = {
        .encoder = encoder,
        .tokens = tokens,
        .n_texts = n_texts,
        .folder = cache,
        .keys = calloc(n_texts + 1, sizeof(*encoding.keys)),
        .rows = calloc(n_texts + 1, sizeof(*encoding.rows)),
        .missing = calloc(n_texts + 1, sizeof(*encoding.missing)),
    };
    if (!encoding.keys || !encoding.rows || !encoding.missing)
        return jc_fail(err, JC_E_NOMEM, "no memory for the vectors of %zu texts", n_texts);
    JC_AUTO_FINISH(jc_interrupt) struct jc_interrupt interrupt;
    jc_interrupt_begin(&interrupt);
    jc_code code = encode(&encoding, n_threads, err);
    struct jc_vectors vectors = {0};
    if (code || (code = jc_vector_cache_take(encoding.cache, &vectors.map, err)))
        return code;
    vectors.vectors = vectors.map.rows;
    vectors.rows = TAKE(encoding.rows);
    *ret_vectors = vectors;
    *ret_stats = (struct jc_encode_stats){.seconds = (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S,
                                          .n_encoded = encoding.n_missing,
                                          .n_cached = encoding.n_cached};
    return JC_OK;
}
