/*
 * The result cache: answers by what decides them (the model's generation, the token ids, the level), in memory bounded
 * in bytes, the least recently used thrown away first. Token ids are the exact key: texts with the same ids have the
 * same answer. An answer of top_n hits also serves who asks for fewer. Evidence is numbers of the model's texts, so
 * nothing here points into a model.
 *
 * It is cut into shards, each with its own lock, which is held for a look-up and the copy of one answer. The hash is
 * keyed at random, whole keys are compared. Threads: any.
 */
#ifndef JC_SERVER_QUEUE_CACHE_H
#define JC_SERVER_QUEUE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "model/classifier.h"

struct jc_cache;

/* n_bytes: of everything, its tables included, and at least 1. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_cache_create(size_t n_bytes, struct jc_cache **ret_cache, struct jc_err *err);
void jc_cache_destroy(struct jc_cache *cache);
JC_DEFINE_AUTO(jc_cache)

/* Of an input's key; the other calls want it, so that it is computed once. */
uint64_t jc_cache_hash(const struct jc_cache *cache, uint64_t generation, const struct jc_input *input);

/* Do two inputs have the same key, the generation aside? */
bool jc_cache_same_key(const struct jc_input *a, const struct jc_input *b);

/* Fills the input's answer (n_hits, hits, evidence, norm). False where it is not there, or too short. */
bool jc_cache_get(struct jc_cache *cache, uint64_t generation, uint64_t hash, struct jc_input *input);

/* Keeps an input's answer, unless it is too large, memory is short or one with as many hits is there. Returns how many
 * others had to go. */
size_t jc_cache_put(struct jc_cache *cache, uint64_t generation, uint64_t hash, const struct jc_input *input);

/* Drops the answers of one generation: of a model that is gone. */
void jc_cache_clear(struct jc_cache *cache, uint64_t generation);

struct jc_cache_size {
    size_t n_bytes, n_entries;
};
struct jc_cache_size jc_cache_size(struct jc_cache *cache);

#endif
