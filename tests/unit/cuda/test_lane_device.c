/*
 * The encoder on a device against the same kernels' emulation on the host: in float32 and in halves, through plain
 * launches, recordings and their replays, in batches of many sizes; and scoring behind it, with exemplars and without,
 * against the host's. Skipped without a device.
 */
#include "base/own.h"
#include "cuda/cuda.h"
#include "cuda_berts.h"
#include "cuda_emulation.h"

enum { N_CATEGORIES = 2500, N_WORDS = 24, K = 12, N_EXEMPLARS = 9000, N_VOTERS = 30 };
#define VOTE_SHARPNESS 4.0F
#define VOTE_WEIGHT 0.5F

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

struct head {
    float matrix[N_CATEGORIES * (MAX_HIDDEN + N_WORDS)], bias[N_CATEGORIES], words[N_TEXTS * N_WORDS];
    float exemplars[N_EXEMPLARS * MAX_HIDDEN], code_weights[N_EXEMPLARS]; /* exemplar i has category i % N_CATEGORIES */
    size_t code_begins[N_EXEMPLARS + 1];
    uint32_t codes[N_EXEMPLARS];
};

static void fill_head(struct head *head, size_t dim)
{
    struct jc_rng rng = jc_rng_seeded(9);
    for (size_t i = 0; i < N_CATEGORIES * (dim + N_WORDS); i++)
        head->matrix[i] = (float)(jc_rng_unit(&rng) - 0.5);
    for (size_t i = 0; i < N_CATEGORIES; i++)
        head->bias[i] = (float)jc_rng_unit(&rng);
    for (size_t i = 0; i < N_TEXTS * N_WORDS; i++)
        head->words[i] = (float)(jc_rng_unit(&rng) - 0.5);
    for (size_t i = 0; i < N_EXEMPLARS * dim; i++)
        head->exemplars[i] = (float)(jc_rng_unit(&rng) - 0.5);
    for (size_t i = 0; i < N_EXEMPLARS; i++) {
        jc_vec_normalize(head->exemplars + i * dim, dim);
        head->codes[i] = (uint32_t)i % N_CATEGORIES;
        head->code_weights[i] = 1;
        head->code_begins[i + 1] = i + 1;
    }
}

static double multiply(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += (double)a[k] * (double)b[k];
    return sum;
}

/* The nearest, but for what rounding swaps. Adds their vote to the scores [N_CATEGORIES]. */
static void check_neighbours(const struct head *head, const float *vector, size_t dim, const struct jc_hit *hits,
                             double most, double *scores)
{
    double shares[N_VOTERS], total = 0;
    for (size_t j = 0; j < N_VOTERS; j++) {
        REQUIRE(hits[j].index < N_EXEMPLARS);
        CHECK_NEAR(hits[j].score, multiply(vector, head->exemplars + hits[j].index * dim, dim), most);
        CHECK(j == 0 || hits[j].score <= hits[j - 1].score);
        total += shares[j] = exp((double)VOTE_SHARPNESS * ((double)hits[j].score - (double)hits[0].score));
    }
    size_t n_nearer = 0;
    for (size_t i = 0; i < N_EXEMPLARS; i++)
        n_nearer += multiply(vector, head->exemplars + i * dim, dim) > (double)hits[N_VOTERS - 1].score + 2 * most;
    CHECK(n_nearer < N_VOTERS);
    for (size_t j = 0; j < N_VOTERS; j++)
        scores[head->codes[hits[j].index]] += (double)VOTE_WEIGHT * shares[j] / total;
}

/* Scores recomputed on the host from the same vector: the hits' scores, and their order but for what rounding swaps. */
static void check_answer(const struct head *head, const float *vector, const float *words, size_t dim,
                         const struct jc_hit *hits, const struct jc_cuda_answer *answer,
                         const struct jc_hit *neighbours, double most)
{
    static double scores[N_CATEGORIES];
    const size_t width = dim + N_WORDS;
    double best = -INFINITY;
    CHECK_INT(answer->is_finite, 1);
    for (size_t c = 0; c < N_CATEGORIES; c++)
        scores[c] = (double)head->bias[c] + multiply(head->matrix + c * width, vector, dim) +
                    multiply(head->matrix + c * width + dim, words, N_WORDS);
    if (neighbours)
        check_neighbours(head, vector, dim, neighbours, most, scores);
    for (size_t c = 0; c < N_CATEGORIES; c++)
        best = fmax(best, scores[c]);
    for (size_t h = 0; h < K; h++) {
        CHECK_NEAR(hits[h].score, scores[hits[h].index], most);
        CHECK(h == 0 || hits[h].score <= hits[h - 1].score);
    }
    CHECK_NEAR(answer->best, best, most);
    CHECK_NEAR(hits[0].score, answer->best, 0);
}

/* All texts at once, and one alone. */
static void check_rank(struct jc_cuda_encoder *encoder, struct jc_cuda_lane *lane, const struct texts *texts,
                       size_t dim, const float *vectors, bool has_exemplars, double most)
{
    static struct head head;
    static struct jc_hit hits[N_TEXTS * K], neighbours[N_TEXTS * N_VOTERS];
    static struct jc_cuda_answer answers[N_TEXTS];
    struct jc_err err;
    fill_head(&head, dim);
    const struct jc_cuda_scorer_source source = {.n_categories = N_CATEGORIES,
                                                 .dim = dim,
                                                 .n_words = N_WORDS,
                                                 .matrix = head.matrix,
                                                 .bias = head.bias,
                                                 .sharpness = 10,
                                                 .power = 1,
                                                 .exemplars = {.n = has_exemplars ? N_EXEMPLARS : 0,
                                                               .k = N_VOTERS,
                                                               .vectors = head.exemplars,
                                                               .code_begins = head.code_begins,
                                                               .codes = head.codes,
                                                               .code_weights = head.code_weights,
                                                               .sharpness = VOTE_SHARPNESS,
                                                               .weight = VOTE_WEIGHT}};
    const struct jc_cuda_ranking ranking = {.k = K, .hits = hits, .answers = answers, .neighbours = neighbours};
    JC_AUTO(jc_cuda_scorer) struct jc_cuda_scorer *scorer = NULL;
    REQUIRE_OK(jc_cuda_scorer_create(encoder, &source, &scorer, &err));
    for (size_t n = N_TEXTS; n; n = n > 1 ? 1 : 0) {
        REQUIRE_OK(jc_cuda_lane_rank(lane, scorer, texts->ids, texts->n_tokens, head.words, n, &ranking, &err));
        for (size_t i = 0; i < n; i++)
            check_answer(&head, vectors + i * dim, head.words + i * N_WORDS, dim, hits + i * K, &answers[i],
                         has_exemplars ? neighbours + i * N_VOTERS : NULL, most);
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
    const struct jc_cuda_buckets buckets = jc_cuda_buckets_up_to(1024);
    REQUIRE_OK(jc_cuda_encoder_create(bert, c.tensors, c.n_tensors, is_wide, 0, &buckets, &encoder, &err));
    REQUIRE_OK(jc_cuda_lane_create(encoder, &lane, &err));
    CHECK_INT(jc_cuda_buckets_last(jc_cuda_lane_buckets(lane)), 1024);
    check_encode(lane, &texts, bert->hidden, want, most);
    check_rank(encoder, lane, &texts, bert->hidden, want, false, 40 * most);
    check_rank(encoder, lane, &texts, bert->hidden, want, true, 40 * most);
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
