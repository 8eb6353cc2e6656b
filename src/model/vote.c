/* The nearest exemplars and their vote. See vote.h. */
#include "model/vote.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scratch.h"

enum {
    GROUP_QUERIES = 128, /* a matrix product repacks the block of texts, which costs as much as five queries */
    FEW_QUERIES = 2,
    BLOCK_TEXTS = 2048, /* the cosines of a group, 1 MiB, stay in the cache until they are ranked */
};

void jc_vote_finish(struct jc_vote *vote)
{
    free(vote->neighbours);
    free(vote->n_found);
    free(vote->vectors);
    free(vote->cosines);
    *vote = (struct jc_vote){0};
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static jc_code fail_reserve(size_t n, struct jc_err *err)
{
    return jc_fail(err, JC_E_NOMEM, "no memory for the neighbours of %zu texts", n);
}

jc_code jc_vote_prepare(struct jc_vote *vote, const struct jc_exemplars *exemplars, size_t n, struct jc_err *err)
{
    vote->n_neighbours = smaller(exemplars->k, exemplars->n);
    if (!jc_scratch_reserve(&vote->n_found, &vote->cap_queries, n, sizeof(*vote->n_found)) ||
        !jc_scratch_reserve(&vote->neighbours, &vote->cap_neighbours, n * vote->n_neighbours,
                            sizeof(*vote->neighbours)))
        return fail_reserve(n, err);
    return JC_OK;
}

/* For jc_vote_find's own work. */
static jc_code prepare_group(struct jc_vote *vote, const struct jc_exemplars *exemplars, size_t n, bool gather,
                             struct jc_err *err)
{
    size_t n_group = smaller(n, GROUP_QUERIES);
    if (!jc_scratch_reserve(&vote->vectors, &vote->cap_vectors, gather ? n_group * exemplars->dim : 0, sizeof(float)) ||
        !jc_scratch_reserve(&vote->cosines, &vote->cap_cosines, n_group * smaller(exemplars->n, BLOCK_TEXTS),
                            sizeof(float)))
        return fail_reserve(n, err);
    return JC_OK;
}

/* cosines [n][n_texts]. For few queries row by row: the vectors come from memory, and BLAS's product with one vector
 * reads that at half the speed. */
static void compute_cosines(const float *vectors, size_t n, const float *texts, size_t n_texts, size_t dim,
                            float *ret_cosines)
{
    if (n > FEW_QUERIES) {
        jc_gemm_scores(vectors, n, texts, n_texts, dim, ret_cosines);
        return;
    }
    for (size_t t = 0; t < n_texts; t++)
        for (size_t i = 0; i < n; i++)
            ret_cosines[i * n_texts + t] = jc_vec_dot(texts + t * dim, vectors + i * dim, dim);
}

/* The neighbours of queries [first, first + n), whose vectors [n][dim] stand without gaps. */
static void find_group(struct jc_vote *vote, const struct jc_exemplars *exemplars, const float *vectors, size_t first,
                       size_t n)
{
    struct jc_hit *rows = vote->neighbours + first * vote->n_neighbours;
    size_t *n_found = vote->n_found + first;
    memset(n_found, 0, n * sizeof(*n_found));
    for (size_t begin = 0, n_texts; begin < exemplars->n; begin += n_texts) {
        n_texts = smaller(exemplars->n - begin, BLOCK_TEXTS);
        compute_cosines(vectors, n, exemplars->vectors + begin * exemplars->dim, n_texts, exemplars->dim,
                        vote->cosines);
        for (size_t i = 0; i < n; i++)
            jc_topk_push(vote->cosines + i * n_texts, n_texts, (uint32_t)begin, vote->n_neighbours,
                         rows + i * vote->n_neighbours, &n_found[i]);
    }
    for (size_t i = 0; i < n; i++)
        jc_topk_sort(rows + i * vote->n_neighbours, n_found[i]);
}

jc_code jc_vote_find(struct jc_vote *vote, const struct jc_exemplars *exemplars, const float *queries, size_t n,
                     size_t width, struct jc_err *err)
{
    bool gather = width != exemplars->dim;
    jc_code code;
    if ((code = jc_vote_prepare(vote, exemplars, n, err)) || (code = prepare_group(vote, exemplars, n, gather, err)))
        return code;
    for (size_t first = 0, n_group; first < n; first += n_group) {
        n_group = smaller(n - first, GROUP_QUERIES);
        const float *vectors = queries + first * width;
        for (size_t i = 0; gather && i < n_group; i++)
            memcpy(vote->vectors + i * exemplars->dim, vectors + i * width, exemplars->dim * sizeof(*vectors));
        find_group(vote, exemplars, gather ? vote->vectors : vectors, first, n_group);
    }
    return JC_OK;
}

void jc_vote_add(const struct jc_vote *vote, const struct jc_exemplars *exemplars, size_t i, float *scores)
{
    const struct jc_hit *row = vote->neighbours + i * vote->n_neighbours;
    double shares[JC_EXEMPLARS_MAX_K], total = 0;
    for (size_t j = 0; j < vote->n_found[i]; j++) {
        double sum = 0;
        for (size_t at = exemplars->code_begins[row[j].index]; at < exemplars->code_begins[row[j].index + 1]; at++)
            sum += (double)exemplars->code_weights[at];
        shares[j] = exp((double)exemplars->sharpness * ((double)row[j].score - (double)row[0].score));
        total += shares[j] * sum;
    }
    for (size_t j = 0; j < vote->n_found[i]; j++) {
        double share = (double)exemplars->weight * shares[j] / total;
        for (size_t at = exemplars->code_begins[row[j].index]; at < exemplars->code_begins[row[j].index + 1]; at++)
            scores[exemplars->codes[at]] += (float)(share * (double)exemplars->code_weights[at]);
    }
}

static bool has_category(const struct jc_exemplars *exemplars, uint32_t text, uint32_t category)
{
    for (size_t at = exemplars->code_begins[text]; at < exemplars->code_begins[text + 1]; at++)
        if (exemplars->codes[at] == category)
            return true;
    return false;
}

struct jc_evidence jc_vote_evidence(const struct jc_vote *vote, const struct jc_exemplars *exemplars, size_t i,
                                    uint32_t category)
{
    const struct jc_hit *row = vote->neighbours + i * vote->n_neighbours;
    for (size_t j = 0; j < vote->n_found[i]; j++)
        if (has_category(exemplars, row[j].index, category))
            return (struct jc_evidence){.text = row[j].index, .similarity = row[j].score};
    return (struct jc_evidence){.text = JC_EVIDENCE_NONE};
}
