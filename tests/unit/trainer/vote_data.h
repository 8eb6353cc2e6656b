/* Random texts of random categories, with unit vectors: what the tests of exemplars fit on. */
#ifndef JC_TESTS_TRAINER_VOTE_DATA_H
#define JC_TESTS_TRAINER_VOTE_DATA_H

#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"
#include "trainer/config.h"
#include "trainer/methods/method.h"

enum { VOTE_DIM = 8, VOTE_TEXTS = 600, VOTE_EXAMPLES = 2600 };

struct vote_data {
    struct jc_dataset *dataset;
    struct jc_tokens tokens; /* no words */
    struct jc_train_config config;
    struct jc_train_data data;
    float vectors[VOTE_TEXTS * VOTE_DIM];
    int32_t ids[2];
    size_t offsets[VOTE_TEXTS + 1];
};

/* Each category has a direction of its own, to which noise is added. */
static inline void vote_data_fill_vector(struct vote_data *v, struct jc_rng *rng, uint32_t text, uint32_t category,
                                         double noise)
{
    float *vector = v->vectors + (size_t)text * VOTE_DIM;
    struct jc_rng direction = jc_rng_seeded(1000 + category);
    for (size_t d = 0; d < VOTE_DIM; d++)
        vector[d] = (float)(jc_rng_unit(&direction) - 0.5 + noise * (jc_rng_unit(rng) - 0.5));
    jc_vec_normalize(vector, VOTE_DIM);
}

/* Texts beyond the categories' own titles; most examples of a text are of its own category, some of another. Roles:
 * each text is of one of train, validation and test. */
static inline void vote_data_init(struct vote_data *v, size_t n_categories, double noise, uint64_t seed)
{
    struct jc_err err;
    struct jc_rng rng = jc_rng_seeded(seed);
    *v = (struct vote_data){.dataset = jc_dataset_create()};
    REQUIRE(v->dataset);
    for (uint32_t i = 0; i < n_categories; i++) {
        char code[32];
        uint32_t category;
        snprintf(code, sizeof(code), "11-%04u.00", i);
        REQUIRE_OK(jc_dataset_add_category(v->dataset, code, code, NULL, &category, &err));
        vote_data_fill_vector(v, &rng, i, i, noise);
    }
    for (uint32_t i = 0; i < VOTE_EXAMPLES; i++) {
        char title[32];
        uint32_t text = (uint32_t)(jc_rng_next(&rng) % (VOTE_TEXTS - n_categories)),
                 own = text % (uint32_t)n_categories;
        bool is_other = jc_rng_unit(&rng) < 0.2;
        struct jc_example example = {.category = is_other ? (uint32_t)(jc_rng_next(&rng) % n_categories) : own,
                                     .parent = JC_EXAMPLE_NO_PARENT,
                                     .n_sources = 1,
                                     .weight = (float)(0.25 + jc_rng_unit(&rng)),
                                     .role = text % 5 == 0   ? JC_ROLE_VALIDATION
                                             : text % 5 == 1 ? JC_ROLE_TEST
                                                             : JC_ROLE_TRAIN};
        snprintf(title, sizeof(title), "text %u", text);
        REQUIRE_OK(jc_dataset_add_title(v->dataset, title, example, &err));
        vote_data_fill_vector(v, &rng, v->dataset->examples[i].text, own, noise);
    }
    for (size_t i = 0; i < VOTE_TEXTS; i++)
        v->offsets[i] = 0;
    v->tokens = (struct jc_tokens){.ids = v->ids, .offsets = v->offsets};
    v->config = (struct jc_train_config){
        .seed = 3,
        .exemplar = {.k = 7, .sharpness = 6},
        .softmax = {
            .epochs = 4, .refit_epochs = 1, .batch = 64, .learning_rate = 0.01, .prior = 0.5, .smoothing = 0.1}};
    v->data = (struct jc_train_data){.dataset = v->dataset,
                                     .vectors = v->vectors,
                                     .tokens = &v->tokens,
                                     .dim = VOTE_DIM,
                                     .n_threads = 3,
                                     .config = &v->config};
}

static inline void vote_data_finish(struct vote_data *v)
{
    jc_dataset_destroy(v->dataset);
}

#define VOTE_DATA __attribute__((cleanup(vote_data_finish))) struct vote_data

#endif
