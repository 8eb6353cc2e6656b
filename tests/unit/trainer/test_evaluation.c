/* Evaluations worked out by hand, against scikit-learn, and the bootstrap against the normal approximation. */
#include "trainer/measure/evaluation.h"

#include "base/rng.h"
#include "check.h"

static struct jc_err err;

static const struct jc_category categories[] = {
    {"11-1011.00", "Chief Executives"},  {"11-2021.00", "Marketing Managers"}, {"29-1141.00", "Registered Nurses"},
    {"29-1215.00", "Family Physicians"}, {"Unclassified", "Unclassified"},
};
static const uint32_t n_train[] = {0, 1, 3, 9, 10};

/* Of `right`, answered with `answered`; where that is not right, the right one follows at `rank`. */
static struct jc_prediction predict(uint32_t example, uint32_t right, uint32_t answered, uint32_t rank,
                                    float confidence)
{
    struct jc_prediction p = {.example = example, .category = right, .rank = rank, .n_hits = 1};
    p.confidence = confidence;
    p.right_probability = rank == 1 ? confidence : 0;
    p.brier = .5f;
    p.hits[0] = (struct jc_hit){answered, 1};
    return p;
}

static jc_code evaluate(const struct jc_prediction *predictions, size_t n, struct jc_evaluation *ret)
{
    struct jc_evaluation_input input = {predictions, n, categories, n_train, JC_COUNT(categories), 1};
    return jc_evaluation_compute(&input, ret, &err);
}

/* Eight rows: four right, of confidences .9 .8 .8 .4. */
static const uint32_t rows[][4] = {/* right, answered, rank, confidence in per cent */
                                   {2, 2, 1, 90}, {2, 2, 1, 80}, {2, 3, 2, 70}, {2, 3, 3, 30},
                                   {3, 3, 1, 80}, {0, 1, 4, 80}, {4, 4, 1, 40}, {2, 0, 5, 10}};

static void make_rows(struct jc_prediction *ret)
{
    for (uint32_t i = 0; i < JC_COUNT(rows); i++)
        ret[i] = predict(i, rows[i][0], rows[i][1], rows[i][2], (float)rows[i][3] / 100);
}

static void test_ranks(void)
{
    struct jc_prediction p[JC_COUNT(rows)];
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation e = {0};
    make_rows(p);
    REQUIRE_OK(evaluate(p, JC_COUNT(rows), &e));
    CHECK_INT(e.n, 8);
    CHECK_NEAR(e.top_1.value, 4.0 / 8, 1e-12);
    CHECK_NEAR(e.top_3.value, 6.0 / 8, 1e-12);
    CHECK_NEAR(e.top_5.value, 1, 1e-12);
    CHECK_NEAR(e.top_10, 1, 1e-12);
    CHECK_NEAR(e.mrr.value, (4 + 1.0 / 2 + 1.0 / 3 + 1.0 / 4 + 1.0 / 5) / 8, 1e-7);
    CHECK(e.top_1.low < e.top_1.lower && e.top_1.lower < .5 && .5 < e.top_1.upper && e.top_1.upper < e.top_1.high);
    CHECK_NEAR(e.top_5.low, 1, 0);
    CHECK_INT(e.n_tested, 4);
    CHECK_NEAR(e.macro_accuracy, (0 + 2.0 / 5 + 1 + 1) / 4, 1e-12);
    CHECK_INT(e.categories[2].n, 5);
    CHECK_INT(e.categories[2].n_top_1, 2);
    CHECK_INT(e.categories[2].n_top_5, 5);
    CHECK_INT(e.categories[1].n, 0);
    CHECK_NEAR(jc_tally_top_1(&e.categories[1]), 0, 0);
    static const uint32_t want_n[] = {1, 0, 5, 1, 1}, want_right[] = {0, 0, 2, 1, 1};
    for (size_t s = 0; s < JC_SIZE_BINS; s++) {
        CHECK_INT(e.sizes[s].n_categories, 1);
        CHECK_INT(e.sizes[s].rows.n, want_n[s]);
        CHECK_INT(e.sizes[s].rows.n_top_1, want_right[s]);
    }
}

