/*
 * Neighbours and votes against brute force in double: sizes around the blocks of texts and the groups of queries, fewer
 * texts than k, texts with several codes, equal texts, queries with words beside the vector.
 */
#include "model/vote.h"

#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "model/scoring.h"

enum { DIM = 24, N_CATEGORIES = 19, MAX_CODES = 4 };

static struct jc_err err;

static void fill_units(struct jc_rng *rng, float *rows, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t d = 0; d < width; d++)
            rows[i * width + d] = (float)(jc_rng_unit(rng) * 2 - 1);
        jc_vec_normalize(rows + i * width, DIM);
    }
}

/* Texts 0 to n_distinct - 1 are random, later ones repeat them. */
static void make_exemplars(struct jc_rng *rng, size_t n, size_t n_distinct, uint32_t k, struct jc_exemplars *exemplars)
{
    REQUIRE_OK(jc_exemplars_init(exemplars, n, DIM, n * MAX_CODES, 0, &err));
    fill_units(rng, exemplars->vectors, n < n_distinct ? n : n_distinct, DIM);
    for (size_t i = n_distinct; i < n; i++)
        memcpy(exemplars->vectors + i * DIM, exemplars->vectors + (i % n_distinct) * DIM, DIM * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        size_t at = exemplars->code_begins[i], n_codes = 1 + jc_rng_next(rng) % MAX_CODES;
        for (uint32_t c = 0; c < n_codes; c++) {
            exemplars->codes[at] = (uint32_t)(i % 4) + c * 5; /* under 19, ascending */
            exemplars->code_weights[at++] = (float)(jc_rng_unit(rng) + 0.1);
        }
        exemplars->code_begins[i + 1] = at;
    }
    exemplars->k = k;
    exemplars->sharpness = 7;
    exemplars->weight = 0.6F;
}

static double compute_cosine(const float *a, const float *b)
{
    double sum = 0;
    for (size_t d = 0; d < DIM; d++)
        sum += (double)a[d] * (double)b[d];
    return sum;
}

struct ranked {
    double cosine;
    size_t text;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->cosine != y->cosine)
        return x->cosine > y->cosine ? -1 : 1;
    return (x->text > y->text) - (x->text < y->text);
}

/* The formula as it stands in head.h, over the neighbours that were found. */
static void check_votes(const struct jc_exemplars *exemplars, const struct jc_hit *row, size_t n_row,
                        const float *votes)
{
    double sums[N_CATEGORIES] = {0}, total = 0, all = 0;
    for (size_t j = 0; j < n_row; j++) {
        double share = exp((double)exemplars->sharpness * (double)(row[j].score - row[0].score));
        for (size_t at = exemplars->code_begins[row[j].index]; at < exemplars->code_begins[row[j].index + 1]; at++) {
            sums[exemplars->codes[at]] += share * (double)exemplars->code_weights[at];
            total += share * (double)exemplars->code_weights[at];
        }
    }
    for (size_t c = 0; c < N_CATEGORIES; c++) {
        CHECK_NEAR(votes[c], (double)exemplars->weight * sums[c] / total, 1e-6);
        all += (double)votes[c];
    }
    CHECK_NEAR(all, exemplars->weight, 1e-5);
}

static bool has_code(const struct jc_exemplars *exemplars, size_t text, uint32_t category)
{
    for (size_t at = exemplars->code_begins[text]; at < exemplars->code_begins[text + 1]; at++)
        if (exemplars->codes[at] == category)
            return true;
    return false;
}

static void check_evidence(const struct jc_exemplars *exemplars, const struct jc_vote *vote, size_t i)
{
    const struct jc_hit *row = vote->neighbours + i * vote->n_neighbours;
    for (uint32_t c = 0; c <= N_CATEGORIES; c++) {
        struct jc_evidence evidence = jc_vote_evidence(vote, exemplars, i, c);
        size_t j = 0;
        while (j < vote->n_neighbours && !has_code(exemplars, row[j].index, c))
            j++;
        CHECK_INT(evidence.text, j < vote->n_neighbours ? row[j].index : JC_EVIDENCE_NONE);
        if (j < vote->n_neighbours)
            CHECK_NEAR(evidence.similarity, row[j].score, 0);
    }
}

