/* The k best against sorting everything: random scores, many ties, NaN, infinities, every size around the blocks. */
#include "base/own.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

enum kind { KIND_RANDOM, KIND_TIES, KIND_SPECIAL, KIND_NAN, KIND_LOW, KIND_RISING, KIND_FALLING, N_KINDS };

static float draw_score(struct jc_rng *rng, enum kind kind, size_t i)
{
    static const float special[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1.0f, -1.0f, -NAN};
    uint64_t word = jc_rng_next(rng);
    switch (kind) {
    case KIND_TIES:
        return (float)(word % 3);
    case KIND_SPECIAL:
        return special[word % JC_COUNT(special)];
    case KIND_NAN:
        return word % 50 ? NAN : (float)(word % 7);
    case KIND_LOW:
        return word % 2 ? -INFINITY : NAN;
    case KIND_RISING:
        return (float)i;
    case KIND_FALLING:
        return -(float)i;
    case KIND_RANDOM:
    case N_KINDS:
        break;
    }
    return (float)(jc_rng_unit(rng) * 2 - 1);
}

/* The order of the contract: numbers before NaN, high before low, low index before high. */
static int compare_hits(const void *a, const void *b)
{
    const struct jc_hit *x = a, *y = b;
    bool x_nan = isnan(x->score), y_nan = isnan(y->score);
    if (x_nan != y_nan)
        return x_nan ? 1 : -1;
    if (!x_nan && x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The same scores in parts of random lengths; sorted[n] is what is wanted, but for the NaNs at its end. */
static void check_parts(struct jc_rng *rng, const float *scores, size_t n, size_t k, const struct jc_hit *sorted)
{
    size_t n_wanted = 0, n_hits = 0, n_same = 0;
    while (n_wanted < n && n_wanted < k && !isnan(sorted[n_wanted].score))
        n_wanted++;
    JC_AUTO_FREE struct jc_hit *hits = calloc((k < n ? k : n) + 1, sizeof(*hits));
    REQUIRE(hits);
    for (size_t begin = 0, length; begin < n; begin += length) {
        length = 1 + jc_rng_next(rng) % (n - begin);
        jc_topk_push(scores + begin, length, (uint32_t)begin, k, hits, &n_hits);
    }
    jc_topk_sort(hits, n_hits);
    while (n_same < n_wanted && hits[n_same].index == sorted[n_same].index &&
           hits[n_same].score == sorted[n_same].score)
        n_same++;
    check_report(n_hits == n_wanted && n_same == n_wanted, __FILE__, __LINE__,
                 "parts, n %zu, k %zu: %zu hits, not %zu, wrong from place %zu", n, k, n_hits, n_wanted, n_same);
}

static void check_case(struct jc_rng *rng, enum kind kind, size_t n, size_t k)
{
    JC_AUTO_FREE float *scores = calloc(n + 1, sizeof(*scores));
    JC_AUTO_FREE struct jc_hit *sorted = calloc(n + 1, sizeof(*sorted));
    size_t n_wanted = k < n ? k : n;
    JC_AUTO_FREE struct jc_hit *hits = calloc(n_wanted + 1, sizeof(*hits)); /* the address sanitizer sees more */
    REQUIRE(scores && sorted && hits);
    for (size_t i = 0; i < n; i++) {
        scores[i] = draw_score(rng, kind, i);
        sorted[i] = (struct jc_hit){.index = (uint32_t)i, .score = scores[i]};
    }
    qsort(sorted, n, sizeof(*sorted), compare_hits);
    hits[n_wanted].index = 424242;

    size_t n_hits = jc_topk(scores, n, k, hits);
    size_t n_same = 0;
    while (n_same < n_wanted && hits[n_same].index == sorted[n_same].index &&
           (hits[n_same].score == sorted[n_same].score || isnan(sorted[n_same].score)))
        n_same++;
    check_report(n_hits == n_wanted && n_same == n_wanted, __FILE__, __LINE__,
                 "kind %d, n %zu, k %zu: %zu hits, wrong from place %zu", (int)kind, n, k, n_hits, n_same);
    CHECK_INT(hits[n_wanted].index, 424242);
    check_parts(rng, scores, n, k, sorted);
}

int main(void)
{
    static const size_t ns[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1016, 1024, 1040, 5000};
    static const size_t ks[] = {0, 1, 2, 3, 5, 10, 15, 16, 17, 32, 100, 1016, 6000, SIZE_MAX};
    struct jc_rng rng = jc_rng_seeded(3);
    for (size_t a = 0; a < JC_COUNT(ns); a++)
        for (size_t b = 0; b < JC_COUNT(ks); b++)
            for (int kind = 0; kind < N_KINDS; kind++)
                for (int repeat = 0; repeat < 3; repeat++)
                    check_case(&rng, (enum kind)kind, ns[a], ks[b]);
    for (int i = 0; i < 3000; i++)
        check_case(&rng, (enum kind)(i % N_KINDS), jc_rng_next(&rng) % 300, jc_rng_next(&rng) % 40);
    return check_finish();
}
