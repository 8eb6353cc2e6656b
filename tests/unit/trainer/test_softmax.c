/* The method softmax: it learns what averages do not, its words decide where vectors cannot, and the same seed gives
 * the same head, with about the same one for another number of threads. */
#include "base/own.h"
#include "model/lexicon.h"
#include "small_fit.h"

static struct jc_err err;

static void fixture_init(struct small_fit *f)
{
    small_fit_init(f);
    /* 161 texts in batches of 20: the last batch is one text, fewer than there are threads */
    f->config.softmax =
        (struct jc_softmax_config){.epochs = 60, .refit_epochs = 2, .batch = 20, .lexicon = 32, .learning_rate = 0.02};
}

static void test_vectors(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    small_fit_separate(&f);
    JC_AUTO_FINISH(jc_head) struct jc_head average = {0}, softmax = {0};
    small_fit_run(&f, &jc_method_average, &average);
    CHECK(small_fit_count_right(&f, &average) < FIT_TEXTS - 5); /* or the set shows nothing */
    small_fit_run(&f, &jc_method_softmax, &softmax);
    CHECK_INT(small_fit_count_right(&f, &softmax), FIT_TEXTS);
}

static void test_words(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    JC_AUTO_FINISH(jc_head) struct jc_head without = {0}, with = {0};
    small_fit_run(&f, &jc_method_softmax, &without);
    CHECK(small_fit_count_right(&f, &without) < FIT_TEXTS / 2); /* equal vectors, equal words */
    for (size_t i = 0; i < FIT_TEXTS; i++)
        f.ids[i * FIT_IDS + 1] = 10 + (int32_t)(i % FIT_CATEGORIES);
    small_fit_run(&f, &jc_method_softmax, &with);
    CHECK(with.n_features > 0 && with.lexicon_dim > 0);
    CHECK_INT(small_fit_count_right(&f, &with), FIT_TEXTS);
}

/* Features of one text alone are not learned; without any there is no lexicon, and the vectors decide. */
static void test_rare_words(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    small_fit_separate(&f);
    for (size_t i = 0; i < FIT_TEXTS; i++)
        f.ids[i * FIT_IDS + 1] = 10 + (int32_t)i;
    JC_AUTO_FINISH(jc_head) struct jc_head without = {0}, with = {0};
    small_fit_run(&f, &jc_method_softmax, &without);
    CHECK_INT(without.n_features, 0);
    CHECK_INT(without.lexicon_dim, 0);
    CHECK_INT(small_fit_count_right(&f, &without), FIT_TEXTS);
    for (size_t i = 0; i < 20; i++)
        f.ids[i * FIT_IDS + 1] = 7;
    small_fit_run(&f, &jc_method_softmax, &with);
    CHECK_INT(with.n_features, 3); /* the token, first, last */
    CHECK_INT(with.keys[2], (INT64_C(7) << 32) + JC_LEXICON_ALONE);
}

/* A text of two categories: they come first, and share all that there is. */
static void test_two_codes(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    small_fit_separate(&f);
    small_fit_add(&f, 0, 2, 0.75F, JC_ROLE_TRAIN);
    small_fit_add(&f, 0, 2, 0.25F, JC_ROLE_TRAIN); /* twice the same: together they count as the first */
    f.ids[1] = 77;                                 /* a word of its own */
    f.config.softmax.epochs = 200;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    small_fit_run(&f, &jc_method_softmax, &head);
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n;
    REQUIRE_OK(jc_predict(&f.data, &head, JC_ROLE_TRAIN, &predictions, &n, &err));
    CHECK_INT(n, FIT_TEXTS + 2);
    CHECK_INT(predictions[0].hits[0].index + predictions[0].hits[1].index, 2); /* categories 0 and 2 */
    CHECK(predictions[0].right_probability + predictions[n - 1].right_probability > 0.9F);
}

static void test_seed(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    small_fit_separate(&f);
    f.config.softmax.epochs = 5;
    f.config.softmax.dropout = f.config.softmax.word_dropout = 0.3;
    f.config.softmax.prior = 0.5;
    f.config.softmax.smoothing = 0.1;
    for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) {
        JC_AUTO_FINISH(jc_head) struct jc_head first = {0}, again = {0}, other = {0};
        f.data.n_threads = n_threads;
        f.config.seed = 5;
        small_fit_run(&f, &jc_method_softmax, &first);
        small_fit_run(&f, &jc_method_softmax, &again);
        CHECK(small_fit_are_same(&first, &again));
        f.config.seed = 6;
        small_fit_run(&f, &jc_method_softmax, &other);
        CHECK(!small_fit_are_same(&first, &other));
    }
}

