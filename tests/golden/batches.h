/* An encoder that takes any number of texts at once: what it gives one at a time, in batches and in any order. */
#ifndef JC_TESTS_BATCHES_H
#define JC_TESTS_BATCHES_H

#include "base/rng.h"
#include "vectors.h"

struct subject {
    const void *encoder;
    jc_code (*encode)(const void *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err);
    const struct texts *texts;
};

/* Encodes the texts order[0..n) in one call; rows go to their texts' places. */
static void encode_batch(const struct subject *subject, const size_t *order, size_t n, float *ret_vectors)
{
    static int32_t ids[N_TEXTS * MAX_LEN];
    static uint32_t n_tokens[N_TEXTS];
    static float rows[N_TEXTS * DIM];
    const struct texts *texts = subject->texts;
    struct jc_err err;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        n_tokens[i] = texts->n_tokens[order[i]];
        memcpy(ids + used, texts->ids[order[i]], n_tokens[i] * sizeof(int32_t));
        used += n_tokens[i];
    }
    REQUIRE_OK(subject->encode(subject->encoder, ids, n_tokens, n, rows, &err));
    for (size_t i = 0; i < n; i++)
        memcpy(ret_vectors + order[i] * DIM, rows + i * DIM, DIM * sizeof(float));
}

static void encode_alone(const struct subject *subject, float *ret_vectors)
{
    for (size_t i = 0; i < N_TEXTS; i++)
        encode_batch(subject, &i, 1, ret_vectors);
}

static void check_gap(const float *vectors, const float *wanted, double most, const char *what)
{
    double gap = 0;
    for (size_t i = 0; i < (size_t)N_TEXTS * DIM; i++)
        gap = fmax(gap, fabs((double)vectors[i] - wanted[i]));
    fprintf(stderr, "%s: max |difference| %.2g\n", what, gap);
    check_report(gap <= most, __FILE__, __LINE__, "%s: %g is over %g", what, gap, most);
}

static void shuffle(size_t *order)
{
    struct jc_rng rng = jc_rng_seeded(3);
    for (size_t i = N_TEXTS - 1; i > 0; i--) {
        size_t j = jc_rng_next(&rng) % (i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/* `alone`: encode_alone's. */
static void check_batches(const struct subject *subject, const float *alone, double most)
{
    static float batched[N_TEXTS * DIM];
    static const size_t sizes[] = {7, N_TEXTS, 32};
    size_t order[N_TEXTS];
    for (size_t i = 0; i < N_TEXTS; i++)
        order[i] = i;
    for (size_t s = 0; s < JC_COUNT(sizes); s++) {
        const bool shuffled = s == JC_COUNT(sizes) - 1;
        char what[64];
        if (shuffled)
            shuffle(order);
        for (size_t i = 0; i < N_TEXTS; i += sizes[s])
            encode_batch(subject, order + i, N_TEXTS - i < sizes[s] ? N_TEXTS - i : sizes[s], batched);
        snprintf(what, sizeof what, "%sin batches of %zu against alone", shuffled ? "shuffled, " : "", sizes[s]);
        check_gap(batched, alone, most, what);
    }
}

#endif
