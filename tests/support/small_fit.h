/* A few texts of a few categories to fit heads on: how a test of a method begins. */
#ifndef JC_TESTS_SMALL_FIT_H
#define JC_TESTS_SMALL_FIT_H

#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"
#include "trainer/config.h"
#include "trainer/measure/predict.h"
#include "trainer/methods/method.h"

enum { FIT_CATEGORIES = 4, FIT_DIM = 12, FIT_TEXTS = 161, FIT_IDS = 3 };

struct small_fit {
    struct jc_dataset *dataset;
    float vectors[FIT_TEXTS * FIT_DIM];
    int32_t ids[FIT_TEXTS * FIT_IDS];
    size_t offsets[FIT_TEXTS + 1];
    struct jc_tokens tokens;
    struct jc_train_config config;
    struct jc_train_data data;
};

static inline void small_fit_add(struct small_fit *f, uint32_t text, uint32_t category, float weight, enum jc_role role)
{
    struct jc_err err;
    const struct jc_example example = {
        .category = category, .text = text, .parent = JC_EXAMPLE_NO_PARENT, .weight = weight, .role = role};
    REQUIRE_OK(jc_dataset_add(f->dataset, &example, &err));
}

/* A weak value that tells the category, among strong ones that tell nothing. */
static inline void small_fit_separate(struct small_fit *f)
{
    struct jc_rng rng = jc_rng_seeded(2);
    for (size_t i = 0; i < FIT_TEXTS; i++) {
        float *vector = f->vectors + i * FIT_DIM;
        memset(vector, 0, FIT_DIM * sizeof(*vector));
        vector[i % FIT_CATEGORIES] = 0.2F;
        for (size_t d = FIT_CATEGORIES; d < FIT_DIM; d++)
            vector[d] = (float)(jc_rng_unit(&rng) * 2 - 1);
        jc_vec_normalize(vector, FIT_DIM);
    }
}

/* All texts are the token 10 with the vector (1, 0, ...); text i trains category i % FIT_CATEGORIES. */
static inline void small_fit_init(struct small_fit *f)
{
    *f = (struct small_fit){.dataset = jc_dataset_create()};
    REQUIRE(f->dataset);
    f->dataset->n_categories = FIT_CATEGORIES;
    f->dataset->categories = calloc(FIT_CATEGORIES, sizeof(*f->dataset->categories));
    f->dataset->labels = calloc(FIT_CATEGORIES, sizeof(*f->dataset->labels));
    REQUIRE(f->dataset->categories && f->dataset->labels);
    for (uint32_t i = 0; i < FIT_TEXTS; i++) {
        small_fit_add(f, i, i % FIT_CATEGORIES, 1, JC_ROLE_TRAIN);
        memcpy(f->ids + (size_t)FIT_IDS * i, (const int32_t[]){2, 10, 3}, FIT_IDS * sizeof(int32_t));
        f->vectors[(size_t)i * FIT_DIM] = 1;
    }
    for (size_t i = 0; i <= FIT_TEXTS; i++)
        f->offsets[i] = i * FIT_IDS;
    f->tokens = (struct jc_tokens){.ids = f->ids, .offsets = f->offsets};
    f->config.seed = 5;
    f->data = (struct jc_train_data){.dataset = f->dataset,
                                     .vectors = f->vectors,
                                     .tokens = &f->tokens,
                                     .dim = FIT_DIM,
                                     .n_threads = 1,
                                     .config = &f->config};
}

static inline void small_fit_finish(struct small_fit *f)
{
    jc_dataset_destroy(f->dataset);
}

#define SMALL_FIT __attribute__((cleanup(small_fit_finish))) struct small_fit

/* Fits the method on `roles`. */
static inline void small_fit_run(const struct small_fit *f, const struct jc_method *method, struct jc_head *head)
{
    struct jc_err err;
    double seconds;
    const struct jc_fit fit = {.data = &f->data, .roles = JC_ROLE_TRAIN};
    REQUIRE_OK(jc_method_fit(method, &fit, head, &seconds, &err));
}

/* How many of the training examples the head answers rightly. */
static inline size_t small_fit_count_right(const struct small_fit *f, const struct jc_head *head)
{
    struct jc_err err;
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n, n_right = 0;
    REQUIRE_OK(jc_predict(&f->data, head, JC_ROLE_TRAIN, &predictions, &n, &err));
    for (size_t i = 0; i < n; i++)
        n_right += predictions[i].rank == 1;
    return n_right;
}

static inline bool small_fit_are_same(const struct jc_head *a, const struct jc_head *b)
{
    return a->n_features == b->n_features &&
           (!a->n_features || (memcmp(a->keys, b->keys, a->n_features * sizeof(*a->keys)) == 0 &&
                               memcmp(a->lexicon, b->lexicon, a->n_features * a->lexicon_dim * sizeof(float)) == 0)) &&
           memcmp(a->matrix, b->matrix, a->n_categories * jc_head_width(a) * sizeof(float)) == 0 &&
           memcmp(a->bias, b->bias, a->n_categories * sizeof(float)) == 0;
}

static inline double small_fit_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

#endif
