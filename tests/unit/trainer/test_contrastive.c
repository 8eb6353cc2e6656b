/* The methods contrastive and contrastive_published: they learn what averages do not, as cosines, the same for the same
 * seed; one stops and goes on, the other does neither. */
#include "base/own.h"
#include "small_fit.h"

static struct jc_err err;

static void fixture_init(struct small_fit *f)
{
    small_fit_init(f);
    small_fit_separate(f);
    f->config.contrastive = (struct jc_contrastive_config){
        .epochs = 40, .refit_epochs = 2, .patience = 1, .batch = 20, .learning_rate = 0.02, .dropout = 0.1};
}

static void check_cosines(const struct jc_head *head)
{
    CHECK_INT(head->n_features, 0);
    CHECK_INT(jc_head_width(head), FIT_DIM);
    for (size_t c = 0; c < FIT_CATEGORIES; c++) {
        const float *row = head->matrix + c * FIT_DIM;
        CHECK_NEAR(jc_vec_dot(row, row, FIT_DIM), 1, 1e-5);
        CHECK(head->bias[c] == 0);
    }
}

static void test_learns(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    f.data.tokens = NULL; /* no words in these methods */
    JC_AUTO_FINISH(jc_head) struct jc_head average = {0}, contrastive = {0}, published = {0};
    small_fit_run(&f, &jc_method_average, &average);
    size_t n_average = small_fit_count_right(&f, &average);
    CHECK(n_average < FIT_TEXTS - 5); /* or the set shows nothing */
    small_fit_run(&f, &jc_method_contrastive, &contrastive);
    check_cosines(&contrastive);
    CHECK(contrastive.sharpness > 1);
    CHECK_INT(small_fit_count_right(&f, &contrastive), FIT_TEXTS);
    /* Its five epochs would be 30 small steps from a random start: every text forty times makes them 1,010. */
    for (uint32_t i = 0; i < 39 * FIT_TEXTS; i++)
        small_fit_add(&f, i % FIT_TEXTS, i % FIT_TEXTS % FIT_CATEGORIES, 1, JC_ROLE_TRAIN);
    small_fit_run(&f, &jc_method_contrastive_published, &published);
    check_cosines(&published);
    CHECK_INT(small_fit_count_right(&f, &published), 40 * FIT_TEXTS);
}

static void check_seed(const struct jc_method *method, unsigned n_threads)
{
    SMALL_FIT f;
    fixture_init(&f);
    f.config.contrastive.epochs = 4;
    f.data.n_threads = n_threads;
    JC_AUTO_FINISH(jc_head) struct jc_head first = {0}, again = {0}, other = {0}, one = {0};
    small_fit_run(&f, method, &first);
    small_fit_run(&f, method, &again);
    CHECK(small_fit_are_same(&first, &again));
    f.config.seed++;
    small_fit_run(&f, method, &other);
    CHECK(!small_fit_are_same(&first, &other));
    f.config.seed--;
    f.config.contrastive.dropout = 0; /* the order of sums is all that is left */
    f.data.n_threads = 1;
    small_fit_run(&f, method, &one);
    f.data.n_threads = n_threads;
    JC_AUTO_FINISH(jc_head) struct jc_head many = {0};
    small_fit_run(&f, method, &many);
    CHECK_NEAR(small_fit_difference(one.matrix, many.matrix, FIT_CATEGORIES * FIT_DIM), 0, 1e-3);
}

/* Texts held back have their own loss; watched, they stop what would run for 400 epochs. */
static void test_stops(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    f.config.contrastive.epochs = 400;
    f.config.contrastive.learning_rate = 0.2;
    for (uint32_t i = 0; i < FIT_TEXTS; i += 2) {
        f.dataset->examples[i].role = JC_ROLE_VALIDATION;
        if (i % 3 == 0)
            f.dataset->examples[i].category = (i + 1) % FIT_CATEGORIES;
    }
    struct jc_curve curve = {0};
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0}, published = {0};
    double seconds;
    struct jc_fit fit = {.data = &f.data, .roles = JC_ROLE_TRAIN, .watch = JC_ROLE_VALIDATION, .curve = &curve};
    REQUIRE_OK(jc_method_fit(&jc_method_contrastive, &fit, &head, &seconds, &err));
    CHECK(curve.n_epochs < 400 && curve.n_epochs >= 2);
    CHECK(curve.validation[curve.n_epochs - 1] >= curve.validation[curve.n_epochs - 2]);
    jc_curve_finish(&curve);
    REQUIRE_OK(jc_method_fit(&jc_method_contrastive_published, &fit, &published, &seconds, &err));
    CHECK_INT(curve.n_epochs, 5);
    for (size_t i = 0; i < curve.n_epochs; i++)
        CHECK(curve.train[i] > 0 && curve.validation[i] > 0);
    struct jc_curve itself = {0}; /* of the rows it is trained on; without dropout, so not `train` */
    jc_head_finish(&published);
    fit.watch = JC_ROLE_TRAIN;
    fit.curve = &itself;
    REQUIRE_OK(jc_method_fit(&jc_method_contrastive_published, &fit, &published, &seconds, &err));
    CHECK(itself.train[4] == curve.train[4]); /* watching changes nothing */
    CHECK(fabs(itself.validation[4] - curve.validation[4]) > 1e-4);
    jc_curve_finish(&curve);
    jc_curve_finish(&itself);
}

static void test_go_on(void)
{
    SMALL_FIT f;
    fixture_init(&f);
    JC_AUTO_FINISH(jc_head) struct jc_head start = {0}, head = {0}, anew = {0}, published = {0};
    small_fit_run(&f, &jc_method_contrastive, &start);
    struct jc_curve curve = {0};
    double seconds;
    struct jc_fit fit = {.data = &f.data, .roles = JC_ROLE_TRAIN, .start = &start, .curve = &curve};
    REQUIRE_OK(jc_method_fit(&jc_method_contrastive, &fit, &head, &seconds, &err));
    CHECK_INT(curve.n_epochs, 2);
    CHECK(!small_fit_are_same(&head, &start));
    CHECK(small_fit_difference(head.matrix, start.matrix, FIT_CATEGORIES * FIT_DIM) < 0.2);
    CHECK_INT(small_fit_count_right(&f, &head), FIT_TEXTS);
    jc_curve_finish(&curve);

    fit.curve = NULL; /* the published recipe always starts anew */
    REQUIRE_OK(jc_method_fit(&jc_method_contrastive_published, &fit, &published, &seconds, &err));
    small_fit_run(&f, &jc_method_contrastive_published, &anew);
    CHECK(small_fit_are_same(&published, &anew));
}

static void check_nothing(const struct jc_method *method)
{
    SMALL_FIT f;
    fixture_init(&f);
    struct jc_head head = {0};
    double seconds;
    const struct jc_fit fit = {.data = &f.data, .roles = JC_ROLE_TEST};
    CHECK_FAILS(jc_method_fit(method, &fit, &head, &seconds, &err), JC_E_INVALID, "there is no training row");
    CHECK(!head.matrix);
}

int main(void)
{
    jc_linalg_init();
    test_learns();
    for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) {
        check_seed(&jc_method_contrastive, n_threads);
        check_seed(&jc_method_contrastive_published, n_threads);
    }
    test_stops();
    test_go_on();
    check_nothing(&jc_method_contrastive);
    check_nothing(&jc_method_contrastive_published);
    return check_finish();
}
