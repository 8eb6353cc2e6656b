/* The step `encode`: each distinct text becomes a vector, on all cores over one encoder. */
#ifndef JC_TRAINER_ENCODE_H
#define JC_TRAINER_ENCODE_H

#include "model/encoder.h"
#include "trainer/tokens.h"

/* ret_vectors: [n_texts][dim], in the order of the texts' numbers; free with free(). Reports progress on standard error.
 * Errors: INVALID, MODEL, DEVICE, NOMEM, INTERNAL. */
JC_MUST_CHECK jc_code jc_encode_texts(const struct jc_encoder *encoder, const struct jc_tokens *tokens, size_t n_texts,
                                      unsigned n_threads, float **ret_vectors, double *ret_seconds, struct jc_err *err);

#endif
