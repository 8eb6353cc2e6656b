/* Ranks and predictions against the definition in double, and visits against the roles asked for. */
#include "trainer/measure/predict.h"

#include "base/rng.h"
#include "fixture.h"

static struct jc_err err;

static void test_rank(void)
{
    const float scores[] = {0.5f, 0.9f, 0.5f, 0.1f, 0.9f};
    CHECK_INT(jc_predict_rank(scores, 5, 1), 1);
    CHECK_INT(jc_predict_rank(scores, 5, 4), 2); /* ties with 1, which has the lower index */
    CHECK_INT(jc_predict_rank(scores, 5, 0), 3);
    CHECK_INT(jc_predict_rank(scores, 5, 2), 4);
    CHECK_INT(jc_predict_rank(scores, 5, 3), 5);
}

static void make_head(struct jc_head *head, size_t n_categories, size_t dim)
{
    struct jc_rng rng = jc_rng_seeded(n_categories);
    REQUIRE_OK(jc_head_init(head, n_categories, dim, 0, 0, &err));
    for (size_t i = 0; i < n_categories * dim; i++)
        head->matrix[i] = (float)(jc_rng_unit(&rng) * 2 - 1);
    for (size_t i = 0; i < n_categories; i++)
        head->bias[i] = (float)jc_rng_unit(&rng) / 2;
    head->sharpness = 4;
    head->saturation = 2;
    head->power = 1.5F;
}

/* g of every category (artifact/head.h), and their sum. */
static double weigh(const struct jc_head *head, const float *vector, double *ret_weights)
{
    double sum = 0;
    for (size_t c = 0; c < head->n_categories; c++) {
        double score = (double)head->bias[c];
        for (size_t i = 0; i < head->dim; i++)
            score += (double)head->matrix[c * head->dim + i] * (double)vector[i];
        sum += ret_weights[c] = exp((double)head->sharpness * score);
    }
    double mass = 0;
    for (size_t c = 0; c < head->n_categories; c++) {
        double q = ret_weights[c] / sum;
        mass += ret_weights[c] = pow(q / (1 + (double)head->saturation * q), (double)head->power);
    }
    return mass;
}

static void check_prediction(const struct jc_head *head, const struct jc_prediction *prediction, const float *vector)
{
    double weights[64], brier = 0, best = 0;
    double sum = weigh(head, vector, weights);
    size_t rank = 1, right = prediction->category;
    for (size_t c = 0; c < head->n_categories; c++) {
        double wrong = weights[c] / sum - (c == right);
        brier += wrong * wrong;
        best = fmax(best, weights[c]);
        rank += weights[c] > weights[right];
    }
    CHECK_INT(prediction->rank, rank);
    CHECK_INT(prediction->n_hits, head->n_categories < JC_PREDICTION_HITS ? head->n_categories : JC_PREDICTION_HITS);
    CHECK_NEAR(weights[prediction->hits[0].index], best, 1e-9);
    for (size_t i = 1; i < prediction->n_hits; i++)
        CHECK(weights[prediction->hits[i].index] <= weights[prediction->hits[i - 1].index]);
    if (rank <= prediction->n_hits)
        CHECK_INT(prediction->hits[rank - 1].index, right);
    CHECK_NEAR(prediction->confidence, best / sum, 1e-5);
    CHECK_NEAR(prediction->right_probability, weights[right] / sum, 1e-5);
    CHECK_NEAR(prediction->brier, brier, 1e-5);
}

static void check_predictions(size_t n_categories)
{
    enum { DIM = 5, N = 40 };
    float vectors[N * DIM];
    struct jc_rng rng = jc_rng_seeded(1);
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = fixture_dataset(n_categories);
    for (uint32_t i = 0; i < N; i++)
        fixture_add(dataset, (uint32_t)(jc_rng_next(&rng) % n_categories), N - 1 - i,
                    i % 3 ? JC_ROLE_TEST : JC_ROLE_TRAIN);
    for (size_t i = 0; i < N * DIM; i++)
        vectors[i] = (float)(jc_rng_unit(&rng) * 2 - 1);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    make_head(&head, n_categories, DIM);
    struct jc_train_data data = {.dataset = dataset, .vectors = vectors, .dim = DIM};
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n = 0, at = 0;
    REQUIRE_OK(jc_predict(&data, &head, JC_ROLE_TEST, &predictions, &n, &err));
    REQUIRE(n == jc_dataset_count(dataset, JC_ROLE_TEST));
    for (size_t i = 0; i < N; i++) {
        if (dataset->examples[i].role != JC_ROLE_TEST)
            continue;
        CHECK_INT(predictions[at].example, i);
        CHECK_INT(predictions[at].category, dataset->examples[i].category);
        check_prediction(&head, &predictions[at++], vectors + dataset->examples[i].text * DIM);
    }
    free(TAKE(predictions));
    REQUIRE_OK(jc_predict(&data, &head, JC_ROLE_UNUSED, &predictions, &n, &err));
    CHECK_INT(n, 0);
}

struct seen {
    size_t n, last;
};

static void see(void *context, size_t i_example, const float *scores)
{
    struct seen *seen = context;
    CHECK(seen->n == 0 || i_example > seen->last);
    CHECK_NEAR(scores[1], i_example % 3 == 0 ? 8 : 2, 1e-6); /* texts (1, 0) and (0, 1) on (7, 1), and the bias */
    seen->last = i_example;
    seen->n++;
}

/* More examples than one matrix product takes: each comes once, in order. */
static void test_visit(void)
{
    static const float texts[] = {1, 0, 0, 1};
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = fixture_dataset(2);
    for (uint32_t i = 0; i < 1006; i++)
        fixture_add(dataset, i % 2, i % 3 != 0, i % 2 ? JC_ROLE_TEST : JC_ROLE_UNUSED);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    make_head(&head, 2, 2);
    head.matrix[2] = 7;
    head.matrix[3] = 1;
    head.bias[1] = 1;
    struct jc_train_data data = {.dataset = dataset, .vectors = texts, .dim = 2};
    struct seen seen = {0};
    REQUIRE_OK(jc_predict_visit(&data, &head, JC_ROLE_TEST, see, &seen, &err));
    CHECK_INT(seen.n, 503);
    REQUIRE_OK(jc_predict_visit(&data, &head, JC_ROLE_TRAIN, see, &seen, &err));
    CHECK_INT(seen.n, 503);
    CHECK_INT(jc_dataset_count(dataset, JC_ROLE_ANY), 1006);
}

int main(void)
{
    test_rank();
    check_predictions(1);
    check_predictions(3);
    check_predictions(50);
    test_visit();
    return check_finish();
}
