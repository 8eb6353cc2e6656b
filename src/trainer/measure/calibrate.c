/* The three parameters of confidence and the threshold of acceptance. See calibrate.h. */
#include "trainer/measure/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/linalg.h"
#include "model/scoring.h"
#include "trainer/measure/golden.h"
#include "trainer/measure/predict.h"
#include "trainer/measure/simplex.h"
#include "trainer/methods/part.h"
#include "trainer/methods/team.h"

enum {
    MAX_SCORES = 1 << 26,     /* 256 MiB */
    MAX_FIT_SCORES = 1 << 22, /* that parameters are fitted on: about 4,000 rows of 1,016 categories */
    SHAPE_ROWS = 500,         /* fewer do not say more than the sharpness */
    SEARCH_STEPS = 24,        /* finds the sharpness to .01 % */
    SHAPE_CALLS = 250,        /* of the search for all three */
    SMALLEST = 30,            /* accepted rows that a precision must rest on */
    MAX_THREADS = 64,
};

/* Two more parameters are worth it if they raise the log-likelihood of all rows by so much: the likelihood ratio's 99th
 * percentile, were the true values those of temperature scaling, is twice this (chi-squared, 2 degrees of freedom). */
#define SHAPE_GAIN 4.605

struct collecting {
    const struct jc_dataset *dataset;
    struct jc_scores *scores;
    size_t n_seen, stride; /* every stride-th row is kept */
};

static void keep_scores(void *context, size_t i_example, const float *values)
{
    struct collecting *collecting = context;
    struct jc_scores *scores = collecting->scores;
    if (collecting->n_seen++ % collecting->stride)
        return;
    memcpy(scores->values + scores->n * scores->n_categories, values, scores->n_categories * sizeof(*values));
    scores->right[scores->n++] = collecting->dataset->examples[i_example].category;
}

jc_code jc_scores_collect(const struct jc_train_data *data, const struct jc_head *head, unsigned roles, size_t max_rows,
                          struct jc_scores *ret_scores, struct jc_err *err)
{
    size_t n = jc_dataset_count(data->dataset, roles), stride = n / max_rows + 1, n_kept = n / stride + 1;
    JC_AUTO_FINISH(jc_scores)
    struct jc_scores scores = {.n_categories = head->n_categories, .n_threads = data->n_threads};
    scores.values = calloc(n_kept, head->n_categories * sizeof(*scores.values));
    scores.right = calloc(n_kept, sizeof(*scores.right));
    if (!scores.values || !scores.right)
        return jc_fail(err, JC_E_NOMEM, "no memory for the scores of %zu rows", n_kept);
    struct collecting collecting = {.dataset = data->dataset, .scores = &scores, .stride = stride};
    jc_code code = jc_predict_visit(data, head, roles, keep_scores, &collecting, err);
    if (code)
        return code;
    *ret_scores = scores;
    scores = (struct jc_scores){0};
    return JC_OK;
}

void jc_scores_finish(struct jc_scores *scores)
{
    free(scores->values);
    free(scores->right);
    *scores = (struct jc_scores){0};
}

/* A pass over rows by several threads: what a search asks for again and again. */
struct measuring {
    const struct jc_scores *scores;
    size_t n_rows;       /* that count: an even part of them */
    struct jc_head head; /* only what gives probabilities */
    bool is_softmax;     /* saturation 0, power 1: the shorter way */
    unsigned n_threads;
    double sums[MAX_THREADS];
};

/* The log-likelihood of the right category of row i. */
static double measure_row(const struct measuring *measuring, size_t i)
{
    const struct jc_head *head = &measuring->head;
    const float *row = measuring->scores->values + i * head->n_categories, right = row[measuring->scores->right[i]];
    if (measuring->is_softmax)
        return (double)(head->sharpness * right - jc_scoring_log_norm(row, head->n_categories, head->sharpness));
    struct jc_norm norm = jc_scoring_norm(head, row);
    return (double)jc_scoring_log_probability(head, right, &norm);
}

static void measure_part(void *context, struct jc_team *team, unsigned member)
{
    (void)team;
    struct measuring *measuring = context;
    size_t n = measuring->n_rows;
    struct jc_part part = jc_part_of(0, n, measuring->n_threads, member);
    double sum = 0;
    for (size_t i = part.begin; i < part.end; i++)
        sum += measure_row(measuring, i * measuring->scores->n / n);
    measuring->sums[member] = sum;
}

/* The mean negative log-likelihood. Without threads to be had, this one does it all. */
static double measure_nll(struct measuring *measuring)
{
    struct jc_err err;
    if (jc_team_run(measuring->n_threads, measure_part, measuring, &err))
        for (unsigned i = 0; i < measuring->n_threads; i++)
            measure_part(measuring, NULL, i);
    double sum = 0;
    for (unsigned i = 0; i < measuring->n_threads; i++)
        sum += measuring->sums[i];
    return -sum / (double)measuring->n_rows;
}

