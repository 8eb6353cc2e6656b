/* Samples: a text's shares and weight from its examples, features, priors, and what a fit watches. */
#include "trainer/methods/samples.h"

#include "base/own.h"
#include "model/lexicon.h"
#include "small_fit.h"

static struct jc_err err;

/* Test rows: two texts, one of them in three rows of two categories. */
static void add_rows(struct small_fit *f)
{
    small_fit_add(f, 7, 3, 1, JC_ROLE_TEST);
    small_fit_add(f, 7, 1, 6, JC_ROLE_TEST);
    small_fit_add(f, 2, 0, 2, JC_ROLE_TEST);
    small_fit_add(f, 7, 3, 1, JC_ROLE_TEST);
}

/* Weights 8 and 2, a mean of 5. */
static void test_weights(void)
{
    SMALL_FIT f;
    small_fit_init(&f);
    add_rows(&f);
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0};
    REQUIRE_OK(jc_samples_collect(&f.data, JC_ROLE_TEST, &samples, &err));
    REQUIRE(samples.n == 2);
    const struct jc_sample *two = &samples.items[0], *seven = &samples.items[1];
    CHECK_INT(two->text, 2);
    CHECK_INT(two->n_codes, 1);
    CHECK_INT(two->codes[0], 0);
    CHECK_NEAR(two->shares[0], 1, 0);
    CHECK_NEAR(two->weight, 0.5, 1e-6);
    CHECK(two->vector == f.vectors + (size_t)2 * FIT_DIM);
    CHECK_INT(seven->text, 7);
    REQUIRE(seven->n_codes == 2);
    CHECK_INT(seven->codes[0], 1);
    CHECK_INT(seven->codes[1], 3);
    CHECK_NEAR(seven->shares[0], 0.75, 1e-6);
    CHECK_NEAR(seven->shares[1], 0.25, 1e-6);
    CHECK_NEAR(seven->weight, 1.5, 1e-6); /* its commoner category's */
}

/* Targets: 0.5 of category 0, 1.125 of 1, 0.375 of 3, of 2 samples; none of 2; less than a half counts as one. */
static void test_prior(void)
{
    SMALL_FIT f;
    small_fit_init(&f);
    add_rows(&f);
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0};
    float prior[FIT_CATEGORIES] = {9, 9, 9, 9};
    REQUIRE_OK(jc_samples_collect(&f.data, JC_ROLE_TEST, &samples, &err));
    jc_samples_prior(&samples, FIT_CATEGORIES, 0.5F, prior);
    CHECK_NEAR(prior[0], 0.5 * log(0.25), 1e-6);
    CHECK_NEAR(prior[1], 0.5 * log(1.125 / 2), 1e-6);
    CHECK_NEAR(prior[2], 0.5 * log(0.25), 1e-6);
    CHECK_NEAR(prior[3], 0.5 * log(0.25), 1e-6);
}

static void test_features(void)
{
    SMALL_FIT f;
    small_fit_init(&f);
    add_rows(&f);
    f.ids[7 * FIT_IDS + 1] = 44;
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0};
    JC_AUTO_FINISH(jc_head) struct jc_head plain = {0}, head = {0};
    REQUIRE_OK(jc_head_init(&plain, FIT_CATEGORIES, FIT_DIM, 0, 0, &err));
    REQUIRE_OK(jc_head_init(&head, FIT_CATEGORIES, FIT_DIM, 1, 2, &err));
    head.keys[0] = (INT64_C(10) << 32) + JC_LEXICON_ALONE;
    head.keys[1] = (INT64_C(44) << 32) + JC_LEXICON_ALONE;
    REQUIRE_OK(jc_samples_collect(&f.data, JC_ROLE_TEST, &samples, &err));
    REQUIRE_OK(jc_samples_add_features(&samples, NULL, &plain, &err));
    CHECK_INT(samples.items[0].n_features, 0);
    REQUIRE_OK(jc_samples_add_features(&samples, &f.tokens, &head, &err));
    for (uint32_t i = 0; i < 2; i++) {
        REQUIRE(samples.items[i].n_features == 1);
        CHECK_INT(samples.items[i].features[0], i);
    }
}

/* Of 9,000 watched texts 4,096, from the first to the last; all where there are fewer; nothing to train on. */
static void test_fit(void)
{
    enum { N = 9000 };
    SMALL_FIT f;
    small_fit_init(&f);
    JC_AUTO_FREE float *vectors = calloc(N, FIT_DIM * sizeof(*vectors));
    REQUIRE(vectors);
    f.data.vectors = vectors;
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0}, watched = {0}, few = {0}, trained = {0}, none = {0};
    struct jc_fit fit = {.data = &f.data, .roles = JC_ROLE_TRAIN};
    REQUIRE_OK(jc_samples_collect_fit(&fit, &samples, &none, &err));
    CHECK_INT(samples.n, FIT_TEXTS);
    CHECK_INT(none.n, 0);
    add_rows(&f);
    for (uint32_t i = 0; i < N; i++)
        small_fit_add(&f, i, 1, 1, JC_ROLE_VALIDATION);
    fit = (struct jc_fit){.data = &f.data, .roles = JC_ROLE_TEST, .watch = JC_ROLE_VALIDATION};
    REQUIRE_OK(jc_samples_collect_fit(&fit, &few, &watched, &err));
    CHECK_INT(few.n, 2);
    REQUIRE(watched.n == 4096);
    CHECK_INT(watched.items[0].text, 0);
    CHECK(watched.items[4095].text >= N - 3);
    for (size_t i = 1; i < watched.n; i++)
        CHECK(watched.items[i].text - watched.items[i - 1].text <= 3);
    fit.roles = JC_ROLE_UNUSED;
    CHECK_FAILS(jc_samples_collect_fit(&fit, &trained, &none, &err), JC_E_INVALID, "there is no training row");
}

int main(void)
{
    test_weights();
    test_prior();
    test_features();
    test_fit();
    return check_finish();
}
