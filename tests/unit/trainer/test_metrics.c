/* Ranks and metrics against a case worked out by hand, and visits against the roles asked for. */
#include "trainer/metrics.h"

#include "check.h"

static struct jc_err err;

static void test_rank(void)
{
    const float scores[] = {0.5f, 0.9f, 0.5f, 0.1f, 0.9f};
    CHECK_INT(jc_metrics_rank(scores, 5, 1), 1);
    CHECK_INT(jc_metrics_rank(scores, 5, 4), 2); /* ties with 1, which has the lower index */
    CHECK_INT(jc_metrics_rank(scores, 5, 0), 3);
    CHECK_INT(jc_metrics_rank(scores, 5, 2), 4);
    CHECK_INT(jc_metrics_rank(scores, 5, 3), 5);
}

/* Six categories on a line: category c has the embedding (c + 1, 0), and the one text the vector (1, 0), so the ranks
 * of categories 5, 4, 3, 2, 1, 0 are 1 to 6. */
static struct jc_dataset *make_line(void)
{
    struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    dataset->categories = calloc(6, sizeof(*dataset->categories));
    REQUIRE(dataset->categories);
    dataset->n_categories = 6;
    const uint32_t categories[] = {5, 5, 3, 1, 0, 2};
    for (size_t i = 0; i < JC_COUNT(categories); i++) {
        struct jc_example example = {
            .raw = "x", .category = categories[i], .role = i == 5 ? JC_ROLE_TRAIN : JC_ROLE_TEST};
        REQUIRE_OK(jc_dataset_add(dataset, &example, &err));
    }
    return dataset;
}

static const float text[] = {1, 0};
static const float line[] = {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0};

static void test_measure(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_line();
    struct jc_train_data data = {.dataset = dataset, .vectors = text, .dim = 2};
    struct jc_metrics metrics;
    REQUIRE_OK(jc_metrics_measure(&data, line, JC_ROLE_TEST, &metrics, &err));
    CHECK_INT(metrics.n, 5); /* ranks 1, 1, 3, 5, 6 */
    CHECK_NEAR(metrics.top_1, 2.0 / 5, 1e-12);
    CHECK_NEAR(metrics.top_3, 3.0 / 5, 1e-12);
    CHECK_NEAR(metrics.top_5, 4.0 / 5, 1e-12);
    CHECK_NEAR(metrics.mrr, (1 + 1 + 1.0 / 3 + 1.0 / 5 + 1.0 / 6) / 5, 1e-12);

    REQUIRE_OK(jc_metrics_measure(&data, line, JC_ROLE_TRAIN, &metrics, &err));
    CHECK_INT(metrics.n, 1);
    CHECK_NEAR(metrics.mrr, 1.0 / 4, 1e-12);
    REQUIRE_OK(jc_metrics_measure(&data, line, JC_ROLE_UNUSED, &metrics, &err));
    CHECK_INT(metrics.n, 0);
    CHECK_NEAR(metrics.mrr, 0, 0);
}

struct seen {
    size_t n, last;
};

static void see(void *context, size_t i_example, const float *scores)
{
    struct seen *seen = context;
    CHECK(seen->n == 0 || i_example > seen->last);
    CHECK_NEAR(scores[5], 6, 1e-6);
    seen->last = i_example;
    seen->n++;
}

/* More examples than one matrix product takes: each comes once, in order. */
static void test_visit(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_line();
    for (size_t i = 0; i < 1000; i++) {
        struct jc_example example = {.raw = "x", .role = i % 2 ? JC_ROLE_TEST : JC_ROLE_UNUSED};
        REQUIRE_OK(jc_dataset_add(dataset, &example, &err));
    }
    struct jc_train_data data = {.dataset = dataset, .vectors = text, .dim = 2};
    struct seen seen = {0};
    REQUIRE_OK(jc_metrics_visit(&data, line, JC_ROLE_TEST, see, &seen, &err));
    CHECK_INT(seen.n, 505);
    CHECK_INT(jc_dataset_count(dataset, JC_ROLE_TEST), 505);
    CHECK_INT(jc_dataset_count(dataset, JC_ROLE_ANY), 1006);
}

int main(void)
{
    test_rank();
    test_measure();
    test_visit();
    return check_finish();
}
