/* The data report against a case worked out by hand, and against a slow version on random data. */
#include "trainer/measure/data_report.h"

#include "base/rng.h"
#include "fixture.h"

static struct jc_err err;

static void test_by_hand(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = fixture_dataset(4);
    static const uint32_t rows[][2] = {/* text, category */
                                       {0, 0}, {0, 0}, {0, 1}, {1, 0}, {2, 0}, {2, 1}, {2, 2}, {0, 0}, {3, 0}};
    static const uint32_t lengths[] = {3, 5, 40, 32, 7};
    for (size_t i = 0; i < JC_COUNT(rows); i++)
        fixture_add(dataset, rows[i][1], rows[i][0], JC_ROLE_TRAIN);
    fixture_add(dataset, 3, 4, JC_ROLE_TEST);
    dataset->n_empty = 2;

    struct jc_data_report r;
    REQUIRE_OK(jc_data_report_compute(dataset, JC_ROLE_TRAIN, lengths, &r, &err));
    CHECK_INT(r.n_rows, 9);
    CHECK_INT(r.n_empty, 2);
    CHECK_INT(r.n_categories, 4);
    CHECK_INT(r.n_texts, 4);
    CHECK_INT(r.n_duplicates, 2);
    CHECK_INT(r.n_ambiguous_texts, 2);
    CHECK_INT(r.n_ambiguous_rows, 7);
    CHECK_NEAR(r.ceiling, (3 + 1 + 1 + 1) / 9.0, 1e-12);
    REQUIRE(r.n_ambiguous == 2);
    CHECK_INT(r.ambiguous[0].text, 2); /* three categories before two */
    CHECK_INT(r.ambiguous[0].n_categories, 3);
    CHECK_INT(r.ambiguous[1].n_rows, 4);
    /* Categories have 6, 2, 1 and 0 rows. */
    static const size_t want_categories[] = {1, 1, 1, 1, 0}, want_rows[] = {0, 1, 2, 6, 0};
    for (size_t s = 0; s < JC_SIZE_BINS; s++) {
        CHECK_INT(r.sizes[s].n_categories, want_categories[s]);
        CHECK_INT(r.sizes[s].n_rows, want_rows[s]);
    }
    CHECK(r.has_tokens);
    CHECK_INT(r.tokens[3], 4);
    CHECK_INT(r.tokens[5], 1);
    CHECK_INT(r.tokens[JC_TOKEN_BINS - 1], 4);
    CHECK_INT(r.max_tokens, 40);
    CHECK_NEAR(r.mean_tokens, (4 * 3 + 5 + 3 * 40 + 32) / 9.0, 1e-12);

    REQUIRE_OK(jc_data_report_compute(dataset, JC_ROLE_ANY, NULL, &r, &err));
    CHECK_INT(r.n_rows, 10);
    CHECK(!r.has_tokens);
    CHECK_FAILS(jc_data_report_compute(dataset, JC_ROLE_UNUSED, NULL, &r, &err), JC_E_INVALID, "no rows");
    uint32_t counts[4];
    jc_data_report_count(dataset, JC_ROLE_TEST, counts);
    CHECK_INT(counts[0], 0);
    CHECK_INT(counts[3], 1);
}

/* Counts of each text and category in a matrix instead of a sort. */
static void test_against_matrix(void)
{
    enum { TEXTS = 40, CATEGORIES = 12, N = 400 };
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = fixture_dataset(CATEGORIES);
    size_t counts[TEXTS][CATEGORIES] = {{0}};
    struct jc_rng rng = jc_rng_seeded(11);
    for (size_t i = 0; i < N; i++) {
        double u = jc_rng_unit(&rng);
        uint32_t text = (uint32_t)(u * u * TEXTS), category = (uint32_t)(jc_rng_unit(&rng) * jc_rng_unit(&rng) * 12);
        fixture_add(dataset, category, text, JC_ROLE_TRAIN);
        counts[text][category]++;
    }
    size_t n_duplicates = 0, n_ambiguous = 0, n_best = 0, n_texts = 0, most = 0;
    for (size_t t = 0; t < TEXTS; t++) {
        size_t best = 0, n_codes = 0;
        for (size_t c = 0; c < CATEGORIES; c++) {
            best = counts[t][c] > best ? counts[t][c] : best;
            n_codes += counts[t][c] > 0;
            n_duplicates += counts[t][c] ? counts[t][c] - 1 : 0;
        }
        n_texts += n_codes > 0;
        n_ambiguous += n_codes > 1;
        n_best += best;
        most = n_codes > most ? n_codes : most;
    }
    struct jc_data_report r;
    REQUIRE_OK(jc_data_report_compute(dataset, JC_ROLE_ANY, NULL, &r, &err));
    CHECK_INT(r.n_duplicates, n_duplicates);
    CHECK_INT(r.n_texts, n_texts);
    CHECK_INT(r.n_ambiguous_texts, n_ambiguous);
    CHECK_NEAR(r.ceiling, (double)n_best / N, 1e-12);
    REQUIRE(r.n_ambiguous == JC_AMBIGUOUS_TEXTS);
    CHECK_INT(r.ambiguous[0].n_categories, most);
    for (size_t i = 1; i < r.n_ambiguous; i++)
        CHECK(r.ambiguous[i].n_categories <= r.ambiguous[i - 1].n_categories);
}

/* What was cut from a body is counted apart from all else; a helping source's rows are rows, and make no category
 * larger. */
static void test_helping_rows(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = fixture_dataset(2);
    struct jc_data_report r;
    fixture_add(dataset, 0, 0, JC_ROLE_TRAIN);
    fixture_add(dataset, 1, 1, JC_ROLE_TEST);
    fixture_add(dataset, 0, 1, JC_ROLE_TRAIN);
    dataset->examples[2].auxiliary = true;
    for (uint32_t i = 0; i < 3; i++) {
        fixture_add(dataset, 0, 1, JC_ROLE_TRAIN);
        dataset->examples[3 + i].parent = 0;
    }
    REQUIRE_OK(jc_data_report_compute(dataset, JC_ROLE_ANY, NULL, &r, &err));
    CHECK_INT(r.n_rows, 3);
    CHECK_INT(r.n_auxiliary, 1);
    CHECK_INT(r.n_cut, 3);
    CHECK_INT(r.n_texts, 2);
    CHECK_INT(r.n_duplicates, 0);
    CHECK_INT(r.n_ambiguous_rows, 2);
    CHECK_NEAR(r.ceiling, 2.0 / 3, 1e-12);
    CHECK_INT(r.sizes[1].n_categories, 2);
    CHECK_INT(r.sizes[1].n_rows, 2);
    uint32_t counts[2];
    jc_data_report_count(dataset, JC_ROLE_TRAIN, counts);
    CHECK_INT(counts[0], 1);
    CHECK_INT(counts[1], 0);
    for (size_t i = 0; i < 3; i++)
        dataset->examples[i].role = JC_ROLE_UNUSED;
    CHECK_FAILS(jc_data_report_compute(dataset, JC_ROLE_TRAIN, NULL, &r, &err), JC_E_INVALID, "no rows");
}

int main(void)
{
    test_by_hand();
    test_helping_rows();
    test_against_matrix();
    return check_finish();
}
