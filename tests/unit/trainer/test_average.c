/* The methods against sums done by hand: which rows count, how often, and what an empty category gets. */
#include "check.h"
#include "trainer/methods/method.h"

static struct jc_err err;

/* Unit vectors of four texts in the plane. */
static const float vectors[] = {1, 0, 0, 1, 0.6f, 0.8f, -1, 0};

static void add(struct jc_dataset *dataset, uint32_t category, uint32_t text, float weight, enum jc_role role)
{
    const struct jc_example example = {
        .category = category, .text = text, .parent = JC_EXAMPLE_NO_PARENT, .weight = weight, .role = role};
    REQUIRE_OK(jc_dataset_add(dataset, &example, &err));
}

static struct jc_dataset *make_dataset(void)
{
    struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    dataset->n_categories = 4;
    dataset->categories = calloc(4, sizeof(*dataset->categories));
    dataset->labels = calloc(4, sizeof(*dataset->labels));
    REQUIRE(dataset->categories && dataset->labels);
    for (uint32_t i = 0; i < 4; i++)
        dataset->labels[i] = 3 - i;
    add(dataset, 0, 0, 1, JC_ROLE_TRAIN);
    add(dataset, 0, 1, 1.5F, JC_ROLE_TRAIN);
    add(dataset, 0, 1, 0.5F, JC_ROLE_TRAIN); /* the same text again: counts 2 in all */
    add(dataset, 1, 2, 1, JC_ROLE_TRAIN);
    add(dataset, 1, 0, 1, JC_ROLE_TEST);
    add(dataset, 2, 0, 1, JC_ROLE_UNUSED); /* no training row: the label */
    add(dataset, 3, 0, 1, JC_ROLE_TRAIN);  /* two that cancel out: the label */
    add(dataset, 3, 3, 1, JC_ROLE_TRAIN);
    return dataset;
}

static void check_fit(const char *name, unsigned roles, const float *matrix, const uint32_t *rows,
                      const float wanted[8])
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_dataset();
    struct jc_train_data data = {.dataset = dataset, .vectors = matrix, .rows = rows, .dim = 2};
    const struct jc_method *method = NULL;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    double seconds = -1;
    REQUIRE_OK(jc_method_find(name, &method, &err));
    CHECK_STR(method->name, name);
    const struct jc_fit fit = {.data = &data, .roles = roles};
    REQUIRE_OK(jc_method_fit(method, &fit, &head, &seconds, &err));
    CHECK(seconds >= 0);
    for (size_t i = 0; i < 8; i++)
        CHECK_NEAR(head.matrix[i], wanted[i], 1e-6);
    for (size_t i = 0; i < 4; i++)
        CHECK(head.bias[i] == 0); /* the score is the cosine */
    CHECK_INT(jc_head_width(&head), 2);
    CHECK(head.sharpness > 0);
}

int main(void)
{
    const float root5 = sqrtf(5);
    /* (1,0) + 2 (0,1); (.6,.8); label text 1; label text 0 */
    check_fit("average", JC_ROLE_TRAIN, vectors, NULL, (float[]){1 / root5, 2 / root5, 0.6f, 0.8f, 0, 1, 1, 0});
    /* with all rows: (.6,.8) + (1,0) = (1.6,.8) in category 1, text 0 in category 2 */
    check_fit("average", JC_ROLE_ANY, vectors, NULL, (float[]){1 / root5, 2 / root5, 2 / root5, 1 / root5, 1, 0, 1, 0});
    check_fit("direct", JC_ROLE_TRAIN, vectors, NULL, (float[]){-1, 0, 0.6f, 0.8f, 0, 1, 1, 0});

    /* the same vectors in another order, with a row no text has */
    const float shuffled[] = {0, 1, 9, 9, -1, 0, 1, 0, 0.6F, 0.8F};
    check_fit("average", JC_ROLE_TRAIN, shuffled, (uint32_t[]){3, 0, 4, 2},
              (float[]){1 / root5, 2 / root5, 0.6F, 0.8F, 0, 1, 1, 0});
    check_fit("direct", JC_ROLE_TRAIN, shuffled, (uint32_t[]){3, 0, 4, 2}, (float[]){-1, 0, 0.6F, 0.8F, 0, 1, 1, 0});

    const struct jc_method *method = NULL;
    CHECK_FAILS(jc_method_find("magic", &method, &err), JC_E_INVALID,
                "no method 'magic'; there are: direct, average, softmax");
    CHECK(!method);
    return check_finish();
}
