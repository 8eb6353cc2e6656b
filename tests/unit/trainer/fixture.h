/* Small datasets by hand: categories by number, examples by text number. */
#ifndef JC_TESTS_TRAINER_FIXTURE_H
#define JC_TESTS_TRAINER_FIXTURE_H

#include "check.h"
#include "trainer/data/dataset.h"

/* With the categories "11-0000.00" "a", "11-0001.00" "b" ..., each its own label, and no examples. */
static inline struct jc_dataset *fixture_dataset(size_t n_categories)
{
    struct jc_err err;
    struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    for (size_t i = 0; i < n_categories; i++) {
        char code[32], title[32];
        uint32_t category;
        snprintf(code, sizeof(code), "11-%04zu.00", i);
        snprintf(title, sizeof(title), "%c%zu", (char)('a' + i % 26), i / 26);
        REQUIRE_OK(jc_dataset_add_category(dataset, code, title, NULL, &category, &err));
        REQUIRE(category == i);
    }
    return dataset;
}

/* An example that weighs 1; the text need not be in the dataset's pool. */
static inline void fixture_add(struct jc_dataset *dataset, uint32_t category, uint32_t text, enum jc_role role)
{
    struct jc_err err;
    struct jc_example example = {
        .category = category, .text = text, .parent = JC_EXAMPLE_NO_PARENT, .n_sources = 1, .weight = 1, .role = role};
    REQUIRE_OK(jc_dataset_add(dataset, &example, &err));
}

#endif