static void test_size_bins(void)
{
    static const size_t sizes[] = {0, 1, 2, 4, 5, 9, 10, 100000}, bins[] = {0, 1, 2, 2, 3, 3, 4, 4};
    for (size_t i = 0; i < JC_COUNT(sizes); i++)
        CHECK_INT(jc_size_bin_of(sizes[i]), bins[i]);
}

/* Falling: .9 right, {.8 right, .8 right, .8 wrong}, .7 wrong, .4 right, .3 wrong, .1 wrong. */
static void test_coverage(void)
{
    struct jc_prediction p[JC_COUNT(rows)];
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation e = {0};
    make_rows(p);
    REQUIRE_OK(evaluate(p, JC_COUNT(rows), &e));
    static const double want[][3] = {{.9, 1, 1},       {.8, 4, 3.0 / 4}, {.7, 5, 3.0 / 5},
                                     {.4, 6, 4.0 / 6}, {.3, 7, 4.0 / 7}, {.1, 8, 4.0 / 8}};
    REQUIRE(e.n_coverage == JC_COUNT(want));
    for (size_t i = 0; i < e.n_coverage; i++) {
        CHECK_NEAR(e.coverage[i].threshold, want[i][0], 1e-6);
        CHECK_NEAR(e.coverage[i].coverage, want[i][1] / 8, 1e-12);
        CHECK_NEAR(e.coverage[i].precision, want[i][2], 1e-12);
    }
    CHECK_NEAR(e.precision_at_half, 3.0 / 4, 1e-12);
    static const double thresholds[] = {.1, .4, .8, .9, .9}, coverages[] = {1, 6.0 / 8, 4.0 / 8, 1.0 / 8, 1.0 / 8};
    for (size_t t = 0; t < JC_THRESHOLDS; t++) {
        CHECK_NEAR(e.thresholds[t].target, .5 + .1 * (double)t, 1e-12);
        CHECK_NEAR(e.thresholds[t].point.threshold, thresholds[t], 1e-6);
        CHECK_NEAR(e.thresholds[t].point.coverage, coverages[t], 1e-12);
    }
}

static void test_unreachable(void)
{
    struct jc_prediction p[] = {predict(0, 2, 3, 2, .9f), predict(1, 2, 2, 1, .9f)};
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation e = {0};
    REQUIRE_OK(evaluate(p, JC_COUNT(p), &e));
    CHECK_INT(e.n_coverage, 1); /* a tie stands or falls together */
    CHECK_NEAR(e.thresholds[0].point.coverage, 1, 0);
    CHECK_NEAR(e.thresholds[1].point.coverage, 0, 0);
    CHECK_NEAR(e.precision_at_half, .5, 0);
}

static void test_confusion(void)
{
    struct jc_prediction p[JC_COUNT(rows)];
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation e = {0};
    make_rows(p);
    REQUIRE_OK(evaluate(p, JC_COUNT(rows), &e));
    REQUIRE(e.n_groups == 3);
    CHECK_STR(e.groups[0].code, "11");
    CHECK_STR(e.groups[1].code, "29");
    CHECK_STR(e.groups[2].code, "??");
    CHECK_INT(e.groups[1].rows.n, 6);
    CHECK_INT(e.groups[1].rows.n_top_1, 3);
    static const uint32_t want[] = {1, 0, 0, 1, 5, 0, 0, 0, 1};
    for (size_t i = 0; i < JC_COUNT(want); i++)
        CHECK_INT(e.group_confusion[i], want[i]);
    REQUIRE(e.n_pairs == 3);
    CHECK_INT(e.pairs[0].right, 2);
    CHECK_INT(e.pairs[0].answered, 3);
    CHECK_INT(e.pairs[0].n, 2);
    CHECK_INT(e.pairs[0].examples[0], 2);
    CHECK_INT(e.pairs[0].examples[1], 3);
    CHECK_INT(e.pairs[1].right, 0); /* of equal counts the lower category */
    CHECK_INT(e.pairs[2].right, 2);
    CHECK_INT(e.pairs[2].answered, 0);
}

