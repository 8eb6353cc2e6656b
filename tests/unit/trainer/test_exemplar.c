/*
 * The methods of exemplars over random texts: the soft vote and the nearest text against brute force in double, on one
 * thread and several; the blend's weight against a grid; what goes on from a fit.
 */
#include "trainer/methods/exemplar.h"

#include "model/scoring.h"
#include "trainer/measure/calibrate.h"
#include "trainer/measure/predict.h"
#include "vote_data.h"

enum { MAX_CATEGORIES = 40 };

static struct jc_err err;

/* Of a text: weights by category of its training examples, together as much as its heaviest category (samples.h). False
 * where none trains. */
static bool weigh_text(const struct vote_data *v, uint32_t text, double *weights)
{
    double sum = 0, heaviest = 0;
    memset(weights, 0, v->dataset->n_categories * sizeof(*weights));
    for (size_t i = 0; i < v->dataset->n_examples; i++) {
        const struct jc_example *example = &v->dataset->examples[i];
        if (example->text != text || example->role != JC_ROLE_TRAIN)
            continue;
        weights[example->category] += (double)example->weight;
        sum += (double)example->weight;
        heaviest = fmax(heaviest, weights[example->category]);
    }
    for (size_t c = 0; c < v->dataset->n_categories && sum > 0; c++)
        weights[c] *= heaviest / sum;
    return sum > 0;
}

static double measure_cosine(const struct vote_data *v, uint32_t a, uint32_t b)
{
    double sum = 0;
    for (size_t d = 0; d < VOTE_DIM; d++)
        sum += (double)v->vectors[a * VOTE_DIM + d] * (double)v->vectors[b * VOTE_DIM + d];
    return sum;
}

/* vote [n_categories] of the k nearest training texts, the formula of artifact/head.h taken as it stands there. */
static void vote_by_force(const struct vote_data *v, uint32_t query, size_t k, double sharpness, double *vote)
{
    static double weights[VOTE_TEXTS][MAX_CATEGORIES], cosines[VOTE_TEXTS];
    size_t n = v->dataset->n_categories, n_texts = jc_texts_count(v->dataset->texts);
    double total = 0, nearest = 0;
    for (uint32_t t = 0; t < n_texts; t++)
        cosines[t] = weigh_text(v, t, weights[t]) ? measure_cosine(v, query, t) : -2;
    memset(vote, 0, n * sizeof(*vote));
    for (size_t i = 0; i < k; i++) {
        size_t best = 0;
        for (size_t t = 1; t < n_texts; t++)
            if (cosines[t] > cosines[best])
                best = t;
        if (i == 0)
            nearest = cosines[best];
        double share = exp(sharpness * (cosines[best] - nearest));
        for (size_t c = 0; c < n; c++) {
            vote[c] += share * weights[best][c];
            total += share * weights[best][c];
        }
        cosines[best] = -2;
    }
    for (size_t c = 0; c < n; c++)
        vote[c] /= total;
}

struct checking {
    const struct vote_data *v;
    size_t k, n_seen, last;
    double sharpness, worst;
};

static void check_scores(void *context, size_t i_example, const float *scores)
{
    struct checking *checking = context;
    const struct jc_dataset *dataset = checking->v->dataset;
    double vote[MAX_CATEGORIES];
    CHECK(checking->n_seen == 0 || i_example > checking->last);
    checking->last = i_example;
    if (checking->n_seen++ % 4)
        return;
    vote_by_force(checking->v, dataset->examples[i_example].text, checking->k, checking->sharpness, vote);
    for (size_t c = 0; c < dataset->n_categories; c++)
        checking->worst = fmax(checking->worst, fabs((double)scores[c] - vote[c]));
}

static void fit(const struct vote_data *v, const struct jc_method *method, const struct jc_fit *what,
                struct jc_head *ret_head)
{
    double seconds;
    struct jc_fit job = *what;
    job.data = &v->data;
    REQUIRE_OK(jc_method_fit(method, &job, ret_head, &seconds, &err));
}

static void check_method(struct vote_data *v, const struct jc_method *method, size_t k)
{
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    fit(v, method, &(struct jc_fit){.roles = JC_ROLE_TRAIN}, &head);
    CHECK_INT(head.exemplars.k, k);
    for (size_t i = 0; i < head.exemplars.n; i++)
        CHECK_CONTAINS(jc_exemplars_text(&head.exemplars, i), "text ");
    for (unsigned n_threads = 1; n_threads <= 4; n_threads += 3) {
        struct checking checking = {.v = v, .k = k, .sharpness = v->config.exemplar.sharpness};
        v->data.n_threads = n_threads;
        REQUIRE_OK(jc_predict_visit(&v->data, &head, JC_ROLE_TEST, check_scores, &checking, &err));
        CHECK_INT(checking.n_seen, jc_dataset_count(v->dataset, JC_ROLE_TEST));
        CHECK_NEAR(checking.worst, 0, 2e-5);
    }
}

