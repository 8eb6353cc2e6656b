/* Rows that are hard to rank, and checking hits against a sort of all scores: for every implementation of top-k. */
#ifndef JC_TESTS_TOPK_ROWS_H
#define JC_TESTS_TOPK_ROWS_H

#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

enum topk_kind { TOPK_RANDOM, TOPK_TIES, TOPK_EQUAL, TOPK_CLOSE, TOPK_SPECIAL, TOPK_ASCENDING, TOPK_KINDS };

static inline void topk_fill(struct jc_rng *rng, enum topk_kind kind, float *scores, size_t n)
{
    static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f, -1e-45f, 3e38f, -3e38f, 1.0f};
    for (size_t i = 0; i < n; i++) {
        const float unit = (float)jc_rng_unit(rng);
        switch (kind) {
        case TOPK_TIES:
            scores[i] = (float)(int)(unit * 20) / 20 - 0.3f;
            break;
        case TOPK_EQUAL:
            scores[i] = 0.25f;
            break;
        case TOPK_CLOSE: /* differ in the last bits alone */
            scores[i] = 0.5f + (float)(int)(unit * 9) * 0x1p-24f;
            break;
        case TOPK_SPECIAL:
            scores[i] = special[(size_t)(unit * 10) % 10];
            break;
        case TOPK_ASCENDING:
            scores[i] = (float)i - (float)(n / 2);
            break;
        default:
            scores[i] = 2 * unit - 1;
            break;
        }
    }
}

static const float *topk_sorted; /* the scores that the indices below belong to */

static inline int topk_compare(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    const float x = topk_sorted[a], y = topk_sorted[b];
    if (isnan(x) != isnan(y))
        return isnan(x) ? 1 : -1;
    if (x > y || x < y)
        return x > y ? -1 : 1;
    return a < b ? -1 : 1;
}

/* hits [min(k, n)] are the k best of scores [n]. */
static inline void topk_check(const float *scores, size_t n, size_t k, const struct jc_hit *hits, const char *what)
{
    uint32_t *order = malloc((n + 1) * sizeof *order);
    REQUIRE(order != NULL);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    topk_sorted = scores;
    qsort(order, n, sizeof *order, topk_compare);
    for (size_t i = 0; i < k && i < n; i++) {
        const float want = scores[order[i]];
        if (!check_report(hits[i].index == order[i], __FILE__, __LINE__, "%s, n %zu, k %zu: hit %zu is %u, not %u",
                          what, n, k, i, (unsigned)hits[i].index, (unsigned)order[i]) ||
            !check_report(memcmp(&hits[i].score, &want, sizeof want) == 0 || (isnan(want) && isnan(hits[i].score)),
                          __FILE__, __LINE__, "%s, n %zu, k %zu: hit %zu has %g, not %g", what, n, k, i,
                          (double)hits[i].score, (double)want))
            break;
    }
    free(order);
}

/* Calls check(scores, bias, n, k) for rows of every kind and many lengths. bias is of zeros. */
static inline void topk_each(void (*check)(const float *scores, size_t n, size_t k))
{
    static const size_t lengths[] = {1,    2,    31,   32,   33,   255,  256,   257,
                                     1016, 1023, 1024, 1025, 1500, 4097, 20000, 100000};
    static const size_t ks[] = {0, 1, 2, 5, 10, 100, 257, 1000, 1024};
    struct jc_rng rng = jc_rng_seeded(7);
    for (size_t i = 0; i < JC_COUNT(lengths); i++) {
        float *scores = malloc(lengths[i] * sizeof *scores);
        REQUIRE(scores != NULL);
        for (enum topk_kind kind = 0; kind < TOPK_KINDS; kind++) {
            topk_fill(&rng, kind, scores, lengths[i]);
            for (size_t k = 0; k < JC_COUNT(ks); k++)
                check(scores, lengths[i], ks[k]);
        }
        free(scores);
    }
}

#endif
