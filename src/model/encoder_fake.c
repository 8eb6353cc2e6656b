/*
 * The fake encoder: no weights, no state. Token t has 384 values that splitmix64 draws from seed t, four 16-bit values
 * a draw; a text's vector is the normalised sum over its tokens but the first and last ([CLS] and [SEP]). Texts that
 * share words are near each other, so a classifier over it behaves like one.
 */
#include <string.h>

#include "base/rng.h"
#include "linalg/linalg.h"
#include "model/encoder_impl.h"

enum { DIM = 384, MAX_TOKENS = 512, VALUES_PER_DRAW = 4 };

static void add_token(float *sum, int32_t id)
{
    struct jc_rng rng = jc_rng_seeded((uint64_t)(uint32_t)id);
    for (size_t i = 0; i < DIM; i += VALUES_PER_DRAW) {
        uint64_t bits = jc_rng_next(&rng);
        for (size_t j = 0; j < VALUES_PER_DRAW; j++)
            sum[i + j] += (float)(int16_t)(bits >> (16 * j));
    }
}

static jc_code encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err)
{
    (void)encoder;
    for (size_t t = 0; t < n_texts; t++) {
        uint32_t n = n_tokens[t];
        if (n == 0 || n > MAX_TOKENS)
            return jc_fail(err, JC_E_INVALID, "text %zu has %u tokens, not 1 to %d", t, n, MAX_TOKENS);
        float *vector = ret_vectors + t * DIM;
        memset(vector, 0, DIM * sizeof(*vector));
        uint32_t first = n > 2 ? 1 : 0, end = n > 2 ? n - 1 : n;
        for (uint32_t i = first; i < end; i++)
            add_token(vector, ids[i]);
        jc_vec_normalize(vector, DIM);
        ids += n;
    }
    return JC_OK;
}

static void destroy(struct jc_encoder *encoder)
{
    free(encoder);
}

static jc_code create(const struct jc_encoder_source *source, const struct jc_tensor *tensors, size_t n_tensors,
                      const struct jc_encoder_options *options, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    (void)source, (void)tensors, (void)n_tensors, (void)options;
    struct jc_encoder *encoder = calloc(1, sizeof(*encoder));
    if (!encoder)
        return jc_fail(err, JC_E_NOMEM, "no memory for the fake encoder");
    encoder->class = &jc_encoder_fake_class;
    encoder->info.dim = DIM;
    encoder->info.max_tokens = MAX_TOKENS;
    *ret_encoder = encoder;
    return JC_OK;
}

const struct jc_encoder_class jc_encoder_fake_class = {
    .name = "fake", .create = create, .encode = encode, .destroy = destroy};
