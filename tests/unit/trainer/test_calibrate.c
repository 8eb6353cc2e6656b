/* Calibration: what the data were drawn with is found again, and the threshold is the lowest that has the precision
 * asked for. */
#include "trainer/measure/calibrate.h"

#include "base/rng.h"
#include "confidence.h"
#include "fixture.h"

static struct jc_err err;

enum { N_CATEGORIES = 5 };

/* With the axes as embeddings a text's vector is its scores. */
struct fixture {
    struct jc_dataset *dataset;
    float *vectors;
    struct jc_head head;
    struct jc_train_data data;
};

static void fixture_init(struct fixture *f, size_t n)
{
    *f = (struct fixture){.dataset = fixture_dataset(N_CATEGORIES), .vectors = calloc(n, N_CATEGORIES * sizeof(float))};
    REQUIRE(f->dataset && f->vectors);
    REQUIRE_OK(jc_head_init(&f->head, N_CATEGORIES, N_CATEGORIES, 0, 0, &err));
    for (size_t c = 0; c < N_CATEGORIES; c++)
        f->head.matrix[c * N_CATEGORIES + c] = 1;
    f->data = (struct jc_train_data){.dataset = f->dataset, .vectors = f->vectors, .dim = N_CATEGORIES};
}

static void fixture_finish(struct fixture *f)
{
    jc_dataset_destroy(f->dataset);
    jc_head_finish(&f->head);
    free(f->vectors);
}

#define FIXTURE __attribute__((cleanup(fixture_finish))) struct fixture

static void add(struct fixture *f, uint32_t text, uint32_t category, enum jc_role role)
{
    fixture_add(f->dataset, category, text, role);
}

/* Random scores, and for each a category drawn with the probabilities that sharpness, saturation and power give. */
static void draw(struct fixture *f, size_t n, const struct jc_head *truth, double spread)
{
    struct jc_rng rng = jc_rng_seeded(12);
    for (uint32_t i = 0; i < n; i++) {
        float *scores = f->vectors + (size_t)i * N_CATEGORIES;
        double probabilities[N_CATEGORIES], point = jc_rng_unit(&rng);
        for (size_t c = 0; c < N_CATEGORIES; c++)
            scores[c] = (float)((jc_rng_unit(&rng) * 2 - 1) * spread);
        confidence_compute(scores, N_CATEGORIES, (double)truth->sharpness, (double)truth->saturation,
                           (double)truth->power, probabilities);
        uint32_t category = 0;
        while (category < N_CATEGORIES - 1 && point >= probabilities[category])
            point -= probabilities[category++];
        add(f, i, category, JC_ROLE_VALIDATION);
    }
}

/* Data of a softmax: temperature scaling is enough. */
static void check_sharpness(float sharpness, double spread)
{
    enum { N = 10000 };
    FIXTURE f;
    fixture_init(&f, N);
    draw(&f, N, &(struct jc_head){.sharpness = sharpness, .power = 1}, spread);
    f.head.saturation = 9;
    f.head.power = 9;
    REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_VALIDATION, 0.8, &f.head, &err));
    CHECK_NEAR(f.head.sharpness, sharpness, 0.05 * (double)sharpness);
    CHECK(f.head.saturation == 0 && f.head.power == 1);
}

/* Data of three parameters: the probabilities are nearly those that they were drawn with, and the parameters are not
 * far from them; n_threads changes nothing but the last digits. */
static void check_shape(float sharpness, float saturation, float power)
{
    enum { N = 12000 };
    const struct jc_head truth = {.sharpness = sharpness, .saturation = saturation, .power = power};
    struct jc_head found[2] = {{0}};
    FIXTURE f;
    fixture_init(&f, N);
    draw(&f, N, &truth, 1);
    for (unsigned i = 0; i < 2; i++) {
        f.data.n_threads = 3 * i;
        REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_VALIDATION, 0.8, &f.head, &err));
        found[i] = f.head;
    }
    CHECK_NEAR(log((double)(found[0].sharpness / sharpness)), 0, 0.2);
    CHECK_NEAR(log((double)(found[0].saturation / saturation)), 0, 0.4);
    CHECK_NEAR(log((double)(found[0].power / power)), 0, 0.2);
    for (size_t i = 0; i < 1000; i++) {
        double wanted[N_CATEGORIES], ours[N_CATEGORIES], threaded[N_CATEGORIES];
        const float *scores = f.vectors + i * N_CATEGORIES;
        confidence_compute(scores, N_CATEGORIES, (double)sharpness, (double)saturation, (double)power, wanted);
        confidence_compute(scores, N_CATEGORIES, (double)found[0].sharpness, (double)found[0].saturation,
                           (double)found[0].power, ours);
        confidence_compute(scores, N_CATEGORIES, (double)found[1].sharpness, (double)found[1].saturation,
                           (double)found[1].power, threaded);
        for (size_t c = 0; c < N_CATEGORIES; c++) {
            CHECK_NEAR(ours[c], wanted[c], 0.02);
            CHECK_NEAR(ours[c], threaded[c], 0.005);
        }
    }
}

