/* A cache of vectors: the table of keys in memory, over the files and the rows behind them. */
#include "trainer/vectors/vector_cache.h"

#include <string.h>

#include "base/rng.h"
#include "base/sha256.h"
#include "linalg/linalg.h"
#include "trainer/vectors/vector_files.h"

#define NONE UINT32_MAX

enum {
    MAX_DIM = 65536,
    MIN_SLOTS = 1024,
};

/* Of a row. */
enum state { UNCHECKED, SOUND, DAMAGED };

struct jc_vector_cache {
    size_t dim;
    struct jc_vector_files files; /* files.n rows lie in them, the others in memory */

    size_t n, cap;                    /* rows; a cap of records and states */
    struct jc_vector_record *records; /* [n] */
    unsigned char *states;            /* [n]: enum state */
    size_t n_damaged;

    uint32_t *slots; /* [n_slots], a power of two, at most half full: rows by key */
    size_t n_slots;

    struct jc_vector_map map;
    size_t n_mapped; /* rows it has room for */
};

struct jc_vector_key jc_vector_key_make(const int32_t *ids, size_t n_ids)
{
    unsigned char digest[JC_SHA256_BYTES];
    struct jc_vector_key key;
    jc_sha256_bytes(ids, n_ids * sizeof(*ids), digest);
    memcpy(key.bytes, digest, sizeof(key.bytes));
    return key;
}

/* FNV-1a over 32-bit words, with the finish of splitmix64. Each step is a bijection: a change within one word is always
 * seen, any other but for one in 2^64. */
