/* Encoding many texts: sorted by length, in batches, on threads, each batch into the cache when it is done. Inside the
 * step `encode`. */
#ifndef JC_TRAINER_ENCODE_BATCHES_H
#define JC_TRAINER_ENCODE_BATCHES_H

#include "model/encoder.h"
#include "trainer/data/tokens.h"
#include "trainer/vectors/vector_cache.h"

/* Borrowed. */
struct jc_encode_batches {
    const struct jc_encoder *encoder;
    const struct jc_tokens *tokens;
    const struct jc_vector_key *keys; /* of all texts */
    struct jc_vector_cache *cache;
    uint32_t *texts; /* [n_texts]: those to encode; brought into the order in which they are */
    size_t n_texts;
    unsigned n_threads;
};

/* Stops early where jc_interrupt_asked: the cache then has some of them. Errors: those of jc_encoder_encode and
 * jc_vector_cache_append. */
JC_MUST_CHECK jc_code jc_encode_batches_run(const struct jc_encode_batches *batches, struct jc_err *err);

#endif