/* Of few rows nothing but the sharpness is taken, whatever they were drawn with. */
static void test_shape_of_few(void)
{
    enum { N = 499 };
    FIXTURE f;
    fixture_init(&f, N);
    draw(&f, N, &(struct jc_head){.sharpness = 6, .saturation = 20, .power = 2}, 1);
    REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_VALIDATION, 0.8, &f.head, &err));
    CHECK(f.head.sharpness > 1 && f.head.saturation == 0 && f.head.power == 1);
}

/* Of the answers at least as sure as `threshold`: how many there are and which share is right. */
static double find_precision(const struct fixture *f, double threshold, size_t *ret_n)
{
    size_t n = 0, n_right = 0;
    for (size_t i = 0; i < f->dataset->n_examples; i++) {
        double probabilities[N_CATEGORIES];
        size_t best = 0;
        confidence_compute(f->vectors + i * N_CATEGORIES, N_CATEGORIES, (double)f->head.sharpness,
                           (double)f->head.saturation, (double)f->head.power, probabilities);
        for (size_t c = 1; c < N_CATEGORIES; c++)
            best = probabilities[c] > probabilities[best] ? c : best;
        if (probabilities[best] < threshold)
            continue;
        n++;
        n_right += best == f->dataset->examples[i].category;
    }
    *ret_n = n;
    return n ? (double)n_right / (double)n : 0;
}

/* The precision holds from the threshold on, and from no confidence that is lower by a thousandth or more. */
static void check_threshold(const struct jc_head *truth, double wanted)
{
    enum { N = 2000 };
    FIXTURE f;
    fixture_init(&f, N);
    draw(&f, N, truth, 0.7);
    REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_VALIDATION, wanted, &f.head, &err));
    size_t n;
    double threshold = (double)f.head.min_confidence;
    CHECK(threshold > 1.0 / N_CATEGORIES && threshold < 1);
    CHECK(find_precision(&f, threshold - 1e-6, &n) >= wanted - 1.0 / N);
    CHECK(n >= 30);
    for (double lower = threshold - 0.001; lower > 0; lower -= 0.001)
        CHECK(find_precision(&f, lower, &n) < wanted + 1.0 / N || n < 30);
}

/* Equal confidences are accepted together or not at all, however the rows are ordered. */
static void test_ties(void)
{
    for (int right_first = 0; right_first < 2; right_first++) {
        FIXTURE f;
        fixture_init(&f, 1);
        f.vectors[2] = 1;
        for (int i = 0; i < 100; i++)
            add(&f, 0, (i < 50) == right_first ? 2 : 3, JC_ROLE_VALIDATION);
        REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_VALIDATION, 0.9, &f.head, &err));
        CHECK(f.head.min_confidence == JC_HEAD_ACCEPT_NONE);
        REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_VALIDATION, 0.4, &f.head, &err));
        CHECK(f.head.min_confidence < 1);
    }
}

/* Too few rows to rest on, other roles, and no row at all. */
static void test_few(void)
{
    FIXTURE f;
    fixture_init(&f, 1);
    f.vectors[1] = 1;
    f.head.sharpness = 33;
    f.head.saturation = 2;
    f.head.power = 3;
    f.head.min_confidence = 0.125F;
    for (int i = 0; i < 29; i++)
        add(&f, 0, 1, JC_ROLE_TRAIN);
    REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_VALIDATION, 0.5, &f.head, &err));
    CHECK(f.head.sharpness == 33 && f.head.saturation == 2 && f.head.power == 3 && f.head.min_confidence == 0.125F);
    REQUIRE_OK(jc_calibrate(&f.data, JC_ROLE_TRAIN, 0.5, &f.head, &err));
    CHECK(f.head.min_confidence == JC_HEAD_ACCEPT_NONE);
}

int main(void)
{
    check_sharpness(3, 1);
    check_sharpness(20, 0.3);
    check_sharpness(80, 0.05);
    check_shape(6, 20, 2);
    check_shape(8, 5, 1.5F);
    test_shape_of_few();
    const struct jc_head softmax = {.sharpness = 6, .power = 1},
                         saturated = {.sharpness = 6, .saturation = 4, .power = 3};
    check_threshold(&softmax, 0.8);
    check_threshold(&softmax, 0.9);
    check_threshold(&saturated, 0.8);
    test_ties();
    test_few();
    return check_finish();
}
