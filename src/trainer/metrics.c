/* Scoring examples, and the metrics over it. */
#include "trainer/metrics.h"

#include <string.h>

#include "linalg/linalg.h"

enum { CHUNK = 256 }; /* examples a matrix product */

size_t jc_metrics_rank(const float *scores, size_t n_categories, size_t right)
{
    size_t rank = 1;
    for (size_t i = 0; i < n_categories; i++)
        rank += scores[i] > scores[right] || (scores[i] == scores[right] && i < right);
    return rank;
}

/* The scores of the `n` examples chosen[], one row each. */
static void score_chunk(const struct jc_train_data *data, const float *embeddings, const size_t *chosen, size_t n,
                        float *queries, float *ret_scores)
{
    const struct jc_dataset *dataset = data->dataset;
    for (size_t i = 0; i < n; i++)
        memcpy(queries + i * data->dim, data->vectors + dataset->examples[chosen[i]].text * data->dim,
               data->dim * sizeof(*queries));
    jc_gemm_scores(queries, n, embeddings, dataset->n_categories, data->dim, ret_scores);
}

jc_code jc_metrics_visit(const struct jc_train_data *data, const float *embeddings, unsigned roles,
                         void (*visit)(void *context, size_t i_example, const float *scores), void *context,
                         struct jc_err *err)
{
    const struct jc_dataset *dataset = data->dataset;
    JC_AUTO_FREE float *queries = calloc(CHUNK, data->dim * sizeof(*queries));
    JC_AUTO_FREE float *scores = calloc(CHUNK, dataset->n_categories * sizeof(*scores));
    if (!queries || !scores)
        return jc_fail(err, JC_E_NOMEM, "no memory for scores");
    for (size_t i = 0; i < dataset->n_examples;) {
        size_t chosen[CHUNK], n = 0;
        for (; i < dataset->n_examples && n < CHUNK; i++)
            if (dataset->examples[i].role & roles)
                chosen[n++] = i;
        if (n)
            score_chunk(data, embeddings, chosen, n, queries, scores);
        for (size_t j = 0; j < n; j++)
            visit(context, chosen[j], scores + j * dataset->n_categories);
    }
    return JC_OK;
}

struct counting {
    const struct jc_dataset *dataset;
    size_t n, top_1, top_3, top_5;
    double reciprocals;
};

static void count_rank(void *context, size_t i_example, const float *scores)
{
    struct counting *counting = context;
    size_t rank =
        jc_metrics_rank(scores, counting->dataset->n_categories, counting->dataset->examples[i_example].category);
    counting->n++;
    counting->top_1 += rank <= 1;
    counting->top_3 += rank <= 3;
    counting->top_5 += rank <= 5;
    counting->reciprocals += 1.0 / (double)rank;
}

jc_code jc_metrics_measure(const struct jc_train_data *data, const float *embeddings, unsigned roles,
                           struct jc_metrics *ret_metrics, struct jc_err *err)
{
    struct counting counting = {.dataset = data->dataset};
    jc_code code = jc_metrics_visit(data, embeddings, roles, count_rank, &counting, err);
    if (code)
        return code;
    double n = counting.n ? (double)counting.n : 1;
    *ret_metrics = (struct jc_metrics){.n = counting.n,
                                       .top_1 = (double)counting.top_1 / n,
                                       .top_3 = (double)counting.top_3 / n,
                                       .top_5 = (double)counting.top_5 / n,
                                       .mrr = counting.reciprocals / n};
    return JC_OK;
}