/* Query i: the right neighbours (another only where two tie within rounding), votes and evidence. */
static void check_query(const struct jc_exemplars *exemplars, const struct jc_vote *vote, size_t i, const float *query)
{
    JC_AUTO_FREE struct ranked *ranked = calloc(exemplars->n, sizeof(*ranked));
    const struct jc_hit *row = vote->neighbours + i * vote->n_neighbours;
    float votes[N_CATEGORIES] = {0};
    REQUIRE(ranked);
    for (size_t t = 0; t < exemplars->n; t++)
        ranked[t] = (struct ranked){compute_cosine(query, exemplars->vectors + t * DIM), t};
    qsort(ranked, exemplars->n, sizeof(*ranked), compare_ranked);
    REQUIRE(vote->n_found[i] == vote->n_neighbours);
    for (size_t j = 0; j < vote->n_neighbours; j++) {
        CHECK_NEAR(row[j].score, ranked[j].cosine, 1e-6);
        CHECK_NEAR(compute_cosine(query, exemplars->vectors + row[j].index * DIM), ranked[j].cosine, 1e-6);
        CHECK(j == 0 || row[j - 1].score > row[j].score ||
              (row[j - 1].score == row[j].score && row[j - 1].index < row[j].index));
    }
    jc_vote_add(vote, exemplars, i, votes);
    check_votes(exemplars, row, vote->n_found[i], votes);
    check_evidence(exemplars, vote, i);
}

/* width > DIM: the queries have something else behind their vectors. */
static void check_case(struct jc_vote *vote, size_t n_texts, size_t n_distinct, uint32_t k, size_t n, size_t width)
{
    struct jc_rng rng = jc_rng_seeded(n_texts * 31 + k * 7 + n);
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    JC_AUTO_FREE float *queries = calloc(n, width * sizeof(*queries));
    REQUIRE(queries);
    make_exemplars(&rng, n_texts, n_distinct, k, &exemplars);
    fill_units(&rng, queries, n, width);
    REQUIRE_OK(jc_vote_find(vote, &exemplars, queries, n, width, &err));
    CHECK_INT(vote->n_neighbours, k < n_texts ? k : n_texts);
    for (size_t i = 0; i<n; i += n> 20 ? 1 + n / 13 : 1)
        check_query(&exemplars, vote, i, queries + i * width);
    check_query(&exemplars, vote, n - 1, queries + (n - 1) * width);
}

/* The same vector five times, over two blocks: the lower text first, to the bit, for one query as for many. */
static void test_ties(struct jc_vote *vote)
{
    enum { N = 2100, QUERIES = 40 };
    static const size_t places[] = {0, 7, 2047, 2048, 2099};
    struct jc_rng rng = jc_rng_seeded(5);
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    float queries[QUERIES * DIM] = {0};
    make_exemplars(&rng, N, N, 3, &exemplars);
    for (size_t i = 0; i < QUERIES; i++)
        queries[i * DIM] = 1;
    for (size_t i = 0; i < JC_COUNT(places); i++)
        memcpy(exemplars.vectors + places[i] * DIM, queries, DIM * sizeof(float)); /* cosine 1, exactly */
    for (size_t n = 1; n <= QUERIES; n += 13) {
        REQUIRE_OK(jc_vote_find(vote, &exemplars, queries, n, DIM, &err));
        for (size_t j = 0; j < 3 * n; j++) {
            CHECK_INT(vote->neighbours[j].index, places[j % 3]);
            CHECK_NEAR(vote->neighbours[j].score, 1, 0);
        }
    }
}

/* Two texts, worked out by hand: the second is nearest with weights of 2, the first counts e^-2 with one of 3. */
static void test_by_hand(struct jc_vote *vote)
{
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    REQUIRE_OK(jc_exemplars_init(&exemplars, 2, 2, 3, 0, &err));
    memcpy(exemplars.vectors, (float[]){0, 1, 1, 0}, 4 * sizeof(float));
    memcpy(exemplars.code_begins, (size_t[]){0, 1, 3}, 3 * sizeof(size_t));
    memcpy(exemplars.codes, (uint32_t[]){2, 0, 2}, 3 * sizeof(uint32_t));
    memcpy(exemplars.code_weights, (float[]){3, 1, 1}, 3 * sizeof(float));
    exemplars.k = 5;
    exemplars.sharpness = 2;
    exemplars.weight = 10;
    float scores[3] = {1, 1, 1};
    REQUIRE_OK(jc_vote_find(vote, &exemplars, (float[]){1, 0}, 1, 2, &err));
    jc_vote_add(vote, &exemplars, 0, scores);
    double total = 2 + 3 * exp(-2);
    CHECK_NEAR(scores[0], 1 + 10 / total, 1e-5);
    CHECK_NEAR(scores[1], 1, 0);
    CHECK_NEAR(scores[2], 1 + 10 * (1 + 3 * exp(-2)) / total, 1e-5);
    CHECK_INT(jc_vote_evidence(vote, &exemplars, 0, 2).text, 1);
    CHECK_INT(jc_vote_evidence(vote, &exemplars, 0, 1).text, JC_EVIDENCE_NONE);

    exemplars.sharpness = 1e6F; /* so sharp that only the nearest counts, and nothing overflows */
    memset(scores, 0, sizeof scores);
    REQUIRE_OK(jc_vote_find(vote, &exemplars, (float[]){1, 0}, 1, 2, &err));
    jc_vote_add(vote, &exemplars, 0, scores);
    CHECK_NEAR(scores[0], 5, 1e-6);
    CHECK_NEAR(scores[2], 5, 1e-6);

    exemplars.k = 1; /* then all of it is the nearest one's */
    REQUIRE_OK(jc_vote_find(vote, &exemplars, (float[]){0, 1}, 1, 2, &err));
    memset(scores, 0, sizeof scores);
    jc_vote_add(vote, &exemplars, 0, scores);
    CHECK_NEAR(scores[2], 10, 1e-6);
    CHECK_NEAR(scores[0], 0, 0);
}

