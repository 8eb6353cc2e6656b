/* Queries, scores and their normalisation against sums in double. */
#include "model/scoring.h"

#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "model/lexicon.h"

static struct jc_err err;

static void fill_random(struct jc_rng *rng, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(jc_rng_unit(rng) * 2 - 1);
}

/* One text's score for category c: vector, words and bias, each summed by itself. */
static double score(const struct jc_head *head, const float *vector, const int32_t *ids, size_t n_ids, size_t c)
{
    const float *row = head->matrix + c * jc_head_width(head);
    double sum = (double)head->bias[c], words = 0;
    for (size_t i = 0; i < head->dim; i++)
        sum += (double)row[i] * (double)vector[i];
    if (!head->n_features)
        return sum;
    uint32_t features[JC_LEXICON_FEATURES];
    size_t n = jc_lexicon_features(ids, n_ids, head->keys, head->n_features, features);
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < head->lexicon_dim; i++)
            words += (double)row[head->dim + i] * (double)head->lexicon[features[f] * head->lexicon_dim + i];
    return n ? sum + words / sqrt((double)n) : sum;
}

/* The lexicon knows the pairs of token 0, then of 1, and so on, up to n_features. */
static void check_scores(size_t n_texts, size_t lexicon_dim, size_t n_features)
{
    enum { N = 37, DIM = 19, N_IDS = 6, N_WORDS = 8 };
    struct jc_rng rng = jc_rng_seeded(9);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    REQUIRE_OK(jc_head_init(&head, N, DIM, lexicon_dim, n_features, &err));
    size_t width = jc_head_width(&head);
    fill_random(&rng, head.matrix, N * width);
    fill_random(&rng, head.bias, N);
    fill_random(&rng, head.lexicon, n_features * lexicon_dim);
    for (size_t i = 0; i < n_features; i++)
        head.keys[i] = (int64_t)(i / N_WORDS) << 32 | (int64_t)(i % N_WORDS);
    JC_AUTO_FREE float *vectors = calloc(n_texts, DIM * sizeof(float));
    JC_AUTO_FREE float *queries = calloc(n_texts, width * sizeof(float));
    JC_AUTO_FREE float *scores = calloc(n_texts, N * sizeof(float));
    JC_AUTO_FREE int32_t *ids = calloc(n_texts, N_IDS * sizeof(*ids));
    REQUIRE(vectors && queries && scores && ids);
    fill_random(&rng, vectors, n_texts * DIM);
    for (size_t i = 0; i < n_texts * N_IDS; i++)
        ids[i] = (int32_t)(jc_rng_next(&rng) % N_WORDS);
    for (size_t i = 0; i < n_texts; i++) /* lengths 2, of no words, to 6 */
        jc_scoring_query(&head, vectors + i * DIM, n_features ? ids + i * N_IDS : NULL, n_features ? 2 + i % 5 : 0,
                         queries + i * width);
    jc_scoring_scores(&head, queries, n_texts, scores);
    for (size_t i = 0; i < n_texts; i++)
        for (size_t c = 0; c < N; c++)
            CHECK_NEAR(scores[i * N + c], score(&head, vectors + i * DIM, ids + i * N_IDS, 2 + i % 5, c), 1e-5);
}

/* In double and with the largest taken out, so that it holds for scores of any size. */
static double compute_log_norm(const float *scores, size_t n, double sharpness)
{
    double best = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        best = fmax(best, sharpness * (double)scores[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp(sharpness * (double)scores[i] - best);
    return best + log(sum);
}

static void test_log_norm(void)
{
    enum { N = 1016 };
    static const float spreads[] = {0, 1e-3F, 1, 50, 1e4F}, sharpnesses[] = {0.5F, 1, 20, 500};
    float scores[N];
    struct jc_rng rng = jc_rng_seeded(4);
    for (size_t s = 0; s < JC_COUNT(spreads); s++)
        for (size_t i = 0; i < JC_COUNT(sharpnesses); i++) {
            fill_random(&rng, scores, N);
            for (size_t c = 0; c < N; c++)
                scores[c] *= spreads[s];
            double wanted = compute_log_norm(scores, N, (double)sharpnesses[i]);
            CHECK_NEAR(jc_scoring_log_norm(scores, N, sharpnesses[i]), wanted, 1e-6 * (10 + fabs(wanted)));
        }
    CHECK_NEAR(jc_scoring_log_norm((float[]){-3}, 1, 2), -6, 1e-6);
    const float equal[] = {7, 7, 7, 7};
    float log_norm = jc_scoring_log_norm(equal, 4, 3);
    CHECK_NEAR(jc_scoring_probability(7, 3, log_norm), 0.25, 1e-5);
}

/* Probabilities of one row sum to 1, and have the ratios that the scores say. */
static void test_probabilities(void)
{
    const float scores[] = {0.9F, 0.1F, -0.4F, 0.85F};
    float log_norm = jc_scoring_log_norm(scores, 4, 20);
    double sum = 0, wanted = 0;
    for (size_t i = 0; i < 4; i++)
        wanted += exp(20 * ((double)scores[i] - 0.9));
    for (size_t i = 0; i < 4; i++) {
        double probability = (double)jc_scoring_probability(scores[i], 20, log_norm);
        CHECK_NEAR(probability, exp(20 * ((double)scores[i] - 0.9)) / wanted, 1e-5);
        sum += probability;
    }
    CHECK_NEAR(sum, 1, 1e-5);
}

int main(void)
{
    check_scores(1, 0, 0);
    check_scores(40, 0, 0);
    check_scores(1, 5, 64);
    check_scores(40, 5, 64);
    check_scores(7, 8, 3);
    test_log_norm();
    test_probabilities();
    return check_finish();
}