/* Without dropout only the order of sums depends on the number of threads. */
static void test_threads(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    small_fit_separate(&f);
    for (size_t i = 0; i < FIT_TEXTS; i++)
        f.ids[i * FIT_IDS + 1] = 10 + (int32_t)(i % 7);
    f.config.softmax.epochs = 5;
    JC_AUTO_FINISH(jc_head) struct jc_head one = {0}, three = {0};
    small_fit_run(&f, &jc_method_softmax, &one);
    f.data.n_threads = 3;
    small_fit_run(&f, &jc_method_softmax, &three);
    CHECK_NEAR(small_fit_difference(one.matrix, three.matrix, FIT_CATEGORIES * jc_head_width(&one)), 0, 1e-3);
    CHECK_NEAR(small_fit_difference(one.bias, three.bias, FIT_CATEGORIES), 0, 1e-4);
    CHECK_NEAR(small_fit_difference(one.lexicon, three.lexicon, one.n_features * one.lexicon_dim), 0, 1e-3);
}

static bool has_key(const struct jc_head *head, int64_t key)
{
    for (size_t i = 0; i < head->n_features; i++)
        if (head->keys[i] == key)
            return true;
    return false;
}

/* Going on from a head fitted on some of the rows: its features stay, and what the others teach is learned. */
static void test_go_on(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    small_fit_separate(&f);
    for (size_t i = 0; i < FIT_TEXTS; i++)
        f.ids[i * FIT_IDS + 1] = 10 + (int32_t)(i % 7);
    for (size_t i = 0; i < FIT_TEXTS; i += 3)
        f.dataset->examples[i].role = JC_ROLE_VALIDATION;
    JC_AUTO_FINISH(jc_head) struct jc_head start = {0}, head = {0};
    small_fit_run(&f, &jc_method_softmax, &start);
    for (size_t i = 0; i < FIT_TEXTS; i += 3)
        f.ids[i * FIT_IDS + 1] = 99; /* a word that the start does not know */
    double seconds;
    struct jc_curve curve = {0};
    struct jc_fit fit = {
        .data = &f.data, .roles = JC_ROLE_TRAIN | JC_ROLE_VALIDATION, .start = &start, .curve = &curve};
    REQUIRE_OK(jc_method_fit(&jc_method_softmax, &fit, &head, &seconds, &err));
    for (size_t i = 0; i < start.n_features; i++)
        CHECK(has_key(&head, start.keys[i]));
    const int64_t word = (INT64_C(99) << 32) + JC_LEXICON_ALONE;
    CHECK(has_key(&head, word) && !has_key(&start, word));
    CHECK(!small_fit_are_same(&head, &start));
    CHECK(small_fit_difference(head.matrix, start.matrix, FIT_CATEGORIES * jc_head_width(&head)) < 0.5);
    CHECK_INT(curve.n_epochs, 2);
    CHECK(curve.train[1] < curve.train[0]);
    CHECK(isnan(curve.validation[1]));
    jc_curve_finish(&curve);

    start.n_categories--;
    JC_AUTO_FINISH(jc_head) struct jc_head none = {0};
    CHECK_FAILS(jc_method_fit(&jc_method_softmax, &fit, &none, &seconds, &err), JC_E_INVALID, "does not go on");
    start.n_categories++;
}

/* The losses fall, and the watched rows' is that of the head in hand. */
static void test_curve(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    small_fit_separate(&f);
    f.config.softmax.epochs = 6;
    f.config.softmax.dropout = 0.2;
    for (size_t i = 0; i < FIT_TEXTS; i += 3)
        f.dataset->examples[i].role = JC_ROLE_VALIDATION;
    double seconds;
    struct jc_curve curve = {0};
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    const struct jc_fit fit = {.data = &f.data, .roles = JC_ROLE_TRAIN, .watch = JC_ROLE_VALIDATION, .curve = &curve};
    REQUIRE_OK(jc_method_fit(&jc_method_softmax, &fit, &head, &seconds, &err));
    CHECK_INT(curve.n_epochs, 6);
    for (size_t i = 1; i < curve.n_epochs; i++)
        CHECK(curve.train[i] < curve.train[i - 1]);
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n;
    REQUIRE_OK(jc_predict(&f.data, &head, JC_ROLE_VALIDATION, &predictions, &n, &err));
    double loss = 0;
    for (size_t i = 0; i < n; i++)
        loss -= log((double)predictions[i].right_probability) / (double)n;
    CHECK_NEAR(curve.validation[5], loss, 1e-5); /* without prior and smoothing */
    jc_curve_finish(&curve);
}

static void test_nothing(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    struct jc_head head = {0};
    double seconds;
    const struct jc_fit fit = {.data = &f.data, .roles = JC_ROLE_TEST};
    CHECK_FAILS(jc_method_fit(&jc_method_softmax, &fit, &head, &seconds, &err), JC_E_INVALID,
                "method softmax: there is no training row");
    CHECK(!head.matrix);
}

int main(void)
{
    jc_linalg_init();
    test_vectors();
    test_words();
    test_rare_words();
    test_two_codes();
    test_seed();
    test_threads();
    test_go_on();
    test_curve();
    test_nothing();
    return check_finish();
}
