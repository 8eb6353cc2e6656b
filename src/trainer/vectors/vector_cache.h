/*
 * Vectors of texts, kept over runs. A folder holds a pair of files per encoder, which only grow:
 *     <encoder's hash>-<dim>.vectors   header, rows of dim floats
 *     <encoder's hash>-<dim>.keys      header, for each row the text's key and a checksum
 * A row's vector is written before its key, so that what a process killed at any moment leaves is valid: the rows that
 * both files have whole; the rest is cut off by the next one that opens them. The last row of a key counts. Files are
 * of the machine's byte order. They can be deleted at any time; a process that has them open keeps what it has.
 * One process writes (flock). Others read what is there and keep their own vectors in memory, as does one whose disk
 * became full, or that was given no folder. Rows in the files take no memory but page cache. Threads: one at a time.
 */
#ifndef JC_TRAINER_VECTOR_CACHE_H
#define JC_TRAINER_VECTOR_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "model/encoder.h"
#include "trainer/vectors/vector_map.h"

/* What names a text: half of the SHA-256 of its token ids. */
struct jc_vector_key {
    unsigned char bytes[16];
};

struct jc_vector_key jc_vector_key_make(const int32_t *ids, size_t n_ids);

struct jc_vector_cache;

/* folder: made where it is not there; "": none. Errors: FORMAT (a file that is damaged or something else, which it
 * names), IO, INVALID, TOO_LARGE, NOMEM. */
JC_MUST_CHECK jc_code jc_vector_cache_open(const char *folder, const struct jc_encoder_info *encoder,
                                           struct jc_vector_cache **ret_cache, struct jc_err *err);
void jc_vector_cache_destroy(struct jc_vector_cache *cache);
JC_DEFINE_AUTO(jc_vector_cache)

/* Whether appended vectors stay on disk. */
bool jc_vector_cache_keeps(const struct jc_vector_cache *cache);

/* Why not, where there is a folder: one line that names a file; else "". May change with an append. */
const char *jc_vector_cache_note(const struct jc_vector_cache *cache);

/* The row of a text. A row from the files is compared with its checksum when it is first asked for; one that is damaged
 * is not found, and counted. */
bool jc_vector_cache_find(struct jc_vector_cache *cache, const struct jc_vector_key *key, uint32_t *ret_row);
size_t jc_vector_cache_damaged(const struct jc_vector_cache *cache);

/* Makes room for `n` more rows: fewer moves than append by append. Errors: NOMEM, TOO_LARGE (2^32 - 1 rows). */
JC_MUST_CHECK jc_code jc_vector_cache_reserve(struct jc_vector_cache *cache, size_t n, struct jc_err *err);

/* Adds `vectors` [n][dim]: all or none. A disk that refuses them is no failure: see the note. Errors: MODEL (not
 * finite), NOMEM, TOO_LARGE. */
JC_MUST_CHECK jc_code jc_vector_cache_append(struct jc_vector_cache *cache, const struct jc_vector_key *keys,
                                             const float *vectors, size_t n, struct jc_err *err);

/* A row as it is now, [dim]; until the next append. Errors: as jc_vector_map_make. */
JC_MUST_CHECK jc_code jc_vector_cache_get(struct jc_vector_cache *cache, uint32_t row, const float **ret_vector,
                                          struct jc_err *err);

/* Hands over all rows. Only destroy may follow. Errors: as jc_vector_map_make. */
JC_MUST_CHECK jc_code jc_vector_cache_take(struct jc_vector_cache *cache, struct jc_vector_map *ret_map,
                                           struct jc_err *err);

#endif