static void test_votes(void)
{
    VOTE_DATA v;
    vote_data_init(&v, 9, 1.2, 1);
    check_method(&v, &jc_method_exemplar, 7);
    check_method(&v, &jc_method_nearest, 1);
    v.config.exemplar.sharpness = 0; /* all vote alike */
    check_method(&v, &jc_method_exemplar, 7);
}

/* Predictions do not depend on the number of threads; there are more than two rounds of chunks. */
static void test_threads(void)
{
    VOTE_DATA v;
    vote_data_init(&v, 30, 1.5, 2);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    fit(&v, &jc_method_exemplar, &(struct jc_fit){.roles = JC_ROLE_TRAIN}, &head);
    JC_AUTO_FREE struct jc_prediction *one = NULL, *four = NULL;
    size_t n_one, n_four;
    v.data.n_threads = 1;
    REQUIRE_OK(jc_predict(&v.data, &head, JC_ROLE_ANY, &one, &n_one, &err));
    v.data.n_threads = 4;
    REQUIRE_OK(jc_predict(&v.data, &head, JC_ROLE_ANY, &four, &n_four, &err));
    REQUIRE(n_one == VOTE_EXAMPLES && n_four == n_one);
    for (size_t i = 0; i < n_one; i++) {
        CHECK_INT(four[i].example, i);
        CHECK_INT(four[i].rank, one[i].rank);
        CHECK_INT(four[i].hits[0].index, one[i].hits[0].index);
        CHECK_NEAR(four[i].confidence, one[i].confidence, 1e-6);
    }
}

/* The negative log-likelihood of the watched rows at a weight and its best sharpness. */
static double measure_weight(const struct vote_data *v, struct jc_head *head, float weight)
{
    double nll;
    JC_AUTO_FINISH(jc_scores) struct jc_scores scores = {0};
    head->exemplars.weight = weight;
    REQUIRE_OK(jc_scores_collect(&v->data, head, JC_ROLE_VALIDATION, 10000, &scores, &err));
    jc_scores_find_sharpness(&scores, &nll);
    return nll;
}

static void test_blend(void)
{
    VOTE_DATA v;
    vote_data_init(&v, 12, 1.6, 3);
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0}, again = {0}, plain = {0};
    fit(&v, &jc_method_blend, &(struct jc_fit){.roles = JC_ROLE_TRAIN, .watch = JC_ROLE_VALIDATION}, &head);
    float weight = head.exemplars.weight;
    CHECK(weight > 0 && weight < 1);
    double found = measure_weight(&v, &head, weight), best = INFINITY, worst = 0;
    for (int i = 0; i <= 20; i++) {
        double nll = measure_weight(&v, &head, (float)i / 20);
        best = fmin(best, nll);
        worst = fmax(worst, nll);
    }
    CHECK(worst > best + 0.01); /* it matters */
    CHECK(found < best + 0.002);
    head.exemplars.weight = weight;

    /* The fit on more rows takes the weight over, and its exemplars are of all of them. */
    fit(&v, &jc_method_blend, &(struct jc_fit){.roles = JC_ROLE_TRAIN | JC_ROLE_VALIDATION, .start = &head}, &again);
    CHECK_NEAR(again.exemplars.weight, weight, 0);
    CHECK(again.exemplars.n > head.exemplars.n);

    /* Nothing to choose it with, or no rows there: the default. */
    fit(&v, &jc_method_blend, &(struct jc_fit){.roles = JC_ROLE_TRAIN}, &plain);
    CHECK_NEAR(plain.exemplars.weight, 0.3, 1e-6);
    jc_head_finish(&plain);
    fit(&v, &jc_method_blend, &(struct jc_fit){.roles = JC_ROLE_TRAIN, .watch = JC_ROLE_UNUSED}, &plain);
    CHECK_NEAR(plain.exemplars.weight, 0.3, 1e-6);
}

static void test_errors(void)
{
    VOTE_DATA v;
    vote_data_init(&v, 3, 1, 4);
    struct jc_exemplars exemplars = {0};
    CHECK_FAILS(jc_exemplars_make(&v.data, JC_ROLE_UNUSED, 5, 1, &exemplars, &err), JC_E_INVALID, "no training row");
    CHECK(exemplars.n == 0 && !exemplars.vectors);
}

int main(void)
{
    test_votes();
    test_threads();
    test_blend();
    test_errors();
    return check_finish();
}
