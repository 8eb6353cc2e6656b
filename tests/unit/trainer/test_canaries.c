/* Choosing canaries: right ones with a margin only, the groups in turn, the best known first. */
#include "trainer/publish/canaries.h"

#include "check.h"

static struct jc_err err;

/* Three categories in two groups, with the axes of space as embeddings. */
static const struct jc_category categories[] = {{"11-1.00", "a"}, {"11-2.00", "b"}, {"13-1.00", "c"}};
static const float axes[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

static const struct row {
    const char *title;
    uint32_t category, n_sources;
    float vector[3];
} rows[] = {
    {"wrong", 0, 9, {0, 1, 0}},
    {"close", 0, 9, {0.72f, 0.69f, 0}}, /* margin .03 */
    {"rare and clear", 0, 1, {1, 0, 0}},
    {"common, second", 1, 3, {0.6f, 0.8f, 0}},
    {"common, first", 1, 3, {0, 0.9f, 0.4f}},
    {"other group", 2, 1, {0, 0, 1}},
    {"other group", 2, 1, {0, 0, 1}},
    {"AT&T clerk &amp; more", 2, 9, {0, 0, 1}}, /* cleaning it twice would change it */
    {"a title that is much too long to be read at a glance", 2, 9, {0, 0, 1}},
};

static void check_choice(size_t n_wanted, const char *const *titles, size_t n_titles)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    REQUIRE(dataset && manifest);
    uint32_t category;
    for (size_t i = 0; i < JC_COUNT(categories); i++)
        REQUIRE_OK(jc_dataset_add_category(dataset, categories[i].code, categories[i].title, NULL, &category, &err));
    float vectors[(JC_COUNT(rows) + JC_COUNT(categories)) * 3] = {0}; /* the labels' first */
    for (uint32_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_example example = {.category = rows[i].category,
                                     .n_sources = rows[i].n_sources,
                                     .parent = JC_EXAMPLE_NO_PARENT,
                                     .weight = 1,
                                     .role = JC_ROLE_TRAIN};
        REQUIRE_OK(jc_dataset_add_title(dataset, rows[i].title, example, &err));
        memcpy(vectors + (size_t)3 * dataset->examples[i].text, rows[i].vector, sizeof(rows[i].vector));
    }
    struct jc_train_data data = {.dataset = dataset, .vectors = vectors, .dim = 3};
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    REQUIRE_OK(jc_head_init(&head, JC_COUNT(categories), 3, 0, 0, &err));
    memcpy(head.matrix, axes, sizeof(axes));
    REQUIRE_OK(jc_canaries_choose(&data, &head, JC_ROLE_ANY, n_wanted, manifest, &err));
    CHECK_INT(manifest->n_canaries, n_titles);
    for (size_t i = 0; i < n_titles && i < manifest->n_canaries; i++)
        CHECK_STR(manifest->canaries[i].title, titles[i]);
    if (n_titles > 1) {
        CHECK_STR(manifest->canaries[0].code, "11-2.00");
        CHECK_STR(manifest->canaries[1].code, "13-1.00");
    }
}

int main(void)
{
    static const char *const titles[] = {"common, first", "other group", "common, second", "rare and clear"};
    check_choice(0, titles, 0);
    check_choice(1, titles, 1);
    check_choice(3, titles, 3);
    check_choice(100, titles, 4);
    return check_finish();
}
