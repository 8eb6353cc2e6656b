/* The step `encode`: each distinct text becomes a vector, on all cores over one encoder, unless the cache has it. */
#ifndef JC_TRAINER_ENCODE_H
#define JC_TRAINER_ENCODE_H

#include "model/encoder.h"
#include "trainer/data/tokens.h"
#include "trainer/vectors/vector_map.h"

/* The vectors of all texts: that of text i is vectors + rows[i] * dim. */
struct jc_vectors {
    const float *vectors; /* [...][dim], of the cache's files where there are; NULL for no texts */
    uint32_t *rows;       /* [n_texts] */
    struct jc_vector_map map;
};

void jc_vectors_finish(struct jc_vectors *vectors);

struct jc_encode_stats {
    double seconds;   /* with the time to look in the cache */
    size_t n_encoded; /* texts that differ in their tokens; others share a vector */
    size_t n_cached;  /* texts that the cache had */
};

/*
 * cache: a folder (see vector_cache.h), or "" for none. Reports progress on standard error, and what the cache did.
 * SIGINT and SIGTERM end it with CANCELLED; what is encoded by then is in the cache. While it runs it owns the handlers
 * of the two, so no two calls run at once.
 * Errors: INVALID, MODEL, DEVICE, NOMEM, INTERNAL; CANCELLED; FORMAT (the cache holds another encoder's vectors, or is
 * damaged; says what to delete), IO, TOO_LARGE.
 */
JC_MUST_CHECK jc_code jc_encode_texts(const struct jc_encoder *encoder, const struct jc_tokens *tokens, size_t n_texts,
                                      unsigned n_threads, const char *cache, struct jc_vectors *ret_vectors,
                                      struct jc_encode_stats *ret_stats, struct jc_err *err);

#endif
