/* The GPU's top-k and norms, block by block on the host: against a sort, the CPU's top-k and the CPU's norms. */
#include "cuda/norm_block.h"
#include "topk_rows.h"

static void run_block(const float *scores, const float *bias, size_t n, size_t k, struct jc_hit *ret_hits)
{
    static struct jc_topk_shared shared;
    const struct jc_topk_row row = {.scores = scores, .bias = bias, .n = (uint32_t)n, .k = (uint32_t)k};
    memset(&shared, 0xff, sizeof shared); /* what lies in a block's memory is the last block's */
    jc_topk_block(&shared, &row, ret_hits);
    CHECK(shared.gathered <= JC_TOPK_MAX); /* more would lie behind the keys */
}

static void check_row(const float *scores, size_t n, size_t k)
{
    static struct jc_hit hits[JC_TOPK_MAX + 1], cpu[JC_TOPK_MAX];
    const struct jc_hit guard = {.index = 77, .score = 77};
    const size_t n_hits = k < n ? k : n;
    hits[n_hits] = guard;
    run_block(scores, NULL, n, k, hits);
    topk_check(scores, n, k, hits, "block");
    CHECK(hits[n_hits].index == guard.index && hits[n_hits].score == guard.score);
    CHECK_INT(jc_topk(scores, n, k, cpu), n_hits);
    for (size_t i = 0; i < n_hits; i++)
        if (!CHECK(hits[i].index == cpu[i].index))
            break;
}

static void check_bias(void)
{
    enum { N = 3000, K = 50 };
    static float scores[N], bias[N], sums[N];
    struct jc_hit hits[K];
    struct jc_rng rng = jc_rng_seeded(3);
    topk_fill(&rng, TOPK_RANDOM, scores, N);
    topk_fill(&rng, TOPK_TIES, bias, N);
    for (size_t i = 0; i < N; i++)
        sums[i] = scores[i] + bias[i];
    run_block(scores, bias, N, K, hits);
    topk_check(sums, N, K, hits, "bias");
}

/* The formula in double. */
static struct jc_cuda_norm compute_norm(const float *scores, size_t n, const struct jc_cuda_calibration *c)
{
    double best = -INFINITY, sum = 0, mass = 0;
    for (size_t i = 0; i < n; i++)
        best = fmax(best, (double)scores[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)c->sharpness * ((double)scores[i] - best));
    const double top = exp(-log(sum)), peak = log(top / (1 + (double)c->saturation * top));
    for (size_t i = 0; i < n; i++) {
        const double q = exp((double)c->sharpness * ((double)scores[i] - best)) / sum;
        mass += exp((double)c->power * (log(q / (1 + (double)c->saturation * q)) - peak));
    }
    return (struct jc_cuda_norm){(float)best, (float)log(sum), (float)peak, (float)mass};
}

static void check_norm(size_t n, struct jc_cuda_calibration calibration)
{
    struct jc_norm_shared shared;
    struct jc_cuda_norm norm = {0};
    struct jc_rng rng = jc_rng_seeded(n);
    float *scores = malloc(n * sizeof *scores);
    REQUIRE(scores != NULL);
    topk_fill(&rng, TOPK_RANDOM, scores, n);
    const struct jc_topk_row row = {.scores = scores, .n = (uint32_t)n, .k = 1};
    jc_norm_block(&shared, &row, &calibration, &norm);
    const struct jc_cuda_norm want = compute_norm(scores, n, &calibration);
    CHECK_NEAR(norm.best, want.best, 0);
    CHECK_NEAR(norm.log_sum, want.log_sum, 2e-6);
    CHECK_NEAR(norm.peak, want.peak, 4e-6);
    CHECK_NEAR(norm.mass / want.mass, 1, 1e-5);
    free(scores);
}

int main(void)
{
    static const size_t lengths[] = {1, 7, 256, 1016, 50000};
    topk_each(check_row);
    check_bias();
    for (size_t i = 0; i < JC_COUNT(lengths); i++) {
        check_norm(lengths[i], (struct jc_cuda_calibration){20, 0, 1});
        check_norm(lengths[i], (struct jc_cuda_calibration){12, 30, 1.3f});
    }
    return check_finish();
}