static struct measuring measure_on(const struct jc_scores *scores, size_t max_rows)
{
    unsigned n = scores->n_threads ? scores->n_threads : 1;
    return (struct measuring){.scores = scores,
                              .n_rows = scores->n < max_rows ? scores->n : max_rows,
                              .head = {.n_categories = scores->n_categories, .power = 1},
                              .is_softmax = true,
                              .n_threads = n < MAX_THREADS ? n : MAX_THREADS};
}

static double measure_sharpness(void *context, double log_sharpness)
{
    struct measuring *measuring = context;
    measuring->head.sharpness = (float)exp(log_sharpness);
    return measure_nll(measuring);
}

static float find_sharpness(struct measuring *measuring, double *ret_nll)
{
    return (float)exp(jc_golden_search(measure_sharpness, measuring, log(0.5), log(500), SEARCH_STEPS, ret_nll));
}

float jc_scores_find_sharpness(const struct jc_scores *scores, double *ret_nll)
{
    struct measuring measuring = measure_on(scores, scores->n);
    return find_sharpness(&measuring, ret_nll);
}

/* The three parameters by their logarithms. Beyond these bounds they say nothing new: a saturation of .001 is none, one
 * of a million leaves no probability as it was. */
static void set_shape(struct jc_head *head, const double *x)
{
    head->sharpness = (float)exp(fmin(fmax(x[0], log(0.05)), log(5000)));
    head->saturation = (float)exp(fmin(fmax(x[1], log(1e-3)), log(1e6)));
    head->power = (float)exp(fmin(fmax(x[2], log(0.05)), log(20)));
}

static double measure_shape(void *context, const double *x)
{
    struct measuring *measuring = context;
    set_shape(&measuring->head, x);
    return measure_nll(measuring);
}

/* Sharpness, saturation and power with the least negative log-likelihood. */
static void fit_shape(const struct jc_scores *scores, struct jc_head *head)
{
    struct measuring measuring = measure_on(scores, MAX_FIT_SCORES / scores->n_categories + 1);
    double nll;
    head->sharpness = find_sharpness(&measuring, &nll);
    head->saturation = 0;
    head->power = 1;
    if (measuring.n_rows < SHAPE_ROWS)
        return;
    double x[] = {log((double)head->sharpness), 0, 0};
    measuring.is_softmax = false;
    double shape_nll = jc_simplex_search(measure_shape, &measuring, JC_COUNT(x), 0.5, 1e-7, SHAPE_CALLS, x);
    if ((double)measuring.n_rows * (nll - shape_nll) > SHAPE_GAIN)
        set_shape(head, x);
}

/* The first answer of a row, and whether it was right. */
struct answer {
    float confidence;
    bool right;
};

static struct answer answer_row(const struct jc_scores *scores, size_t i, const struct jc_head *head)
{
    const float *row = scores->values + i * scores->n_categories;
    struct jc_hit best;
    jc_topk(row, scores->n_categories, 1, &best);
    struct jc_norm norm = jc_scoring_norm(head, row);
    return (struct answer){.confidence = jc_scoring_probability(head, best.score, &norm),
                           .right = best.index == scores->right[i]};
}

static int compare_answers(const void *left, const void *right)
{
    const struct answer *a = left, *b = right;
    return (a->confidence < b->confidence) - (a->confidence > b->confidence);
}

/* The longest run of the surest answers whose precision is high enough; equally sure ones are accepted together. */
static float find_threshold(struct answer *answers, size_t n, double precision)
{
    float threshold = JC_HEAD_ACCEPT_NONE;
    size_t n_right = 0;
    qsort(answers, n, sizeof(*answers), compare_answers);
    for (size_t i = 0; i < n; i++) {
        n_right += answers[i].right;
        bool is_last = i + 1 == n || answers[i + 1].confidence < answers[i].confidence;
        if (is_last && i + 1 >= SMALLEST && (double)n_right >= precision * (double)(i + 1))
            threshold = answers[i].confidence;
    }
    return threshold;
}

jc_code jc_calibrate(const struct jc_train_data *data, unsigned roles, double accept_precision, struct jc_head *head,
                     struct jc_err *err)
{
    size_t n = jc_dataset_count(data->dataset, roles);
    if (n == 0)
        return JC_OK;
    JC_AUTO_FINISH(jc_scores) struct jc_scores scores = {0};
    jc_code code = jc_scores_collect(data, head, roles, MAX_SCORES / head->n_categories + 1, &scores, err);
    if (code)
        return code;
    JC_AUTO_FREE struct answer *answers = calloc(scores.n, sizeof(*answers));
    if (!answers)
        return jc_fail(err, JC_E_NOMEM, "no memory to calibrate");
    fit_shape(&scores, head);
    for (size_t i = 0; i < scores.n; i++)
        answers[i] = answer_row(&scores, i, head);
    head->min_confidence = find_threshold(answers, scores.n, accept_precision);
    return JC_OK;
}