static uint64_t add_words(uint64_t hash, const void *data, size_t n_words)
{
    const unsigned char *from = data;
    for (size_t i = 0; i < n_words; i++) {
        uint32_t word;
        memcpy(&word, from + i * sizeof(word), sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t compute_checksum(const struct jc_vector_key *key, const float *vector, size_t dim)
{
    uint64_t hash = add_words(UINT64_C(0xcbf29ce484222325), key, sizeof(*key) / sizeof(uint32_t));
    struct jc_rng mix = jc_rng_seeded(add_words(hash, vector, dim));
    return jc_rng_next(&mix);
}

/* The slot of a key, or the empty one where it would go. */
static size_t find_slot(const struct jc_vector_cache *cache, const struct jc_vector_key *key)
{
    uint64_t hash;
    memcpy(&hash, key, sizeof(hash)); /* of a cryptographic hash: as good as any */
    size_t mask = cache->n_slots - 1, slot = hash & mask;
    while (cache->slots[slot] != NONE && memcmp(&cache->records[cache->slots[slot]].key, key, sizeof(*key)) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

/* Room for n_rows in the table. */
static jc_code reserve_table(struct jc_vector_cache *cache, size_t n_rows, struct jc_err *err)
{
    if (n_rows <= cache->cap)
        return JC_OK;
    if (n_rows >= NONE)
        return jc_fail(err, JC_E_TOO_LARGE, "%zu vectors are more than a cache holds; delete its folder", n_rows);
    size_t n_slots = MIN_SLOTS;
    while (n_slots < 2 * n_rows)
        n_slots *= 2;
    struct jc_vector_record *records = reallocarray(cache->records, n_rows, sizeof(*records));
    if (records)
        cache->records = records;
    unsigned char *states = records ? realloc(cache->states, n_rows) : NULL;
    if (states)
        cache->states = states;
    uint32_t *slots = states && n_slots > cache->n_slots ? reallocarray(NULL, n_slots, sizeof(*slots)) : NULL;
    if (!states || (!slots && n_slots > cache->n_slots))
        return jc_fail(err, JC_E_NOMEM, "no memory for the keys of %zu vectors", n_rows);
    cache->cap = n_rows;
    if (!slots)
        return JC_OK;
    free(cache->slots);
    cache->slots = slots;
    cache->n_slots = n_slots;
    memset(slots, 0xff, n_slots * sizeof(*slots)); /* all NONE */
    for (size_t row = 0; row < cache->n; row++)    /* in their order: the last of a key counts */
        slots[find_slot(cache, &cache->records[row].key)] = (uint32_t)row;
    return JC_OK;
}

/* Maps all rows: those in the files, and behind them room for as many as the table has. */
static jc_code map_rows(struct jc_vector_cache *cache, struct jc_err *err)
{
    size_t n_file = cache->files.n, n_wanted = cache->files.writes ? n_file : cache->cap;
    if (n_wanted <= cache->n_mapped)
        return JC_OK;
    struct jc_vector_map map;
    jc_code code = jc_vector_map_make(cache->files.vectors_fd, n_file, n_wanted, cache->dim, &map, err);
    if (code)
        return code;
    if (cache->n > n_file)
        memcpy(map.rows + n_file * cache->dim, cache->map.rows + n_file * cache->dim,
               (cache->n - n_file) * cache->dim * sizeof(float));
    jc_vector_map_finish(&cache->map);
    cache->map = map;
    cache->n_mapped = n_wanted;
    return JC_OK;
}

static jc_code load(struct jc_vector_cache *cache, struct jc_err *err)
{
    size_t n = cache->files.n;
    jc_code code = reserve_table(cache, n ? n : 1, err);
    if (code || n == 0)
        return code;
    if ((code = jc_vector_files_read(&cache->files, cache->records, err)))
        return code;
    memset(cache->states, UNCHECKED, n);
    for (size_t row = 0; row < n; row++)
        cache->slots[find_slot(cache, &cache->records[row].key)] = (uint32_t)row;
    cache->n = n;
    return map_rows(cache, err);
}

jc_code jc_vector_cache_open(const char *folder, const struct jc_encoder_info *encoder,
                             struct jc_vector_cache **ret_cache, struct jc_err *err)
{
    if (encoder->dim == 0 || encoder->dim > MAX_DIM)
        return jc_fail(err, JC_E_INVALID, "vectors of %zu: 1 to %d are possible", encoder->dim, MAX_DIM);
    JC_AUTO(jc_vector_cache) struct jc_vector_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return jc_fail(err, JC_E_NOMEM, "no memory for a cache of vectors");
    cache->dim = encoder->dim;
    cache->files = (struct jc_vector_files){.keys_fd = -1, .vectors_fd = -1};
    jc_code code = folder[0] ? jc_vector_files_open(&cache->files, folder, encoder, err) : JC_OK;
    if (code || (code = load(cache, err)))
        return code;
    *ret_cache = TAKE(cache);
    return JC_OK;
}

void jc_vector_cache_destroy(struct jc_vector_cache *cache)
{
    if (!cache)
        return;
    jc_vector_map_finish(&cache->map);
    jc_vector_files_finish(&cache->files);
    free(cache->records);
    free(cache->states);
    free(cache->slots);
    free(cache);
}

bool jc_vector_cache_keeps(const struct jc_vector_cache *cache)
{
    return cache->files.writes;
}

const char *jc_vector_cache_note(const struct jc_vector_cache *cache)
{
    return cache->files.note;
}

size_t jc_vector_cache_damaged(const struct jc_vector_cache *cache)
{
    return cache->n_damaged;
}

bool jc_vector_cache_find(struct jc_vector_cache *cache, const struct jc_vector_key *key, uint32_t *ret_row)
{
    uint32_t row = cache->slots[find_slot(cache, key)];
    if (row == NONE || cache->states[row] == DAMAGED)
        return false;
    if (cache->states[row] == UNCHECKED) {
        const float *vector = cache->map.rows + row * cache->dim;
        if (compute_checksum(key, vector, cache->dim) != cache->records[row].checksum) {
            cache->states[row] = DAMAGED;
            cache->n_damaged++;
            return false;
        }
        cache->states[row] = SOUND;
    }
    *ret_row = row;
    return true;
}

jc_code jc_vector_cache_reserve(struct jc_vector_cache *cache, size_t n, struct jc_err *err)
{
    if (n >= NONE)
        return jc_fail(err, JC_E_TOO_LARGE, "%zu vectors are more than a cache holds", n);
    jc_code code = reserve_table(cache, cache->n + n, err);
    return code ? code : cache->files.writes ? JC_OK : map_rows(cache, err);
}

/* Puts the rows behind those there are, in memory. */
static jc_code append_in_memory(struct jc_vector_cache *cache, const float *vectors, size_t n, struct jc_err *err)
{
    jc_code code = map_rows(cache, err);
    if (!code)
        memcpy(cache->map.rows + cache->n * cache->dim, vectors, n * cache->dim * sizeof(*vectors));
    return code;
}

jc_code jc_vector_cache_append(struct jc_vector_cache *cache, const struct jc_vector_key *keys, const float *vectors,
                               size_t n, struct jc_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!jc_vec_is_finite(vectors + i * cache->dim, cache->dim))
            return jc_fail(err, JC_E_MODEL, "vector %zu of a batch is not finite", i);
    size_t n_wanted = cache->n + n;
    jc_code code = JC_OK;
    if (n_wanted > cache->cap && (code = jc_vector_cache_reserve(cache, n > cache->n ? n : cache->n, err)))
        return code;
    for (size_t i = 0; i < n; i++)
        cache->records[cache->n + i] = (struct jc_vector_record){
            .key = keys[i], .checksum = compute_checksum(&keys[i], vectors + i * cache->dim, cache->dim)};
    if (!cache->files.writes || !jc_vector_files_append(&cache->files, cache->records + cache->n, vectors, n))
        code = append_in_memory(cache, vectors, n, err);
    if (code)
        return code;
    for (; cache->n < n_wanted; cache->n++) {
        cache->states[cache->n] = SOUND;
        cache->slots[find_slot(cache, &cache->records[cache->n].key)] = (uint32_t)cache->n;
    }
    return JC_OK;
}

jc_code jc_vector_cache_get(struct jc_vector_cache *cache, uint32_t row, const float **ret_vector, struct jc_err *err)
{
    if (row >= cache->n)
        return jc_fail(err, JC_E_INTERNAL, "row %u of %zu", row, cache->n);
    jc_code code = map_rows(cache, err);
    if (!code)
        *ret_vector = cache->map.rows + row * cache->dim;
    return code;
}

jc_code jc_vector_cache_take(struct jc_vector_cache *cache, struct jc_vector_map *ret_map, struct jc_err *err)
{
    jc_code code = map_rows(cache, err);
    if (code)
        return code;
    *ret_map = cache->map;
    cache->map = (struct jc_vector_map){0};
    return JC_OK;
}
