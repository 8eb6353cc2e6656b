/*
 * The GPU's encoder, and encoding, scoring and ranking in one, over batch sizes and lengths.
 *     bench_gpu MODEL_FOLDER SECONDS
 * Prints a JSON object a measurement: titles a second, the median and the 99th percentile of a call, what part of the
 * card's rate at one large product of halves the encoder's products reach, and what part of its rate at one large copy
 * reading the layers' matrices once a call takes (nearly all that one title reads; a card may keep them in its cache, and
 * then this passes 1). Titles are random tokens: lengths count, words do not. Every call is begun and waited for by
 * itself, copies included. Exit status 77 where there is no GPU.
 */
#include <limits.h>

#include "artifact/bundle.h"
#include "artifact/safetensors.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/parse.h"
#include "base/rng.h"
#include "check.h"
#include "cuda/cuda.h"
#include "cuda/memory.h"
#include "cuda/stream.h"
#include "model/scorer_source.h"

enum {
    MAX_TITLES = 1024,
    MAX_LENGTH = 64,
    TOP_N = 5,
    MAX_CALLS = 100000,
    WARM_UP = 5,
    PEAK_SIZE = 4096,
    PEAK_TURNS = 20,
    COPY_SIZE = 256 << 20 /* bytes: more than any card's cache */
};

struct bench {
    const struct jc_bert *bert;
    const struct jc_head *head;
    struct jc_cuda_lane *lane;
    struct jc_cuda_scorer *scorer;
    double seconds, peak, bandwidth; /* peak: operations a second; bandwidth: bytes a second, read or written */
    bool is_wide;
    int32_t ids[MAX_TITLES * MAX_LENGTH];
    uint32_t n_tokens[MAX_TITLES], finite[MAX_TITLES];
    float *vectors, *words;
    struct jc_hit hits[MAX_TITLES * TOP_N], *neighbours;
    struct jc_cuda_answer answers[MAX_TITLES];
    uint64_t times[MAX_CALLS];
};

/* Of a large product of halves: what the products can reach on this card, clocks as they are. */
static double measure_peak(int major)
{
    struct jc_err err;
    const size_t n = PEAK_SIZE, n_bytes = n * n * JC_STORED_SIZE(0);
    JC_AUTO(jc_cuda_stream) struct jc_cuda_stream *stream = NULL;
    JC_AUTO(jc_cuda_buffer) struct jc_cuda_buffer *buffer = NULL, *random = NULL;
    REQUIRE_OK(jc_cuda_stream_create(major, &stream, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_DEVICE, 3 * n_bytes, &buffer, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_PINNED, 2 * n_bytes, &random, &err));
    struct jc_rng rng = jc_rng_seeded(1);
    for (size_t i = 0; i < 2 * n * n; i++) /* numbers, not zeros: zeros cost less power, and flatter */
        jc_store(jc_cuda_buffer_data(random), i, (float)jc_rng_unit(&rng) - 0.5f, 0);
    char *at = jc_cuda_buffer_data(buffer);
    REQUIRE_OK(jc_cuda_stream_copy(stream, at, jc_cuda_buffer_data(random), 2 * n_bytes, &err));
    const struct jc_cuda_gemm gemm = {
        .matrix = at, .a = at + n_bytes, .c = at + 2 * n_bytes, .rows = n, .n_in = n, .n_out = n};
    double best = 0;
    for (size_t turn = 0; turn < PEAK_TURNS; turn++) {
        REQUIRE_OK(jc_cuda_stream_wait(stream, &err));
        const uint64_t start = jc_clock_ns();
        REQUIRE_OK(jc_cuda_stream_multiply(stream, &gemm, &err));
        REQUIRE_OK(jc_cuda_stream_wait(stream, &err));
        best = fmax(best, 2 * pow((double)n, 3) * 1e9 / (double)(jc_clock_ns() - start));
    }
    return best;
}

/* Of a large copy within the device, whose bytes are read and written. */
static double measure_bandwidth(int major)
{
    struct jc_err err;
    JC_AUTO(jc_cuda_stream) struct jc_cuda_stream *stream = NULL;
    JC_AUTO(jc_cuda_buffer) struct jc_cuda_buffer *buffer = NULL;
    REQUIRE_OK(jc_cuda_stream_create(major, &stream, &err));
    REQUIRE_OK(jc_cuda_buffer_create(JC_CUDA_DEVICE, 2 * (size_t)COPY_SIZE, &buffer, &err));
    char *to = jc_cuda_buffer_data(buffer);
    double best = 0;
    for (size_t turn = 0; turn < PEAK_TURNS; turn++) {
        REQUIRE_OK(jc_cuda_stream_wait(stream, &err));
        const uint64_t start = jc_clock_ns();
        REQUIRE_OK(jc_cuda_stream_copy(stream, to, to + COPY_SIZE, COPY_SIZE, &err));
        REQUIRE_OK(jc_cuda_stream_wait(stream, &err));
        best = fmax(best, 2 * (double)COPY_SIZE * 1e9 / (double)(jc_clock_ns() - start));
    }
    return best;
}

