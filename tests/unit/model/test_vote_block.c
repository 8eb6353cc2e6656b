/*
 * The GPU's neighbours and votes, block by block on the host, against the CPU's (model/vote.h): few and many texts, many
 * equal ones, fewer than k, several codes a text, rows whole and in parts, vectors that are not finite. Coordinates are
 * such that every sum of products is exact: neighbours must be the same, and not nearly.
 */
#include "base/own.h"
#include "exact_head.h"
#include "rank_emulation.h"

enum { DIM = 8, N_CATEGORIES = 700, QUERIES = 5 };

static struct jc_err err;

static void check_case(size_t n, uint32_t k, unsigned most_blocks, float factor)
{
    struct jc_rng rng = jc_rng_seeded(n + k);
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    JC_AUTO_FINISH(jc_vote) struct jc_vote vote = {0};
    static float queries[QUERIES * DIM], want[QUERIES * N_CATEGORIES], scores[QUERIES * N_CATEGORIES];
    exact_exemplars_make(&rng, n, DIM, N_CATEGORIES, k, &exemplars);
    for (size_t i = 0; i < exemplars.code_begins[n]; i++)
        exemplars.code_weights[i] *= factor;
    exact_fill(&rng, queries, QUERIES * DIM);
    queries[2 * DIM + 3] = NAN;
    exact_fill(&rng, want, QUERIES * N_CATEGORIES);
    memcpy(scores, want, sizeof scores);
    REQUIRE_OK(jc_vote_find(&vote, &exemplars, queries, QUERIES, DIM, &err));
    for (size_t i = 0; i < QUERIES; i++)
        jc_vote_add(&vote, &exemplars, i, want + i * N_CATEGORIES);

    const size_t n_hits = vote.n_neighbours, stride = (n_hits + 3) * sizeof(struct jc_hit);
    JC_AUTO_FREE float *cosines = malloc(QUERIES * n * sizeof *cosines);
    JC_AUTO_FREE char *hits = malloc(QUERIES * stride);
    JC_AUTO_FREE struct jc_hit *candidates = malloc((most_blocks + QUERIES) * n_hits * sizeof *candidates);
    JC_AUTO_FREE uint32_t *begins = malloc((n + 1) * sizeof *begins);
    REQUIRE(cosines && hits && candidates && begins);
    for (size_t i = 0; i <= n; i++)
        begins[i] = (uint32_t)exemplars.code_begins[i];
    jc_gemm_scores(queries, QUERIES, exemplars.vectors, n, DIM, cosines);
    struct jc_rows rows = {.scores = cosines,
                           .n_rows = QUERIES,
                           .n = (uint32_t)n,
                           .k = (uint32_t)n_hits,
                           .candidates = candidates,
                           .hits = hits,
                           .stride = stride};
    jc_rows_split(&rows, most_blocks);
    emulate_topk(&rows);
    const struct jc_vote_rows votes = {.neighbours = hits,
                                       .stride = stride,
                                       .n_neighbours = (uint32_t)n_hits,
                                       .code_begins = begins,
                                       .codes = exemplars.codes,
                                       .code_weights = exemplars.code_weights,
                                       .sharpness = exemplars.sharpness,
                                       .weight = exemplars.weight,
                                       .scores = scores,
                                       .n_rows = QUERIES,
                                       .n_categories = N_CATEGORIES};
    emulate_vote(&votes);
    for (size_t i = 0; i < QUERIES; i++) {
        CHECK_INT(vote.n_found[i], i == 2 ? 0 : n_hits);
        CHECK(memcmp(hits + i * stride, vote.neighbours + i * n_hits, vote.n_found[i] * sizeof(struct jc_hit)) == 0);
    }
    for (size_t i = 0; i < QUERIES * N_CATEGORIES; i++)
        if (!CHECK(fabsf(scores[i] - want[i]) <= 1e-6F))
            break;
}

int main(void)
{
    static const size_t sizes[] = {1, 2, 29, 1024, 1025, 8191, 8192, 30000};
    static const uint32_t ks[] = {1, 30, JC_EXEMPLARS_MAX_K};
    for (size_t i = 0; i < JC_COUNT(sizes); i++)
        for (size_t k = 0; k < JC_COUNT(ks); k++)
            for (unsigned most = 1; most <= 64; most *= 8)
                check_case(sizes[i], ks[k], most, 1);
    check_case(300, 30, 1, 3e38f); /* weights whose sums float32 does not hold */
    check_case(300, 30, 1, 1e-40f);
    return check_finish();
}