/* The whole score: matrix and bias, and the vote where there is one. */
static void test_scoring(struct jc_vote *vote)
{
    enum { N = 33, WORDS = 5, WIDTH = DIM + WORDS, N_TEXTS = 50 };
    struct jc_rng rng = jc_rng_seeded(8);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    static float queries[N * WIDTH], scores[N * N_CATEGORIES], linear[N * N_CATEGORIES];
    REQUIRE_OK(jc_head_init(&head, N_CATEGORIES, DIM, WORDS, 1, &err));
    fill_units(&rng, head.matrix, N_CATEGORIES, WIDTH);
    fill_units(&rng, queries, N, WIDTH);
    for (size_t c = 0; c < N_CATEGORIES; c++)
        head.bias[c] = (float)c;
    jc_scoring_scores(&head, queries, N, linear);
    REQUIRE_OK(jc_scoring_run(&head, queries, N, vote, scores, &err));
    CHECK(memcmp(scores, linear, sizeof scores) == 0);

    make_exemplars(&rng, N_TEXTS, N_TEXTS, 9, &head.exemplars);
    REQUIRE_OK(jc_scoring_run(&head, queries, N, vote, scores, &err));
    for (size_t i = 0; i < N; i++) {
        float votes[N_CATEGORIES];
        for (size_t c = 0; c < N_CATEGORIES; c++)
            votes[c] = scores[i * N_CATEGORIES + c] - linear[i * N_CATEGORIES + c];
        const struct jc_hit *row = vote->neighbours + i * vote->n_neighbours;
        double total = 0;
        for (size_t c = 0; c < N_CATEGORIES; c++)
            total += (double)votes[c];
        CHECK_NEAR(total, head.exemplars.weight, 1e-4);
        CHECK_NEAR(row[0].score, compute_cosine(queries + i * WIDTH, head.exemplars.vectors + row[0].index * DIM),
                   1e-6);
    }
}

/* A vector of NaN has no neighbours and no vote, and its neighbours in the batch keep theirs. */
static void test_not_finite(struct jc_vote *vote)
{
    struct jc_rng rng = jc_rng_seeded(6);
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    float queries[9 * DIM], scores[N_CATEGORIES] = {0};
    make_exemplars(&rng, 70, 70, 5, &exemplars);
    fill_units(&rng, queries, 9, DIM);
    queries[4 * DIM] = NAN;
    REQUIRE_OK(jc_vote_find(vote, &exemplars, queries, 9, DIM, &err));
    CHECK_INT(vote->n_found[4], 0);
    jc_vote_add(vote, &exemplars, 4, scores);
    for (size_t c = 0; c < N_CATEGORIES; c++)
        CHECK_NEAR(scores[c], 0, 0);
    CHECK_INT(jc_vote_evidence(vote, &exemplars, 4, 0).text, JC_EVIDENCE_NONE);
    check_query(&exemplars, vote, 3, queries + 3 * DIM);
    check_query(&exemplars, vote, 5, queries + 5 * DIM);
}

int main(void)
{
    static const size_t texts[] = {1, 2, 29, 30, 31, 2047, 2048, 2049, 4500},
                        sizes[] = {1, 2, 3, 6, 127, 128, 129, 300};
    static const uint32_t ks[] = {1, 5, 30, JC_EXEMPLARS_MAX_K};
    JC_AUTO_FINISH(jc_vote) struct jc_vote vote = {0}; /* one for all: it grows, and shrinks in use */
    for (size_t t = 0; t < JC_COUNT(texts); t++)
        for (size_t s = 0; s < JC_COUNT(sizes); s++)
            check_case(&vote, texts[t], texts[t], ks[(t + s) % JC_COUNT(ks)], sizes[s], s % 2 ? DIM : DIM + 3);
    check_case(&vote, 2100, 40, 100, 3, DIM); /* each text many times */
    check_case(&vote, 2100, 40, 100, 70, DIM);
    test_ties(&vote);
    test_by_hand(&vote);
    test_scoring(&vote);
    test_not_finite(&vote);
    REQUIRE_OK(jc_vote_find(&vote, &(struct jc_exemplars){0}, NULL, 0, DIM, &err));
    return check_finish();
}