static int compare_times(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Numbers in all layers' matrices: as many multiply-adds does one token take. */
static double count_weights(const struct jc_bert *bert)
{
    const double hidden = (double)bert->hidden, wide = (double)bert->intermediate;
    return (double)bert->layers * (4 * hidden * hidden + 2 * hidden * wide);
}

static void call(struct bench *bench, bool ranks, size_t n)
{
    struct jc_err err;
    const struct jc_cuda_ranking ranking = {
        .k = TOP_N, .hits = bench->hits, .answers = bench->answers, .neighbours = bench->neighbours};
    if (ranks)
        REQUIRE_OK(jc_cuda_lane_rank(bench->lane, bench->scorer, bench->ids, bench->n_tokens, bench->words, n, &ranking,
                                     &err));
    else
        REQUIRE_OK(
            jc_cuda_lane_encode(bench->lane, bench->ids, bench->n_tokens, n, bench->vectors, bench->finite, &err));
}

static void measure(struct bench *bench, bool ranks, size_t n, uint32_t length)
{
    for (size_t i = 0; i < n; i++)
        bench->n_tokens[i] = length;
    for (size_t i = 0; i < WARM_UP; i++)
        call(bench, ranks, n);
    size_t n_calls = 0;
    const uint64_t start = jc_clock_ns(), end = start + (uint64_t)(bench->seconds * 1e9);
    while (n_calls < MAX_CALLS && jc_clock_ns() < end) {
        const uint64_t begun = jc_clock_ns();
        call(bench, ranks, n);
        bench->times[n_calls++] = jc_clock_ns() - begun;
    }
    const double seconds = (double)(jc_clock_ns() - start) / 1e9, rate = (double)(n * n_calls) / seconds;
    qsort(bench->times, n_calls, sizeof *bench->times, compare_times);
    const double weights = count_weights(bench->bert), n_bytes = weights * (double)JC_STORED_SIZE(bench->is_wide);
    printf("{\"what\": \"%s\", \"precision\": \"%s\", \"titles\": %zu, \"tokens\": %u, \"titles_per_s\": %.0f, "
           "\"p50_ms\": %.4f, \"p99_ms\": %.4f, \"share_of_peak\": %.4f, \"share_of_bandwidth\": %.4f}\n",
           ranks ? "whole" : "encode", bench->is_wide ? "f32" : "f16", n, (unsigned)length, rate,
           (double)bench->times[n_calls / 2] / 1e6, (double)bench->times[n_calls * 99 / 100] / 1e6,
           rate * length * 2 * weights / bench->peak, rate / (double)n * n_bytes / bench->bandwidth);
    fflush(stdout);
}

static void run(struct bench *bench, const struct jc_tensor *tensors, size_t n_tensors, bool is_wide)
{
    static const size_t sizes[] = {1, 8, 32, 128, 512, MAX_TITLES};
    static const uint32_t lengths[] = {8, 16, MAX_LENGTH};
    const struct jc_cuda_scorer_source source = jc_scorer_source(bench->head);
    struct jc_err err;
    JC_AUTO(jc_cuda_encoder) struct jc_cuda_encoder *encoder = NULL;
    JC_AUTO(jc_cuda_lane) struct jc_cuda_lane *lane = NULL;
    JC_AUTO(jc_cuda_scorer) struct jc_cuda_scorer *scorer = NULL;
    REQUIRE_OK(jc_cuda_encoder_create(bench->bert, tensors, n_tensors, is_wide, 0, NULL, &encoder, &err));
    REQUIRE_OK(jc_cuda_lane_create(encoder, &lane, &err));
    REQUIRE_OK(jc_cuda_scorer_create(encoder, &source, &scorer, &err));
    bench->lane = lane;
    bench->scorer = scorer;
    bench->is_wide = is_wide;
    for (size_t l = 0; l < JC_COUNT(lengths); l++)
        for (size_t s = 0; s < JC_COUNT(sizes); s++)
            for (int ranks = 0; ranks <= 1; ranks++)
                measure(bench, ranks, sizes[s], lengths[l]);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct jc_err err;
    struct jc_cuda_device device;
    char path[PATH_MAX];
    if (argc != 3 || (bench.seconds = strtod(argv[2], NULL)) <= 0)
        return fprintf(stderr, "usage: bench_gpu MODEL_FOLDER SECONDS\n"), 2;
    if (jc_cuda_count() == 0)
        check_skip("no GPU");
    REQUIRE_OK(jc_cuda_device_get(0, &device, &err));
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL;
    REQUIRE_OK(jc_bundle_load(argv[1], JC_BUNDLE_COMPLETE, &bundle, &err));
    REQUIRE_OK(jc_path_join(path, sizeof path, argv[1], JC_BUNDLE_WEIGHTS, &err));
    REQUIRE_OK(jc_safetensors_open(path, &weights, &err));
    size_t n_tensors;
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n_tensors);
    bench.bert = jc_bundle_bert(bundle);
    bench.head = jc_bundle_head(bundle);
    bench.vectors = calloc(MAX_TITLES * bench.bert->hidden, sizeof *bench.vectors);
    bench.words = calloc(MAX_TITLES * bench.head->lexicon_dim + 1, sizeof *bench.words);
    bench.neighbours = calloc(MAX_TITLES * bench.head->exemplars.k + 1, sizeof *bench.neighbours);
    REQUIRE(bench.vectors && bench.words && bench.neighbours);
    struct jc_rng rng = jc_rng_seeded(2);
    for (size_t i = 0; i < JC_COUNT(bench.ids); i++)
        bench.ids[i] = (int32_t)(jc_rng_next(&rng) % bench.bert->vocab);
    bench.peak = measure_peak(device.major);
    bench.bandwidth = measure_bandwidth(device.major);
    printf("{\"what\": \"card\", \"name\": \"%s\", \"capability\": \"%d.%d\", \"f16_tflops\": %.1f, "
           "\"copy_gb_per_s\": %.0f}\n",
           device.name, device.major, device.minor, bench.peak / 1e12, bench.bandwidth / 1e9);
    run(&bench, tensors, n_tensors, false);
    run(&bench, tensors, n_tensors, true);
    free(bench.vectors);
    free(bench.words);
    free(bench.neighbours);
    return check_finish();
}
