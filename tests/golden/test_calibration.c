/* Calibration against what scikit-learn and SciPy found on the same scores: the parameters, the likelihood, and how far
 * the evaluation says that the confidence can be trusted. */
#include <math.h>

#include "golden.h"
#include "trainer/measure/calibrate.h"
#include "trainer/measure/evaluation.h"
#include "trainer/measure/predict.h"

enum { MAX_CATEGORIES = 10 };

static struct jc_err err;

/* Example i is text i with these scores: the vectors, under a head whose rows are the axes. */
struct world {
    size_t n, n_categories;
    float *vectors; /* [n][n_categories] */
    struct jc_dataset *dataset;
    struct jc_head head;
};

static void world_finish(struct world *world)
{
    free(world->vectors);
    jc_dataset_destroy(world->dataset);
    jc_head_finish(&world->head);
}

static void world_init(struct world *world, const json_t *record)
{
    const json_t *scores = json_object_get(record, "scores"), *right = json_object_get(record, "right");
    size_t n = json_array_size(scores), n_categories = json_array_size(json_array_get(scores, 0));
    REQUIRE(n > 0 && n == json_array_size(right) && n_categories <= MAX_CATEGORIES);
    *world = (struct world){.n = n, .n_categories = n_categories, .dataset = jc_dataset_create()};
    world->vectors = calloc(n, n_categories * sizeof(*world->vectors));
    REQUIRE(world->vectors && world->dataset);
    REQUIRE_OK(jc_head_init(&world->head, n_categories, n_categories, 0, 0, &err));
    for (size_t c = 0; c < n_categories; c++) {
        char code[] = "11-0000.00", title[] = "a";
        uint32_t category;
        code[6] = (char)('0' + c);
        title[0] = (char)('a' + c);
        REQUIRE_OK(jc_dataset_add_category(world->dataset, code, title, NULL, &category, &err));
        world->head.matrix[c * n_categories + c] = 1;
    }
    for (size_t i = 0; i < n; i++) {
        struct jc_example example = {.category = (uint32_t)json_integer_value(json_array_get(right, i)),
                                     .text = (uint32_t)i,
                                     .parent = JC_EXAMPLE_NO_PARENT,
                                     .n_sources = 1,
                                     .weight = 1,
                                     .role = JC_ROLE_VALIDATION};
        REQUIRE_OK(jc_dataset_add(world->dataset, &example, &err));
        for (size_t c = 0; c < n_categories; c++)
            world->vectors[i * n_categories + c] =
                (float)json_number_value(json_array_get(json_array_get(scores, i), c));
    }
}

/* The number of that name in the recorded "temperature" or "shape". */
static double find(const json_t *record, const char *part, const char *name)
{
    const json_t *value = json_object_get(json_object_get(record, part), name);
    REQUIRE(json_is_number(value));
    return json_number_value(value);
}

/* The evaluation of the head's answers, and their likelihood, against the recorded. */
static void check_measures(const struct world *world, const json_t *record, const char *part)
{
    const struct jc_train_data data = {
        .dataset = world->dataset, .vectors = world->vectors, .dim = world->n_categories};
    const uint32_t n_train[MAX_CATEGORIES] = {0};
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    JC_AUTO_FINISH(jc_evaluation) struct jc_evaluation evaluation = {0};
    size_t n;
    double nll = 0;
    REQUIRE_OK(jc_predict(&data, &world->head, JC_ROLE_VALIDATION, &predictions, &n, &err));
    REQUIRE(n == world->n);
    const struct jc_evaluation_input input = {.predictions = predictions,
                                              .n = n,
                                              .categories = world->dataset->categories,
                                              .n_train = n_train,
                                              .n_categories = world->n_categories};
    REQUIRE_OK(jc_evaluation_compute(&input, &evaluation, &err));
    for (size_t i = 0; i < n; i++)
        nll -= log((double)predictions[i].right_probability) / (double)n;
    CHECK_NEAR(nll, find(record, part, "nll"), 1e-5);
    CHECK_NEAR(evaluation.ece, find(record, part, "ece"), 1e-3);
    CHECK_NEAR(evaluation.brier, find(record, part, "brier"), 2e-4);
}

static void check_temperature(struct world *world, const json_t *record)
{
    const struct jc_train_data data = {
        .dataset = world->dataset, .vectors = world->vectors, .dim = world->n_categories};
    JC_AUTO_FINISH(jc_scores) struct jc_scores scores = {0};
    double nll;
    REQUIRE_OK(jc_scores_collect(&data, &world->head, JC_ROLE_VALIDATION, world->n + 1, &scores, &err));
    scores.n_threads = 2;
    world->head.sharpness = jc_scores_find_sharpness(&scores, &nll);
    CHECK_NEAR(world->head.sharpness / find(record, "temperature", "sharpness"), 1, 1e-3);
    CHECK_NEAR(nll, find(record, "temperature", "nll"), 1e-6);
    check_measures(world, record, "temperature");
}

/* The valley is long and flat: the parameters are less sure than what they give. */
static void check_shape(struct world *world, const json_t *record)
{
    const struct jc_train_data data = {
        .dataset = world->dataset, .vectors = world->vectors, .dim = world->n_categories, .n_threads = 2};
    REQUIRE_OK(jc_calibrate(&data, JC_ROLE_VALIDATION, 0.8, &world->head, &err));
    CHECK_NEAR(world->head.sharpness / find(record, "shape", "sharpness"), 1, 0.01);
    CHECK_NEAR(world->head.saturation / find(record, "shape", "saturation"), 1, 0.02);
    CHECK_NEAR(world->head.power / find(record, "shape", "power"), 1, 0.02);
    check_measures(world, record, "shape");
}

int main(void)
{
    json_auto_t *record = load_recorded("calibration.json");
    __attribute__((cleanup(world_finish))) struct world world;
    world_init(&world, record);
    check_temperature(&world, record);
    check_shape(&world, record);
    return check_finish();
}
