/*
 * The GPU's top-k and norms, block by block on the host, rows whole and in parts: against a sort, the CPU's top-k and
 * the norms' formula in double.
 */
#include "base/own.h"
#include "rank_emulation.h"
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

/* Three rows, each the row before turned by one, in as many parts as so many blocks allow. */
static void check_parts(const float *scores, size_t n, size_t k, unsigned most_blocks)
{
    enum { ROWS = 3 };
    const size_t stride = (k + 1) * sizeof(struct jc_hit);
    JC_AUTO_FREE float *turned = malloc(ROWS * n * sizeof *turned);
    JC_AUTO_FREE char *hits = malloc(ROWS * stride);
    JC_AUTO_FREE struct jc_hit *candidates = malloc((most_blocks + ROWS) * k * sizeof *candidates);
    REQUIRE(turned && hits && candidates);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < n; i++)
            turned[r * n + i] = scores[(i + r) % n];
    struct jc_rows rows = {.scores = turned,
                           .n_rows = ROWS,
                           .n = (uint32_t)n,
                           .k = (uint32_t)k,
                           .candidates = candidates,
                           .hits = hits,
                           .stride = stride};
    jc_rows_split(&rows, most_blocks);
    const uint32_t most = most_blocks / ROWS < n / JC_ROWS_PART ? most_blocks / ROWS : (uint32_t)(n / JC_ROWS_PART);
    CHECK(rows.n_parts >= 1 && rows.n_parts <= (most ? most : 1));
    CHECK((size_t)rows.part * rows.n_parts >= n && (size_t)rows.part * (rows.n_parts - 1) < n);
    CHECK(rows.n_parts == 1 || rows.part >= JC_TOPK_MAX);
    emulate_topk(&rows);
    for (size_t r = 0; r < ROWS; r++)
        topk_check(turned + r * n, n, k, (const struct jc_hit *)(const void *)(hits + r * stride), "parts");
}

static void check_all_parts(void)
{
    static const size_t lengths[] = {1, 5000, 8192, 12289, 100000}, ks[] = {1, 30, 1024};
    struct jc_rng rng = jc_rng_seeded(5);
    for (size_t i = 0; i < JC_COUNT(lengths); i++) {
        JC_AUTO_FREE float *scores = malloc(lengths[i] * sizeof *scores);
        REQUIRE(scores != NULL);
        for (enum topk_kind kind = 0; kind < TOPK_KINDS; kind++) {
            topk_fill(&rng, kind, scores, lengths[i]);
            for (size_t k = 0; k < JC_COUNT(ks); k++)
                for (unsigned most = 2; most <= 200; most *= 10)
                    check_parts(scores, lengths[i], ks[k], most);
        }
    }
}

/* A last part with fewer than k: what lies behind its hits is none. */
static void check_short_part(void)
{
    enum { N = 5007, PART = 5000, K = 30 };
    static float scores[N];
    struct jc_hit hits[K], candidates[2 * K];
    struct jc_rng rng = jc_rng_seeded(6);
    const struct jc_rows rows = {.scores = scores,
                                 .n_rows = 1,
                                 .n = N,
                                 .k = K,
                                 .n_parts = 2,
                                 .part = PART,
                                 .candidates = candidates,
                                 .hits = (char *)hits};
    topk_fill(&rng, TOPK_RANDOM, scores, N);
    memset(candidates, 0x7f, sizeof candidates); /* better than all */
    emulate_topk(&rows);
    topk_check(scores, N, K, hits, "short part");
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

static void check_norm(size_t n, struct jc_cuda_calibration calibration, unsigned most_blocks)
{
    enum { ROWS = 2 };
    struct {
        struct jc_cuda_answer answer;
        struct jc_hit hit;
    } records[ROWS];
    const uint32_t finite[ROWS] = {1, 0};
    struct jc_rank_part parts[64];
    struct jc_hit candidates[64];
    struct jc_rng rng = jc_rng_seeded(n);
    JC_AUTO_FREE float *scores = malloc(ROWS * n * sizeof *scores);
    JC_AUTO_FREE float *bias = malloc(n * sizeof *bias);
    REQUIRE(scores && bias && most_blocks < JC_COUNT(parts));
    topk_fill(&rng, TOPK_RANDOM, scores, ROWS * n);
    topk_fill(&rng, TOPK_TIES, bias, n);
    struct jc_rank rank = {.rows = {.scores = scores,
                                    .bias = bias,
                                    .n_rows = ROWS,
                                    .n = (uint32_t)n,
                                    .k = 1,
                                    .candidates = candidates,
                                    .hits = (char *)&records[0].hit,
                                    .stride = sizeof records[0]},
                           .finite = finite,
                           .calibration = calibration,
                           .parts = parts,
                           .records = (char *)records};
    jc_rows_split(&rank.rows, most_blocks);
    emulate_rank(&rank);
    for (size_t r = 0; r < ROWS; r++) {
        float *row = scores + r * n;
        for (size_t i = 0; i < n; i++)
            row[i] += bias[i];
        const struct jc_cuda_norm want = compute_norm(row, n, &calibration);
        const struct jc_cuda_answer got = records[r].answer;
        CHECK_NEAR(got.best, want.best, 0);
        CHECK_NEAR(got.log_sum, want.log_sum, 2e-6);
        CHECK_NEAR(got.peak, want.peak, 4e-6);
        CHECK_NEAR(got.mass / want.mass, 1, 1e-5);
        CHECK_INT(got.is_finite, finite[r]);
        CHECK_NEAR(records[r].hit.score, want.best, 0);
    }
}

int main(void)
{
    static const size_t lengths[] = {1, 7, 256, 1016, 50000};
    topk_each(check_row);
    check_all_parts();
    check_short_part();
    check_bias();
    for (size_t i = 0; i < JC_COUNT(lengths); i++)
        for (unsigned most = 1; most < 60; most += 28) {
            check_norm(lengths[i], (struct jc_cuda_calibration){20, 0, 1}, most);
            check_norm(lengths[i], (struct jc_cuda_calibration){12, 30, 1.3f}, most);
        }
    return check_finish();
}