/* Many pairs of different counts: the list keeps the largest, in order. */
static void test_many_pairs(void)
{
    enum { N_CATEGORIES = 30, N = N_CATEGORIES * (N_CATEGORIES + 1) / 2 };
    struct jc_category many[N_CATEGORIES];
    uint32_t counts[N_CATEGORIES] = {0};
    JC_AUTO_FREE struct jc_prediction *p = calloc(N, sizeof(*p));
    REQUIRE(p);
    uint32_t n = 0;
    for (uint32_t c = 0; c < N_CATEGORIES; c++) {
        many[c] = categories[0];
        uint32_t n_rows = c * 7 % N_CATEGORIES + 1; /* each of 1 to 30 once */
        for (uint32_t i = 0; i < n_rows; i++, n++)
            p[n] = predict(n, c, (c + 1) % N_CATEGORIES, 2, .5f);
    }
    REQUIRE(n == N);
    struct jc_evaluation_input input = {p, n, many, counts, N_CATEGORIES, 1};
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation e = {0};
    REQUIRE_OK(jc_evaluation_compute(&input, &e, &err));
    REQUIRE(e.n_pairs == JC_CONFUSED_PAIRS);
    for (uint32_t i = 0; i < JC_CONFUSED_PAIRS; i++) {
        CHECK_INT(e.pairs[i].n, 30 - i);
        CHECK_INT(e.pairs[i].right * 7 % N_CATEGORIES + 1, e.pairs[i].n);
        CHECK_INT(p[e.pairs[i].examples[2]].category, e.pairs[i].right);
    }
}

/* 500 rows of 4 categories, drawn with splitmix64 from seed 7: weights u^3, normalised; a right category u * 4, and in
 * half of the rows the likeliest one. Recorded from scikit-learn 1 and numpy 1 on the same rows:
 *     brier = sum(brier_score_loss(onehot[:, k], P[:, k]) for k in range(4))
 *     bins = np.digitize(P.max(1), np.linspace(0, 1, 16)[1:-1], right=True)
 *     ece = sum((bins == b).mean() * abs(right[bins == b].mean() - P.max(1)[bins == b].mean()) for b in set(bins))
 *     macro = recall_score(y, P.argmax(1), average='macro') */
static void draw_prediction(struct jc_rng *rng, uint32_t i, struct jc_prediction *ret)
{
    double weights[4], sum = 0;
    float p[4], best = 0;
    uint32_t i_best = 0;
    for (size_t k = 0; k < 4; k++) {
        weights[k] = pow(jc_rng_unit(rng), 3);
        sum += weights[k];
    }
    for (uint32_t k = 0; k < 4; k++) {
        p[k] = (float)(weights[k] / sum);
        if (p[k] > best) {
            best = p[k];
            i_best = k;
        }
    }
    uint32_t right = (uint32_t)(jc_rng_unit(rng) * 4), rank = 1;
    if (jc_rng_unit(rng) < .5)
        right = i_best;
    double brier = 0;
    for (size_t k = 0; k < 4; k++) {
        rank += p[k] > p[right];
        brier += pow((double)p[k] - (k == right), 2);
    }
    *ret = predict(i, right, i_best, rank, best);
    ret->right_probability = p[right];
    ret->brier = (float)brier;
}

static void test_recorded(void)
{
    enum { N = 500 };
    struct jc_rng rng = jc_rng_seeded(7);
    JC_AUTO_FREE struct jc_prediction *p = calloc(N, sizeof(*p));
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation e = {0};
    REQUIRE(p);
    for (uint32_t i = 0; i < N; i++)
        draw_prediction(&rng, i, &p[i]);
    REQUIRE_OK(evaluate(p, N, &e));
    CHECK_NEAR(e.ece, 0.135541408, 1e-8);
    CHECK_NEAR(e.brier, 0.609599840, 1e-7);
    CHECK_NEAR(e.top_1.value, 0.648, 1e-12);
    CHECK_NEAR(e.top_3.value, 0.884, 1e-12);
    CHECK_NEAR(e.mrr.value, 0.776666667, 1e-7);
    CHECK_NEAR(e.macro_accuracy, 0.648298399, 1e-8);
    CHECK_NEAR(e.precision_at_half, 0.652, 1e-12);
    static const size_t want[JC_CALIBRATION_BINS] = {0, 0, 0, 0, 4, 33, 61, 91, 64, 76, 40, 38, 38, 27, 28};
    for (size_t b = 0; b < JC_CALIBRATION_BINS; b++)
        CHECK_INT(e.bins[b].n, want[b]);
    CHECK_INT(e.n_coverage, JC_COVERAGE_POINTS);
    CHECK_NEAR(e.coverage[JC_COVERAGE_POINTS - 1].coverage, 1, 0);
}

