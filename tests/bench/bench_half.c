/*
 * What halves change: the GPU's encoder and scores, run by the host (cuda_emulation.h), against the CPU's in float32.
 *     bench_half MODEL_FOLDER TITLES
 * Prints a JSON object: on how many of the titles (a line each) both give the same first category, and of those that
 * differ the largest margin between the CPU's first and the category that halves put first, in scores.
 */
#include <limits.h>

#include "artifact/bundle.h"
#include "artifact/safetensors.h"
#include "base/file.h"
#include "cuda_emulation.h"
#include "dnn/dnn.h"
#include "model/lexicon.h"
#include "model/scoring.h"
#include "text/tokenizer.h"

enum { MAX_TITLES_BYTES = 64 << 20, BATCH = 128, MAX_TOKENS = 512, ROWS = 4096 };

struct bench {
    struct jc_bundle *bundle;
    const struct jc_head *head;
    struct jc_head halves; /* the same with a matrix that was rounded to halves */
    struct jc_tokenizer *tokenizer;
    struct jc_dnn_encoder *encoder;
    struct jc_dnn_scratch *scratch;
    struct emulation emulation;
    size_t n_titles, n_same, n_not_finite;
    double widest;
};

static void open_bench(struct bench *bench, const char *folder)
{
    struct jc_err err;
    char path[PATH_MAX];
    size_t n_tensors;
    struct jc_safetensors *weights;
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bench->bundle, &err));
    const struct jc_bert *bert = jc_bundle_bert(bench->bundle);
    bench->head = jc_bundle_head(bench->bundle);
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, JC_BUNDLE_VOCAB, &err));
    REQUIRE_OK(jc_tokenizer_load(path, bert->max_tokens, &bench->tokenizer, &err));
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, JC_BUNDLE_WEIGHTS, &err));
    REQUIRE_OK(jc_safetensors_open(path, &weights, &err));
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n_tensors);
    REQUIRE_OK(jc_dnn_encoder_create(bert, tensors, n_tensors, JC_PRECISION_F32, NULL, &bench->encoder, &err));
    REQUIRE_OK(jc_dnn_scratch_create(bench->encoder, &bench->scratch, &err));
    emulation_init(&bench->emulation, bert, tensors, n_tensors, 0, ROWS);
    jc_safetensors_destroy(weights);

    const size_t n = bench->head->n_categories * jc_head_width(bench->head);
    bench->halves = *bench->head;
    bench->halves.matrix = malloc(n * sizeof(float));
    REQUIRE(bench->halves.matrix != NULL);
    for (size_t i = 0; i < n; i++)
        bench->halves.matrix[i] = jc_half_to(jc_half_from(bench->head->matrix[i]));
}

/* scores [n_categories] of a text's vector; in halves the query is rounded, too, as on the GPU. */
static void score(const struct bench *bench, bool is_half, const float *vector, const int32_t *ids, size_t n_ids,
                  float *query, float *ret_scores)
{
    const size_t width = jc_head_width(bench->head);
    jc_scoring_query(bench->head, vector, ids, n_ids, query);
    const bool rounds = is_half && width % 8 == 0;
    for (size_t k = 0; rounds && k < width; k++)
        query[k] = jc_half_to(jc_half_from(query[k]));
    jc_scoring_scores(rounds ? &bench->halves : bench->head, query, 1, ret_scores);
}

static void run_batch(struct bench *bench, const int32_t *ids, const uint32_t *n_tokens, size_t n)
{
    const size_t dim = bench->head->dim, n_categories = bench->head->n_categories;
    float *exact = malloc(n * dim * sizeof *exact), *halves = malloc(n * dim * sizeof *halves),
          *query = malloc(jc_head_width(bench->head) * sizeof *query), *scores = malloc(n_categories * sizeof *scores);
    uint32_t finite[BATCH];
    struct jc_err err;
    REQUIRE(exact && halves && query && scores);
    REQUIRE_OK(jc_dnn_encoder_encode(bench->encoder, bench->scratch, ids, n_tokens, n, exact, &err));
    emulation_encode(&bench->emulation, ids, n_tokens, n, halves, finite);
    for (size_t i = 0; i < n; ids += n_tokens[i++]) {
        struct jc_hit want, got;
        bench->n_not_finite += !finite[i];
        score(bench, true, halves + i * dim, ids, n_tokens[i], query, scores);
        jc_topk(scores, n_categories, 1, &got);
        score(bench, false, exact + i * dim, ids, n_tokens[i], query, scores);
        jc_topk(scores, n_categories, 1, &want);
        bench->n_titles++;
        bench->n_same += got.index == want.index;
        bench->widest = fmax(bench->widest, (double)want.score - (double)scores[got.index]);
    }
    free(exact), free(halves), free(query), free(scores);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static int32_t ids[BATCH * MAX_TOKENS];
    uint32_t n_tokens[BATCH];
    struct jc_err err;
    struct jc_buf text = {0};
    size_t n = 0, n_ids = 0;
    if (argc != 3)
        return fprintf(stderr, "usage: bench_half MODEL_FOLDER TITLES\n"), 2;
    jc_linalg_init();
    open_bench(&bench, argv[1]);
    REQUIRE_OK(jc_file_read(argv[2], MAX_TITLES_BYTES, &text, &err));
    for (char *rest = text.data, *line; (line = strsep(&rest, "\n"));) {
        size_t n_own;
        if (!*line)
            continue;
        REQUIRE_OK(jc_tokenizer_encode(bench.tokenizer, line, strlen(line), 1, ids + n_ids, &n_own, &err));
        n_tokens[n++] = (uint32_t)n_own;
        n_ids += n_own;
        if (n == BATCH) {
            run_batch(&bench, ids, n_tokens, n);
            n = n_ids = 0;
        }
    }
    if (n)
        run_batch(&bench, ids, n_tokens, n);
    printf("{\"titles\": %zu, \"same\": %zu, \"share\": %.5f, \"widest_margin\": %.6f, \"not_finite\": %zu}\n",
           bench.n_titles, bench.n_same, (double)bench.n_same / (double)bench.n_titles, bench.widest,
           bench.n_not_finite);
    return check_finish();
}
