/*
 * What the vote of 47,000 exemplars costs on one core: a text alone, which has to read all their vectors once, and
 * texts together. Beside it one pass over the same memory, the least that a text alone can cost. Prints one JSON object
 * a line; random vectors, so that the ranking has more to do than with titles.
 */
#include "base/clock.h"
#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "model/vote.h"

enum { N_TEXTS = 47000, DIM = 384, N_CATEGORIES = 1016, K = 30, MAX_QUERIES = 1024, N_ROUNDS = 15 };

static struct jc_err err;

static void fill_units(struct jc_rng *rng, float *rows, size_t n)
{
    for (size_t i = 0; i < n * DIM; i++)
        rows[i] = (float)(jc_rng_unit(rng) * 2 - 1);
    for (size_t i = 0; i < n; i++)
        jc_vec_normalize(rows + i * DIM, DIM);
}

static void make_exemplars(struct jc_rng *rng, struct jc_exemplars *exemplars)
{
    REQUIRE_OK(jc_exemplars_init(exemplars, N_TEXTS, DIM, N_TEXTS, 0, &err));
    fill_units(rng, exemplars->vectors, N_TEXTS);
    for (size_t i = 0; i < N_TEXTS; i++) {
        exemplars->code_begins[i + 1] = i + 1;
        exemplars->codes[i] = (uint32_t)(jc_rng_next(rng) % N_CATEGORIES);
        exemplars->code_weights[i] = 1;
    }
    exemplars->k = K;
    exemplars->sharpness = 30;
}

static uint64_t read_all(const struct jc_exemplars *exemplars)
{
    uint64_t sum = 0, word;
    for (size_t i = 0; i < (size_t)N_TEXTS * DIM * sizeof(float); i += sizeof word) {
        memcpy(&word, (const char *)exemplars->vectors + i, sizeof word);
        sum += word;
    }
    return sum;
}

static uint64_t vote_all(const struct jc_exemplars *exemplars, const float *queries, size_t n, struct jc_vote *vote)
{
    static float scores[N_CATEGORIES];
    REQUIRE_OK(jc_vote_find(vote, exemplars, queries, n, DIM, &err));
    for (size_t i = 0; i < n; i++)
        jc_vote_add(vote, exemplars, i, scores);
    return vote->neighbours[0].index;
}

int main(void)
{
    static const size_t sizes[] = {0, 1, 2, 4, 8, 16, 32, 64, 256, MAX_QUERIES}; /* 0: only reading */
    struct jc_rng rng = jc_rng_seeded(1);
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    JC_AUTO_FINISH(jc_vote) struct jc_vote vote = {0};
    JC_AUTO_FREE float *queries = calloc(MAX_QUERIES * DIM, sizeof(*queries));
    REQUIRE(queries);
    jc_linalg_init();
    make_exemplars(&rng, &exemplars);
    fill_units(&rng, queries, MAX_QUERIES);
    for (size_t s = 0; s < JC_COUNT(sizes); s++) {
        uint64_t best_ns = UINT64_MAX, result = 0;
        for (int round = 0; round < N_ROUNDS; round++) {
            uint64_t start_ns = jc_clock_ns();
            result += sizes[s] ? vote_all(&exemplars, queries, sizes[s], &vote) : read_all(&exemplars);
            uint64_t ns = jc_clock_ns() - start_ns;
            best_ns = ns < best_ns ? ns : best_ns;
        }
        printf("{\"texts\":%d,\"queries\":%zu,\"ms\":%.3f,\"ms_a_query\":%.3f,\"check\":%llu}\n", N_TEXTS, sizes[s],
               (double)best_ns / 1e6, (double)best_ns / 1e6 / (double)(sizes[s] ? sizes[s] : 1),
               (unsigned long long)result);
    }
    return 0;
}
