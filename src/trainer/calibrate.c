/* Temperature scaling and the threshold of acceptance. See calibrate.h. */
#include "trainer/calibrate.h"

#include <math.h>
#include <stdlib.h>

#include "linalg/linalg.h"
#include "model/scoring.h"
#include "trainer/predict.h"

#define GOLDEN 0.6180339887498949
enum { SEARCH_STEPS = 30 }; /* the interval shrinks by GOLDEN each time: to 1e-6 of where it starts */
enum { SMALLEST = 30 };     /* accepted rows that a precision must rest on */

/* The mean negative log-likelihood of one sharpness over the examples. */
struct likelihood {
    const struct jc_head *head;
    const struct jc_dataset *dataset;
    float sharpness;
    double sum;
    size_t n;
};

static void add_likelihood(void *context, size_t i_example, const float *scores)
{
    struct likelihood *likelihood = context;
    float log_norm = jc_scoring_log_norm(scores, likelihood->head->n_categories, likelihood->sharpness);
    float right = scores[likelihood->dataset->examples[i_example].category];
    likelihood->sum += (double)(log_norm - likelihood->sharpness * right);
    likelihood->n++;
}

static jc_code measure(const struct jc_train_data *data, const struct jc_head *head, unsigned roles,
                       double log_sharpness, double *ret_nll, struct jc_err *err)
{
    struct likelihood likelihood = {.head = head, .dataset = data->dataset, .sharpness = (float)exp(log_sharpness)};
    jc_code code = jc_predict_visit(data, head, roles, add_likelihood, &likelihood, err);
    if (!code)
        *ret_nll = likelihood.sum / (double)(likelihood.n ? likelihood.n : 1);
    return code;
}

/* Golden-section search: the likelihood has one minimum over the sharpness. */
static jc_code find_sharpness(const struct jc_train_data *data, unsigned roles, struct jc_head *head,
                              struct jc_err *err)
{
    double low = log(0.5), high = log(500), left = high - GOLDEN * (high - low), right = low + GOLDEN * (high - low);
    double at_left, at_right;
    jc_code code;
    if ((code = measure(data, head, roles, left, &at_left, err)) ||
        (code = measure(data, head, roles, right, &at_right, err)))
        return code;
    for (int i = 0; i < SEARCH_STEPS && !code; i++) {
        if (at_left < at_right) {
            high = right, right = left, at_right = at_left;
            left = high - GOLDEN * (high - low);
            code = measure(data, head, roles, left, &at_left, err);
        } else {
            low = left, left = right, at_left = at_right;
            right = low + GOLDEN * (high - low);
            code = measure(data, head, roles, right, &at_right, err);
        }
    }
    head->sharpness = (float)exp((low + high) / 2);
    return code;
}

/* The first answer of a row, and whether it was right. */
struct answer {
    float confidence;
    bool right;
};

struct answers {
    const struct jc_head *head;
    const struct jc_dataset *dataset;
    struct answer *items;
    size_t n;
};

static void add_answer(void *context, size_t i_example, const float *scores)
{
    struct answers *answers = context;
    const struct jc_head *head = answers->head;
    struct jc_hit best;
    jc_topk(scores, head->n_categories, 1, &best);
    float log_norm = jc_scoring_log_norm(scores, head->n_categories, head->sharpness);
    answers->items[answers->n++] =
        (struct answer){.confidence = jc_scoring_probability(best.score, head->sharpness, log_norm),
                        .right = best.index == answers->dataset->examples[i_example].category};
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
    JC_AUTO_FREE struct answer *items = calloc(n, sizeof(*items));
    if (!items)
        return jc_fail(err, JC_E_NOMEM, "no memory to calibrate");
    jc_code code = find_sharpness(data, roles, head, err);
    if (code)
        return code;
    struct answers answers = {.head = head, .dataset = data->dataset, .items = items};
    code = jc_predict_visit(data, head, roles, add_answer, &answers, err);
    if (!code)
        head->min_confidence = find_threshold(items, answers.n, accept_precision);
    return code;
}
