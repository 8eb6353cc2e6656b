/* Queries, scores and probabilities against sums in double. */
#include "model/scoring.h"

#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "confidence.h"
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
    CHECK_NEAR(jc_scoring_log_norm((float[]){7, 7, 7, 7}, 4, 3), 21 + log(4), 1e-5);
}

/* What every text's probabilities are: nearly those of the definition, 1 in sum, and in the order of the scores. */
static void check_probabilities(const struct jc_head *head, const float *scores)
{
    enum { MAX = 1016 };
    size_t n = head->n_categories;
    float probabilities[MAX];
    double wanted[MAX], sum = 0;
    confidence_compute(scores, n, (double)head->sharpness, (double)head->saturation, (double)head->power, wanted);
    struct jc_norm norm = jc_scoring_norm(head, scores);
    jc_scoring_probabilities(head, scores, probabilities);
    for (size_t c = 0; c < n; c++) {
        double one = (double)jc_scoring_probability(head, scores[c], &norm);
        CHECK_NEAR(probabilities[c], wanted[c], 2e-5);
        CHECK_NEAR(one, wanted[c], 2e-5);
        CHECK(probabilities[c] >= 0 && (double)probabilities[c] <= 1 + 1e-6 && one <= 1);
        if (wanted[c] > 1e-30) /* and what is small is not lost */
            CHECK_NEAR(jc_scoring_log_probability(head, scores[c], &norm), log(wanted[c]), 2e-4);
        sum += (double)probabilities[c];
    }
    CHECK_NEAR(sum, 1, 2e-5);
    for (size_t c = 1; c < n; c++) {
        size_t low = scores[c - 1] < scores[c] ? c - 1 : c, high = low == c ? c - 1 : c;
        CHECK((double)probabilities[low] <= (double)probabilities[high] * (1 + 1e-4));
    }
}

/* Every number of categories up to a few vectors, for what is left over at their end. */
static void test_probabilities(void)
{
    static const float sharpnesses[] = {0.05F, 1, 20, 500}, saturations[] = {0, 1e-3F, 1, 30, 1e6F},
                       powers[] = {0.05F, 0.5F, 1, 3, 20}, spreads[] = {0, 1e-3F, 0.1F, 1};
    float scores[1016];
    struct jc_rng rng = jc_rng_seeded(6);
    size_t n = 0;
    for (size_t i = 0; i < JC_COUNT(sharpnesses) * JC_COUNT(saturations) * JC_COUNT(powers); i++)
        for (size_t s = 0; s < JC_COUNT(spreads); s++) {
            n = i % 20 == 19 ? JC_COUNT(scores) : n % 40 + 1;
            struct jc_head head = {.n_categories = n,
                                   .sharpness = sharpnesses[i % JC_COUNT(sharpnesses)],
                                   .saturation = saturations[i / JC_COUNT(sharpnesses) % JC_COUNT(saturations)],
                                   .power = powers[i / JC_COUNT(sharpnesses) / JC_COUNT(saturations)]};
            fill_random(&rng, scores, n);
            for (size_t c = 0; c < n; c++)
                scores[c] *= spreads[s];
            check_probabilities(&head, scores);
        }
}

/* Saturation 0 and power 1 are the softmax; two categories by hand; one category; scores far from each other. */
static void test_particular_probabilities(void)
{
    const float scores[] = {0.9F, 0.1F, -0.4F, 0.85F},
                far[] = {0.5F, -1e6F, 3e38F, -3e38F, 1e4F, 0.25F, -1e6F, -1e6F, -1e6F};
    struct jc_head head = {.n_categories = 4, .sharpness = 20, .power = 1};
    struct jc_norm norm = jc_scoring_norm(&head, scores);
    float log_norm = jc_scoring_log_norm(scores, 4, 20);
    for (size_t c = 0; c < 4; c++)
        CHECK_NEAR(jc_scoring_log_probability(&head, scores[c], &norm), 20 * scores[c] - log_norm, 1e-5);

    /* q = (3/4, 1/4); g = (q / (1 + 4 q))^2 = (9/256, 4/256) */
    head = (struct jc_head){.n_categories = 2, .sharpness = 1, .saturation = 4, .power = 2};
    float probabilities[9];
    jc_scoring_probabilities(&head, (float[]){(float)log(3), 0}, probabilities);
    CHECK_NEAR(probabilities[0], 9.0 / 13, 1e-6);
    CHECK_NEAR(probabilities[1], 4.0 / 13, 1e-6);

    head.n_categories = 1;
    jc_scoring_probabilities(&head, (float[]){-7}, probabilities);
    CHECK_NEAR(probabilities[0], 1, 1e-6);

    head.n_categories = JC_COUNT(far);
    jc_scoring_probabilities(&head, far, probabilities);
    norm = jc_scoring_norm(&head, far);
    for (size_t c = 0; c < JC_COUNT(far); c++) {
        CHECK_NEAR(probabilities[c], c == 2, 1e-6);
        CHECK_NEAR(jc_scoring_probability(&head, far[c], &norm), c == 2, 1e-6);
    }
    const float never[] = {0.5F, -1e6F, -1e6F, 0.25F, -1e6F};
    head = (struct jc_head){.n_categories = JC_COUNT(never), .sharpness = 10, .saturation = 3, .power = 1.5F};
    check_probabilities(&head, never);
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
    test_particular_probabilities();
    return check_finish();
}
