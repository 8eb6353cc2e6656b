/* Training: when it stops and which head it keeps, rows on the unit sphere, and a curve that says what happened. */
#include "trainer/methods/training.h"

#include "base/own.h"
#include "small_fit.h"

static struct jc_err err;

struct plan {
    struct jc_samples samples, watched;
    struct jc_training training;
};

static void plan_finish(struct plan *plan)
{
    jc_samples_finish(&plan->samples);
    jc_samples_finish(&plan->watched);
}

#define PLAN __attribute__((cleanup(plan_finish))) struct plan

static void plan_init(struct plan *plan, const struct small_fit *f)
{
    *plan = (struct plan){0};
    REQUIRE_OK(jc_samples_collect(&f->data, JC_ROLE_TRAIN, &plan->samples, &err));
    REQUIRE_OK(jc_samples_collect(&f->data, JC_ROLE_VALIDATION, &plan->watched, &err));
    plan->training = (struct jc_training){.samples = &plan->samples,
                                          .watched = &plan->watched,
                                          .epochs = 8,
                                          .batch = 20,
                                          .learning_rate = 0.02,
                                          .seed = 3,
                                          .n_threads = 2};
}

static void start_head(const struct small_fit *f, struct jc_head *head)
{
    REQUIRE_OK(jc_head_init(head, FIT_CATEGORIES, FIT_DIM, 0, 0, &err));
    jc_method_average_rows(&f->data, JC_ROLE_TRAIN, head);
    head->sharpness = 10;
}

/* The mean loss of the watched samples, one at a time. */
static double measure(const struct plan *plan, const struct jc_head *head)
{
    struct jc_shard shard;
    REQUIRE_OK(jc_shard_init(&shard, head, 1, &err));
    double loss = 0, weight = 0;
    for (size_t i = 0; i < plan->watched.n; i++) {
        const struct jc_sample *sample = &plan->watched.items[i];
        loss += jc_objective_loss(&plan->training.objective, head, &sample, 1, &shard);
        weight += (double)sample->weight;
    }
    jc_shard_finish(&shard);
    return loss / weight;
}

/* Watched texts have the categories of others, and some share theirs: what is learned helps first, and then hurts. */
static void watch_wrong(struct small_fit *f)
{
    small_fit_separate(f);
    for (uint32_t i = 0; i < FIT_TEXTS; i += 2) {
        f->dataset->examples[i].role = JC_ROLE_VALIDATION;
        if (i % 3 == 0)
            f->dataset->examples[i].category = (i + 1) % FIT_CATEGORIES;
    }
}

static void test_stop(unsigned n_threads)
{
    SMALL_FIT f;
    small_fit_init(&f);
    watch_wrong(&f);
    PLAN plan;
    plan_init(&plan, &f);
    plan.training.n_threads = n_threads;
    plan.training.epochs = 100;
    plan.training.learning_rate = 0.1;
    plan.training.patience = 3;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0}, last = {0};
    struct jc_curve curve = {0}, whole = {0};
    start_head(&f, &head);
    REQUIRE_OK(jc_training_run(&plan.training, &head, &curve, &err));
    size_t best = 0;
    for (size_t i = 1; i < curve.n_epochs; i++)
        best = curve.validation[i] < curve.validation[best] ? i : best;
    CHECK(curve.n_epochs < 100);
    CHECK_INT(best, curve.n_epochs - 1 - 3);
    CHECK_NEAR(measure(&plan, &head), curve.validation[best], 1e-5);
    CHECK(curve.validation[curve.n_epochs - 1] > curve.validation[best] + 1e-4);

    plan.training.patience = 0; /* all epochs, and the last head; the first epochs are the same */
    start_head(&f, &last);
    REQUIRE_OK(jc_training_run(&plan.training, &last, &whole, &err));
    CHECK_INT(whole.n_epochs, 100);
    CHECK_NEAR(measure(&plan, &last), whole.validation[99], 1e-5);
    CHECK(memcmp(curve.validation, whole.validation, curve.n_epochs * sizeof(double)) == 0);
    CHECK(memcmp(curve.train, whole.train, curve.n_epochs * sizeof(double)) == 0);
    jc_curve_finish(&curve);
    jc_curve_finish(&whole);
}

/* Without rows to watch, patience means nothing. */
static void test_unwatched(void)
{
    SMALL_FIT f;
    small_fit_init(&f);
    small_fit_separate(&f);
    PLAN plan;
    plan_init(&plan, &f);
    plan.training.patience = 1;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    struct jc_curve curve = {0};
    start_head(&f, &head);
    REQUIRE_OK(jc_training_run(&plan.training, &head, &curve, &err));
    CHECK_INT(curve.n_epochs, 8);
    for (size_t i = 0; i < curve.n_epochs; i++)
        CHECK(isnan(curve.validation[i]) && curve.train[i] > 0);
    CHECK(curve.train[7] < curve.train[0]);
    REQUIRE_OK(jc_training_run(&plan.training, &head, NULL, &err));
    jc_curve_finish(&curve);
}

/* Embeddings stay on the unit sphere; biases are trained where they are wanted. */
static void test_unit_rows(bool has_bias)
{
    SMALL_FIT f;
    small_fit_init(&f);
    small_fit_separate(&f);
    PLAN plan;
    plan_init(&plan, &f);
    plan.training.has_bias = has_bias;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    start_head(&f, &head);
    size_t n_before = small_fit_count_right(&f, &head);
    REQUIRE_OK(jc_training_run(&plan.training, &head, NULL, &err));
    for (size_t c = 0; c < FIT_CATEGORIES; c++) {
        const float *row = head.matrix + c * FIT_DIM;
        CHECK_NEAR(jc_vec_dot(row, row, FIT_DIM), 1, 1e-5);
        CHECK((head.bias[c] != 0) == has_bias);
    }
    CHECK(small_fit_count_right(&f, &head) > n_before);
}

/* A text that counts more is answered better, at the others' cost. */
static void test_weights(void)
{
    SMALL_FIT f;
    small_fit_init(&f); /* all vectors are equal */
    for (size_t i = 0; i < FIT_TEXTS; i++)
        f.dataset->examples[i].weight = i % FIT_CATEGORIES == 2 ? 6 : 1;
    PLAN plan;
    plan_init(&plan, &f);
    plan.training.epochs = 100;
    plan.training.has_bias = true;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    start_head(&f, &head);
    REQUIRE_OK(jc_training_run(&plan.training, &head, NULL, &err));
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    size_t n;
    REQUIRE_OK(jc_predict(&f.data, &head, JC_ROLE_TRAIN, &predictions, &n, &err));
    /* 41, 40, 40 and 40 texts: of the weight, 6 * 40 of 361 are the third category's */
    CHECK_NEAR(predictions[2].right_probability, 240.0 / 361, 0.02);
    CHECK_NEAR(predictions[3].right_probability, 40.0 / 361, 0.02);
}

int main(void)
{
    jc_linalg_init();
    test_stop(1);
    test_stop(3);
    test_unwatched();
    test_unit_rows(false);
    test_unit_rows(true);
    test_weights();
    return check_finish();
}