/* A bin is open below and closed above; 0 is in the first. */
static void test_bin_edges(void)
{
    static const struct {
        float confidence;
        size_t bin;
    } cases[] = {{0, 0}, {.05f, 0}, {.2f, 3}, {.19f, 2}, {1, 14}, {1.0005f, 14}};
    for (size_t i = 0; i < JC_COUNT(cases); i++) {
        struct jc_prediction p = predict(0, 2, 2, 1, cases[i].confidence);
        JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation e = {0};
        REQUIRE_OK(evaluate(&p, 1, &e));
        CHECK_INT(e.bins[cases[i].bin].n, 1);
    }
}

/* p = .7, n = 20,000: 1.96 * sqrt(p (1 - p) / n) = .00635 to each side; the quantiles of 1,000 draws scatter by some
 * per cent of that. */
static void test_bootstrap(void)
{
    enum { N = 20000 };
    JC_AUTO_FREE float *values = calloc(N, JC_BOOTSTRAP_COLUMNS * sizeof(*values));
    REQUIRE(values);
    for (size_t i = 0; i < N; i++)
        values[i * JC_BOOTSTRAP_COLUMNS] = i % 10 < 7;
    struct jc_estimate a[JC_BOOTSTRAP_COLUMNS], b[JC_BOOTSTRAP_COLUMNS], other[JC_BOOTSTRAP_COLUMNS];
    REQUIRE_OK(jc_bootstrap_means(values, N, 3, a, &err));
    REQUIRE_OK(jc_bootstrap_means(values, N, 3, b, &err));
    REQUIRE_OK(jc_bootstrap_means(values, N, 4, other, &err));
    double error = sqrt(.7 * .3 / N);
    CHECK_NEAR(a[0].value, .7, 1e-12);
    CHECK_NEAR(a[0].low, .7 - 1.960 * error, .2 * error);
    CHECK_NEAR(a[0].high, .7 + 1.960 * error, .2 * error);
    CHECK_NEAR(a[0].lower, .7 - 1.645 * error, .2 * error);
    CHECK_NEAR(a[0].upper, .7 + 1.645 * error, .2 * error);
    CHECK_NEAR(a[1].high, 0, 0); /* a column of zeros */
    CHECK(memcmp(a, b, sizeof(a)) == 0);
    CHECK(a[0].low != other[0].low || a[0].high != other[0].high);
}

static void test_refused(void)
{
    struct jc_evaluation e;
    struct jc_prediction good = predict(0, 2, 2, 1, .5f), p;
    CHECK_FAILS(evaluate(&good, 0, &e), JC_E_INVALID, "0 predictions");
    p = good;
    p.category = 5;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "category 5 at rank 1 of 5");
    p = good;
    p.rank = 0;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "rank 0");
    p = good;
    p.rank = 2;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "rank 2 contradicts hit 0");
    p = predict(0, 2, 3, 1, .5f);
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "rank 1 contradicts hit 0");
    p = good;
    p.n_hits = JC_PREDICTION_HITS + 1;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "11 hits");
    p = good;
    p.hits[0].index = 5;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "hit 0 is category 5 of 5");
    p = good;
    p.confidence = NAN;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "confidence nan");
    p = good;
    p.confidence = 1.5f;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "confidence 1.5");
    p = good;
    p.brier = -1;
    CHECK_FAILS(evaluate(&p, 1, &e), JC_E_INVALID, "Brier score -1");
}

int main(void)
{
    test_ranks();
    test_size_bins();
    test_coverage();
    test_unreachable();
    test_confusion();
    test_many_pairs();
    test_recorded();
    test_bin_edges();
    test_bootstrap();
    test_refused();
    return check_finish();
}
