/*
 * The k best of many scores. A heap keeps them, and few scores get that far: a floor that at least k scores reach is
 * found first, and blocks of scores with none at the floor are passed over.
 */
#include <math.h>
#include <string.h>

#include "linalg/linalg.h"

#define LANES 16       /* running maxima, and scores in a block */
#define WIDTH 4        /* floats in a vector register of any machine */
#define FLOOR_MAX 1024 /* scores looked at for the first floor */

/* gcc and clang compute on these element by element; a comparison gives -1 (true) or 0. Left to themselves, the
 * compilers vectorise the loops below or do not, by version. */
typedef float vec __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int32_t mask __attribute__((vector_size(WIDTH * sizeof(float))));

/* The best of hits[n_hits] so far: a heap with the worst at the root. */
struct heap {
    struct jc_hit *hits;
    size_t n_hits, k;
};

/* Whether `a` comes after `b` in the answer. */
static bool is_worse(struct jc_hit a, struct jc_hit b)
{
    return a.score < b.score || (a.score == b.score && a.index > b.index);
}

/* Puts `hit` at or below the free place `at` of a heap of n. */
static void sift_down(struct jc_hit *hits, size_t n, size_t at, struct jc_hit hit)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && is_worse(hits[child + 1], hits[child]))
            child++;
        if (!is_worse(hits[child], hit))
            break;
        hits[at] = hits[child];
    }
    hits[at] = hit;
}

static void push_hit(struct heap *heap, struct jc_hit hit)
{
    if (heap->n_hits == heap->k) {
        if (is_worse(heap->hits[0], hit))
            sift_down(heap->hits, heap->k, 0, hit);
        return;
    }
    size_t at = heap->n_hits++;
    for (; at > 0 && is_worse(hit, heap->hits[(at - 1) / 2]); at = (at - 1) / 2)
        heap->hits[at] = heap->hits[(at - 1) / 2];
    heap->hits[at] = hit;
}

/* The second half of a heap sort. */
void jc_topk_sort(struct jc_hit *hits, size_t n_hits)
{
    for (size_t n = n_hits; n > 1; n--) {
        struct jc_hit last = hits[n - 1];
        hits[n - 1] = hits[0];
        sift_down(hits, n - 1, 0, last);
    }
}

/* The k-th largest of LANES values. Each step of the insertion sort is without a branch: a place keeps the better and
 * hands the other on. */
static float select_kth(const float *values, size_t k)
{
    float best[LANES];
    for (size_t i = 0; i < k; i++)
        best[i] = -INFINITY;
    for (size_t i = 0; i < LANES; i++) {
        float value = values[i];
        for (size_t j = 0; j < k; j++) {
            float kept = best[j];
            best[j] = value > kept ? value : kept;
            value = value > kept ? kept : value;
        }
    }
    return best[k - 1];
}

static vec load_vec(const float *scores)
{
    vec v;
    memcpy(&v, scores, sizeof v); /* scores need no alignment */
    return v;
}

/* A value that at least k of the scores reach: the k-th largest of the maxima of LANES interleaved parts.
 * -INFINITY where there is no cheap one. A NaN is no maximum. */
static float find_floor(const float *scores, size_t n, size_t k)
{
    vec maxima[LANES / WIDTH];
    float lanes[LANES];
    if (n < LANES || k > LANES)
        return -INFINITY;
    for (size_t j = 0; j < LANES / WIDTH; j++)
        maxima[j] = (vec){-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i + LANES <= n && i < FLOOR_MAX; i += LANES) {
        for (size_t j = 0; j < LANES / WIDTH; j++) {
            vec v = load_vec(scores + i + j * WIDTH);
            mask better = v > maxima[j];
            maxima[j] = (vec)((better & (mask)v) | (~better & (mask)maxima[j]));
        }
    }
    memcpy(lanes, maxima, sizeof lanes);
    return select_kth(lanes, k);
}

/* Whether one of LANES scores reaches `floor`. */
static bool reaches_floor(const float *scores, float floor)
{
    mask found = {0};
    for (size_t j = 0; j < LANES / WIDTH; j++)
        found |= load_vec(scores + j * WIDTH) >= floor;
    return found[0] | found[1] | found[2] | found[3];
}

/* Offers those of scores[n] that are not under `floor`; a NaN is not offered. */
static void push_range(struct heap *heap, const float *scores, size_t n, uint32_t first, float floor)
{
    for (size_t i = 0; i < n; i++)
        if (scores[i] >= floor)
            push_hit(heap, (struct jc_hit){.index = first + (uint32_t)i, .score = scores[i]});
}

/* Offers scores[n], whose first has the index `first`. A floor goes for what is in the heap already, too: k scores that
 * reach it are among these alone. */
static void push_scores(struct heap *heap, const float *scores, size_t n, uint32_t first)
{
    if (heap->k == 0)
        return;
    float floor = heap->n_hits == heap->k ? heap->hits[0].score : find_floor(scores, n, heap->k);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        if (!reaches_floor(scores + i, floor))
            continue;
        push_range(heap, scores + i, LANES, first + (uint32_t)i, floor);
        if (heap->n_hits == heap->k && heap->hits[0].score > floor)
            floor = heap->hits[0].score;
    }
    push_range(heap, scores + i, n - i, first + (uint32_t)i, floor);
}

/* NaN scores stand behind all numbers, and only where there are fewer numbers than places. */
static void append_nans(struct heap *heap, const float *scores, size_t n)
{
    for (size_t i = 0; i < n && heap->n_hits < heap->k; i++)
        if (isnan(scores[i]))
            heap->hits[heap->n_hits++] = (struct jc_hit){.index = (uint32_t)i, .score = scores[i]};
}

size_t jc_topk(const float *scores, size_t n, size_t k, struct jc_hit *ret_hits)
{
    struct heap heap = {.hits = ret_hits, .k = k < n ? k : n};
    push_scores(&heap, scores, n, 0);
    jc_topk_sort(heap.hits, heap.n_hits);
    append_nans(&heap, scores, n);
    return heap.n_hits;
}

void jc_topk_push(const float *scores, size_t n, uint32_t first, size_t k, struct jc_hit *hits, size_t *n_hits)
{
    struct heap heap = {.hits = hits, .n_hits = *n_hits, .k = k};
    push_scores(&heap, scores, n, first);
    *n_hits = heap.n_hits;
}
