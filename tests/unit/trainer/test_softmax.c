/* The method softmax: it learns what averages do not, its words decide where vectors cannot, and the same seed gives
 * the same head, with about the same one for another number of threads. */
#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"
#include "model/lexicon.h"
#include "trainer/config.h"
#include "trainer/method.h"
#include "trainer/predict.h"

enum { N_CATEGORIES = 4, DIM = 12, N_TEXTS = 161, N_IDS = 3 };

static struct jc_err err;

struct fixture {
    struct jc_dataset *dataset;
    float vectors[N_TEXTS * DIM];
    int32_t ids[N_TEXTS * N_IDS];
    size_t offsets[N_TEXTS + 1];
    struct jc_tokens tokens;
    struct jc_train_config config;
    struct jc_train_data data;
};

/* All texts are the token 10 with the vector (1, 0, ...); text i trains category i % N_CATEGORIES. */
static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.dataset = jc_dataset_create()};
    REQUIRE(f->dataset);
    f->dataset->n_categories = N_CATEGORIES;
    f->dataset->categories = calloc(N_CATEGORIES, sizeof(*f->dataset->categories));
    f->dataset->labels = calloc(N_CATEGORIES, sizeof(*f->dataset->labels));
    REQUIRE(f->dataset->categories && f->dataset->labels);
    for (uint32_t i = 0; i < N_TEXTS; i++) {
        struct jc_example example = {.raw = "x", .category = i % N_CATEGORIES, .text = i, .role = JC_ROLE_TRAIN};
        REQUIRE_OK(jc_dataset_add(f->dataset, &example, &err));
        memcpy(f->ids + (size_t)N_IDS * i, (const int32_t[]){2, 10, 3}, N_IDS * sizeof(int32_t));
        f->vectors[(size_t)i * DIM] = 1;
    }
    for (size_t i = 0; i <= N_TEXTS; i++)
        f->offsets[i] = i * N_IDS;
    f->tokens = (struct jc_tokens){.ids = f->ids, .offsets = f->offsets};
    /* 161 texts in batches of 20: the last batch is one text, fewer than there are threads */
    f->config.softmax = (struct jc_softmax_config){.epochs = 60, .batch = 20, .seed = 5, .learning_rate = 0.02};
    f->data = (struct jc_train_data){.dataset = f->dataset,
                                     .vectors = f->vectors,
                                     .tokens = &f->tokens,
                                     .dim = DIM,
                                     .n_threads = 1,
                                     .config = &f->config};
}

static void fixture_finish(struct fixture *f)
{
    jc_dataset_destroy(f->dataset);
}

#define FIXTURE __attribute__((cleanup(fixture_finish))) struct fixture

/* A weak value that tells the category, among strong ones that tell nothing. */
static void make_separable(struct fixture *f)
{
    struct jc_rng rng = jc_rng_seeded(2);
    for (size_t i = 0; i < N_TEXTS; i++) {
        float *vector = f->vectors + i * DIM;
        memset(vector, 0, DIM * sizeof(*vector));
        vector[i % N_CATEGORIES] = 0.2F;
        for (size_t d = N_CATEGORIES; d < DIM; d++)
            vector[d] = (float)(jc_rng_unit(&rng) * 2 - 1);
        jc_vec_normalize(vector, DIM);
    }
}

static void fit(const struct fixture *f, const struct jc_method *method, struct jc_head *head)
{
    double seconds;
    REQUIRE_OK(jc_method_fit(method, &f->data, JC_ROLE_TRAIN, head, &seconds, &err));
}

static size_t count_right(const struct fixture *f, const struct jc_head *head)
{
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n, n_right = 0;
    REQUIRE_OK(jc_predict(&f->data, head, JC_ROLE_TRAIN, &predictions, &n, &err));
    for (size_t i = 0; i < n; i++)
        n_right += predictions[i].rank == 1;
    return n_right;
}

static void test_vectors(void)
{
    FIXTURE f;
    fixture_init(&f);
    make_separable(&f);
    JC_AUTO_FINISH(jc_head) struct jc_head average = {0}, softmax = {0};
    fit(&f, &jc_method_average, &average);
    CHECK(count_right(&f, &average) < N_TEXTS - 5); /* or the set shows nothing */
    fit(&f, &jc_method_softmax, &softmax);
    CHECK_INT(count_right(&f, &softmax), N_TEXTS);
}

static void test_words(void)
{
    FIXTURE f;
    fixture_init(&f);
    JC_AUTO_FINISH(jc_head) struct jc_head without = {0}, with = {0};
    fit(&f, &jc_method_softmax, &without);
    CHECK(count_right(&f, &without) < N_TEXTS / 2); /* equal vectors, equal words */
    for (size_t i = 0; i < N_TEXTS; i++)
        f.ids[i * N_IDS + 1] = 10 + (int32_t)(i % N_CATEGORIES);
    fit(&f, &jc_method_softmax, &with);
    CHECK(with.n_features > 0 && with.lexicon_dim > 0);
    CHECK_INT(count_right(&f, &with), N_TEXTS);
}

