/* Chunks of a text: where they begin, and the mean of their vectors against one in double precision. */
#include "model/chunks.h"

#include "base/rng.h"
#include "check.h"

static void test_split(void)
{
    const int32_t ids[] = {101, 7, 8, 102, 101, 9, 102, 101, 102};
    uint32_t n_tokens[3] = {0};
    CHECK_INT(jc_chunks_count(ids, 9), 3);
    CHECK_INT(jc_chunks_split(ids, 9, n_tokens), 3);
    CHECK_INT(n_tokens[0], 4);
    CHECK_INT(n_tokens[1], 3);
    CHECK_INT(n_tokens[2], 2);

    CHECK_INT(jc_chunks_split(ids, 4, n_tokens), 1);
    CHECK_INT(n_tokens[0], 4);
    CHECK_INT(jc_chunks_split(ids, 5, n_tokens), 2); /* the second is its first id alone */
    CHECK_INT(n_tokens[1], 1);
    CHECK_INT(jc_chunks_count(ids, 0), 0);
    CHECK_INT(jc_chunks_split(ids, 0, n_tokens), 0);
}

static void fill(struct jc_rng *rng, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = (float)(jc_rng_unit(rng) - 0.5);
}

static void test_reduce(void)
{
    enum { DIM = 37, N = 5 };
    struct jc_rng rng = jc_rng_seeded(3);
    float chunks[N * DIM], vector[DIM];
    double want[DIM], squares = 0;
    fill(&rng, chunks, N * DIM);
    for (size_t d = 0; d < DIM; d++) {
        want[d] = 0;
        for (size_t i = 0; i < N; i++)
            want[d] += (double)chunks[i * DIM + d] / N;
        squares += want[d] * want[d];
    }
    jc_chunks_reduce(chunks, N, DIM, vector);
    for (size_t d = 0; d < DIM; d++)
        CHECK_NEAR(vector[d], want[d] / sqrt(squares), 1e-6);

    /* One chunk is the vector, to the bit, though it is not of length 1. */
    jc_chunks_reduce(chunks, 1, DIM, vector);
    CHECK(memcmp(vector, chunks, sizeof(vector)) == 0);

    /* In place. */
    jc_chunks_reduce(chunks, N, DIM, chunks);
    for (size_t d = 0; d < DIM; d++)
        CHECK_NEAR(chunks[d], want[d] / sqrt(squares), 1e-6);

    /* Opposite chunks have no direction. */
    const float opposite[] = {1, 0, -1, 0};
    jc_chunks_reduce(opposite, 2, 2, vector);
    CHECK(vector[0] == 0 && vector[1] == 0);
}

int main(void)
{
    test_split();
    test_reduce();
    return check_finish();
}
