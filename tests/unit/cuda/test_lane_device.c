/*
 * The encoder on a device against the same kernels' emulation on the host: in float32 and in halves, through plain
 * launches, recordings and their replays, in batches of many sizes; and scoring behind it against the host's top-k.
 * Skipped without a device.
 */
#include "base/own.h"
#include "cuda/cuda.h"
#include "cuda_berts.h"
#include "cuda_emulation.h"

enum { N_CATEGORIES = 2500, N_WORDS = 24, K = 12 };

static void check_finite(const uint32_t *finite, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CHECK_INT(finite[i], 1);
}

/* Every batch three times: queued, recorded, replayed. */
static void check_encode(struct jc_cuda_lane *lane, const struct texts *texts, size_t dim, const float *want,
                         double most)
{
    static const size_t sizes[] = {1, 3, 17, N_TEXTS};
    static float vectors[N_TEXTS * MAX_HIDDEN];
    uint32_t finite[N_TEXTS];
    struct jc_err err;
    for (size_t s = 0; s < JC_COUNT(sizes); s++)
        for (size_t turn = 0; turn < 3; turn++)
            for (size_t first = 0; first < N_TEXTS; first += sizes[s]) {
                const size_t n = N_TEXTS - first < sizes[s] ? N_TEXTS - first : sizes[s];
                REQUIRE_OK(jc_cuda_lane_encode(lane, texts->ids + texts->starts[first], texts->n_tokens + first, n,
                                               vectors, finite, &err));
                check_finite(finite, n);
                CHECK_NEAR(measure_gap(vectors, want + first * dim, n * dim), 0, most);
            }
}

/* Scores recomputed on the host from the same vectors: the hits' scores, and their order but for what rounding swaps. */
static void check_rank(struct jc_cuda_encoder *encoder, struct jc_cuda_lane *lane, const struct texts *texts,
                       size_t dim, const float *want, double most)
{
    static float matrix[N_CATEGORIES * (MAX_HIDDEN + N_WORDS)], bias[N_CATEGORIES], words[N_TEXTS * N_WORDS];
    static struct jc_hit hits[N_TEXTS * K];
    static struct jc_cuda_answer answers[N_TEXTS];
    const size_t width = dim + N_WORDS;
    struct jc_rng rng = jc_rng_seeded(9);
    struct jc_err err;
    for (size_t i = 0; i < N_CATEGORIES * width; i++)
        matrix[i] = (float)(jc_rng_unit(&rng) - 0.5);
    for (size_t i = 0; i < N_CATEGORIES; i++)
        bias[i] = (float)jc_rng_unit(&rng);
    for (size_t i = 0; i < N_TEXTS * N_WORDS; i++)
        words[i] = (float)(jc_rng_unit(&rng) - 0.5);
    const struct jc_cuda_scorer_source source = {.n_categories = N_CATEGORIES,
                                                 .dim = dim,
                                                 .n_words = N_WORDS,
                                                 .matrix = matrix,
                                                 .bias = bias,
                                                 .sharpness = 10,
                                                 .power = 1};
    JC_AUTO(jc_cuda_scorer) struct jc_cuda_scorer *scorer = NULL;
    REQUIRE_OK(jc_cuda_scorer_create(encoder, &source, &scorer, &err));
    REQUIRE_OK(jc_cuda_lane_rank(lane, scorer, texts->ids, texts->n_tokens, words, N_TEXTS, K, hits, answers, &err));
    for (size_t i = 0; i < N_TEXTS; i++) {
        double best = -INFINITY;
        CHECK_INT(answers[i].is_finite, 1);
        for (size_t c = 0; c < N_CATEGORIES; c++) {
            double score = (double)bias[c];
            for (size_t k = 0; k < width; k++)
                score += (double)matrix[c * width + k] *
                         (double)(k < dim ? want[i * dim + k] : words[i * N_WORDS + k - dim]);
            best = fmax(best, score);
            for (size_t h = 0; h < K; h++)
                if (hits[i * K + h].index == c)
                    CHECK_NEAR(hits[i * K + h].score, score, most);
        }
        CHECK_NEAR(answers[i].best, best, most);
        CHECK_NEAR(hits[i * K].score, answers[i].best, 0);
        for (size_t h = 1; h < K; h++)
            CHECK(hits[i * K + h].score <= hits[i * K + h - 1].score);
    }
}

static void check_device(const struct jc_bert *bert, bool is_wide, double most)
{
    static struct texts texts;
    static float want[N_TEXTS * MAX_HIDDEN];
    uint32_t finite[N_TEXTS];
    struct checkpoint c = {.bert = *bert, .prefix = "", .rng = jc_rng_seeded(11)};
    struct emulation emulation;
    struct jc_err err;
    fill_checkpoint(&c);
    fill_texts(&texts, bert, 5);
    emulation_init(&emulation, bert, c.tensors, c.n_tensors, is_wide, 512);
    emulation_encode(&emulation, texts.ids, texts.n_tokens, N_TEXTS, want, finite);
    JC_AUTO(jc_cuda_encoder) struct jc_cuda_encoder *encoder = NULL;
    JC_AUTO(jc_cuda_lane) struct jc_cuda_lane *lane = NULL;
    REQUIRE_OK(jc_cuda_encoder_create(bert, c.tensors, c.n_tensors, is_wide, 0, 1024, &encoder, &err));
    REQUIRE_OK(jc_cuda_lane_create(encoder, &lane, &err));
    CHECK_INT(jc_cuda_lane_capacity(lane), 1024);
    check_encode(lane, &texts, bert->hidden, want, most);
    check_rank(encoder, lane, &texts, bert->hidden, want, 40 * most);
    emulation_finish(&emulation);
    finish_checkpoint(&c);
}

int main(void)
{
    if (jc_cuda_count() == 0)
        check_skip("no GPU");
    check_device(&mean_bert, true, 1e-5);
    check_device(&cls_bert, true, 1e-5);
    check_device(&mean_bert, false, 2e-3);
    check_device(&cls_bert, false, 5e-3);
    CHECK(jc_cuda_counts_get().graph_launches > 0);
    return check_finish();
}