/* Features of one text alone are not learned; without any there is no lexicon, and the vectors decide. */
static void test_rare_words(void)
{
    FIXTURE f;
    fixture_init(&f);
    make_separable(&f);
    for (size_t i = 0; i < N_TEXTS; i++)
        f.ids[i * N_IDS + 1] = 10 + (int32_t)i;
    JC_AUTO_FINISH(jc_head) struct jc_head without = {0}, with = {0};
    fit(&f, &jc_method_softmax, &without);
    CHECK_INT(without.n_features, 0);
    CHECK_INT(without.lexicon_dim, 0);
    CHECK_INT(count_right(&f, &without), N_TEXTS);
    for (size_t i = 0; i < 20; i++)
        f.ids[i * N_IDS + 1] = 7;
    fit(&f, &jc_method_softmax, &with);
    CHECK_INT(with.n_features, 3); /* the token, first, last */
    CHECK_INT(with.keys[2], (INT64_C(7) << 32) + JC_LEXICON_ALONE);
}

/* A text of two categories: they come first, about equally likely. */
static void test_two_codes(void)
{
    FIXTURE f;
    fixture_init(&f);
    make_separable(&f);
    struct jc_example example = {.raw = "x", .category = 2, .text = 0, .role = JC_ROLE_TRAIN};
    REQUIRE_OK(jc_dataset_add(f.dataset, &example, &err));
    REQUIRE_OK(jc_dataset_add(f.dataset, &example, &err)); /* twice the same */
    f.ids[1] = 77;                                         /* a word of its own */
    f.config.softmax.epochs = 200;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    fit(&f, &jc_method_softmax, &head);
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n;
    REQUIRE_OK(jc_predict(&f.data, &head, JC_ROLE_TRAIN, &predictions, &n, &err));
    CHECK_INT(n, N_TEXTS + 2);
    CHECK_INT(predictions[0].hits[0].index + predictions[0].hits[1].index, 2); /* categories 0 and 2 */
    CHECK_NEAR(predictions[0].right_probability, 0.5, 0.15);
    CHECK_NEAR(predictions[n - 1].right_probability, 0.5, 0.15);
}

static bool are_same(const struct jc_head *a, const struct jc_head *b)
{
    return a->n_features == b->n_features && memcmp(a->keys, b->keys, a->n_features * sizeof(*a->keys)) == 0 &&
           memcmp(a->matrix, b->matrix, a->n_categories * jc_head_width(a) * sizeof(float)) == 0 &&
           memcmp(a->bias, b->bias, a->n_categories * sizeof(float)) == 0 &&
           memcmp(a->lexicon, b->lexicon, a->n_features * a->lexicon_dim * sizeof(float)) == 0;
}

static void test_seed(void)
{
    FIXTURE f;
    fixture_init(&f);
    make_separable(&f);
    f.config.softmax.epochs = 5;
    f.config.softmax.dropout = f.config.softmax.word_dropout = 0.3;
    f.config.softmax.prior = 0.5;
    f.config.softmax.smoothing = 0.1;
    for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) {
        JC_AUTO_FINISH(jc_head) struct jc_head first = {0}, again = {0}, other = {0};
        f.data.n_threads = n_threads;
        f.config.softmax.seed = 5;
        fit(&f, &jc_method_softmax, &first);
        fit(&f, &jc_method_softmax, &again);
        CHECK(are_same(&first, &again));
        f.config.softmax.seed = 6;
        fit(&f, &jc_method_softmax, &other);
        CHECK(!are_same(&first, &other));
    }
}

static double find_largest_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

/* Without dropout only the order of sums depends on the number of threads. */
static void test_threads(void)
{
    FIXTURE f;
    fixture_init(&f);
    make_separable(&f);
    for (size_t i = 0; i < N_TEXTS; i++)
        f.ids[i * N_IDS + 1] = 10 + (int32_t)(i % 7);
    f.config.softmax.epochs = 5;
    JC_AUTO_FINISH(jc_head) struct jc_head one = {0}, three = {0};
    fit(&f, &jc_method_softmax, &one);
    f.data.n_threads = 3;
    fit(&f, &jc_method_softmax, &three);
    CHECK_NEAR(find_largest_difference(one.matrix, three.matrix, N_CATEGORIES * jc_head_width(&one)), 0, 1e-3);
    CHECK_NEAR(find_largest_difference(one.bias, three.bias, N_CATEGORIES), 0, 1e-4);
    CHECK_NEAR(find_largest_difference(one.lexicon, three.lexicon, one.n_features * one.lexicon_dim), 0, 1e-3);
}

static void test_nothing(void)
{
    FIXTURE f;
    fixture_init(&f);
    struct jc_head head = {0};
    double seconds;
    CHECK_FAILS(jc_method_fit(&jc_method_softmax, &f.data, JC_ROLE_TEST, &head, &seconds, &err), JC_E_INVALID,
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
    test_nothing();
    return check_finish();
}
