/*
 * The encoders side by side on the same titles, one thread: what oneDNN's products give at their best on this core,
 * then ours in float32 and in 8 bits and, where the build has it, libtorch's by turns, so that all see the same
 * machine.
 *     bench_encoders WEIGHTS_DIR TITLES SECONDS
 * Prints a JSON object an encoder: titles a second in batches of 64, latency of one title at a time, and the part of
 * the products' best rate that the batches reach. WEIGHTS_DIR has model.safetensors of all-MiniLM-L6-v2 and vocab.txt;
 * with `--ids FILE` for SECONDS the tokens are written as JSON lines for bench_peers.py instead.
 */
#include <limits.h>
#include <string.h>

#include "artifact/safetensors.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"
#include "dnn/dnn.h"
#include "linalg/linalg.h"
#include "text/tokenizer.h"
#include "torch/torch.h"

enum { BATCH = 64, MAX_TITLES_BYTES = 64 << 20, TURNS = 5, N_SINGLES = 1000, CALIBRATION = 1000, MAX_ENCODERS = 3 };

static const struct jc_bert shape = {.hidden = 384,
                                     .layers = 6,
                                     .heads = 12,
                                     .intermediate = 1536,
                                     .vocab = 30522,
                                     .positions = 512,
                                     .types = 2,
                                     .layer_norm_eps = 1e-12,
                                     .pooling = JC_POOLING_MEAN,
                                     .max_tokens = 256};

struct titles {
    size_t n;
    int32_t *ids;
    uint32_t *n_tokens; /* [n] */
    size_t *starts;     /* [n + 1] */
};

struct encoder {
    const char *name;
    struct jc_dnn_encoder *dnn; /* or NULL: torch */
    struct jc_dnn_scratch *scratch;
    struct jc_torch_module *torch;
    double peak; /* operations a second of the bare products */
    double rate; /* titles a second, the best turn */
    uint64_t singles[N_SINGLES];
};

static jc_code fail_nomem(struct jc_err *err)
{
    return jc_fail(err, JC_E_NOMEM, "out of memory");
}

static jc_code load_titles(const char *folder, const char *path, struct titles *titles, struct jc_err *err)
{
    char vocab[PATH_MAX];
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = NULL;
    JC_AUTO_BUF struct jc_buf text = {0}, ids = {0};
    jc_code code;
    if ((code = jc_path_join(vocab, sizeof vocab, folder, "vocab.txt", err)) ||
        (code = jc_tokenizer_load(vocab, shape.max_tokens, &tokenizer, err)) ||
        (code = jc_file_read(path, MAX_TITLES_BYTES, &text, err)))
        return code;
    titles->n_tokens = calloc(text.n + 1, sizeof *titles->n_tokens);
    titles->starts = calloc(text.n + 2, sizeof *titles->starts);
    if (!titles->n_tokens || !titles->starts)
        return fail_nomem(err);
    for (char *rest = text.data, *line; (line = strsep(&rest, "\n"));) {
        int32_t tokens[512];
        size_t n;
        if (!*line)
            continue;
        if ((code = jc_tokenizer_encode(tokenizer, line, strlen(line), 1, tokens, &n, err)))
            return code;
        jc_buf_put(&ids, tokens, n * sizeof *tokens);
        titles->n_tokens[titles->n++] = (uint32_t)n;
        titles->starts[titles->n] = titles->starts[titles->n - 1] + n;
    }
    if (titles->n < CALIBRATION)
        return jc_fail(err, JC_E_INVALID, "%s has %zu titles, not %d", path, titles->n, CALIBRATION);
    if ((code = jc_buf_check(&ids, err)))
        return code;
    titles->ids = (int32_t *)(void *)jc_buf_take(&ids);
    return JC_OK;
}

static jc_code write_ids(const struct titles *titles, const char *path, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    for (size_t i = 0; i < titles->n; i++)
        for (size_t t = titles->starts[i]; t < titles->starts[i + 1]; t++)
            jc_buf_printf(&text, "%s%d%s", t == titles->starts[i] ? "[" : ",", (int)titles->ids[t],
                          t + 1 == titles->starts[i + 1] ? "]\n" : "");
    jc_code code = jc_buf_check(&text, err);
    return code ? code : jc_file_write(path, text.data, text.n, err);
}

/* Multiply-adds of one token in all layers' products, twice. */
static double operations(void)
{
    const double hidden = (double)shape.hidden, wide = (double)shape.intermediate;
    return 2 * (double)shape.layers * (4 * hidden * hidden + 2 * hidden * wide);
}

/* The four products of a layer at 64 rows, over one layer's weights that stay in the cache. */
static jc_code measure_peak(enum jc_precision precision, double *ret_rate, struct jc_err *err)
{
    const size_t hidden = shape.hidden, wide = shape.intermediate;
    const struct jc_dnn_shape shapes[] = {{precision, hidden, 3 * hidden},
                                          {precision, hidden, hidden},
                                          {precision, hidden, wide},
                                          {precision, wide, hidden}};
    JC_AUTO(jc_dnn_gemms) struct jc_dnn_gemms *gemms = NULL;
    JC_AUTO(jc_dnn_queue) struct jc_dnn_queue *queue = NULL;
    struct jc_dnn_matrix *matrices[4] = {NULL};
    JC_AUTO_FREE void *memory = aligned_alloc(64, 3 * hidden * wide * sizeof(float));
    if (!memory)
        return fail_nomem(err);
    memset(memory, 0, 3 * hidden * wide * sizeof(float));
    char *from = memory, *to = from + hidden * wide * sizeof(float);
    jc_code code = jc_dnn_gemms_create(shapes, 4, &gemms, err);
    if (!code)
        code = jc_dnn_queue_create(gemms, &queue, err);
    for (size_t i = 0; i < 4 && !code; i++)
        code = jc_dnn_matrix_create(gemms, i, memory, &matrices[i], err);
    double best = 0;
    for (int turn = 0; turn < 200 && !code; turn++) {
        const uint64_t start = jc_clock_ns();
        for (size_t i = 0; i < 4 && !code; i++)
            code = jc_dnn_queue_run(queue, i, matrices[i], from, JC_DNN_CHUNK, to, err);
        const double rate = operations() / (double)shape.layers * JC_DNN_CHUNK * 1e9 / (double)(jc_clock_ns() - start);
        best = rate > best ? rate : best;
    }
    for (size_t i = 0; i < 4; i++)
        jc_dnn_matrix_destroy(matrices[i]);
    *ret_rate = best;
    return code;
}

static jc_code encode(const struct encoder *encoder, const struct titles *titles, size_t first, size_t n,
                      float *vectors, struct jc_err *err)
{
    const int32_t *ids = titles->ids + titles->starts[first];
    const uint32_t *n_tokens = titles->n_tokens + first;
    return encoder->dnn ? jc_dnn_encoder_encode(encoder->dnn, encoder->scratch, ids, n_tokens, n, vectors, err)
                        : jc_torch_module_encode(encoder->torch, ids, n_tokens, n, vectors, err);
}

static jc_code run_batches(struct encoder *encoder, const struct titles *titles, uint64_t duration_ns, float *vectors,
                           struct jc_err *err)
{
    const size_t n_batches = titles->n / BATCH;
    const uint64_t start = jc_clock_ns();
    size_t done = 0;
    jc_code code = JC_OK;
    for (; !code && jc_clock_ns() - start < duration_ns; done++)
        code = encode(encoder, titles, done % n_batches * BATCH, BATCH, vectors, err);
    const double rate = (double)(done * BATCH) * 1e9 / (double)(jc_clock_ns() - start);
    encoder->rate = rate > encoder->rate ? rate : encoder->rate;
    return code;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static jc_code measure(struct encoder *encoders, size_t n, const struct titles *titles, uint64_t seconds,
                       struct jc_err *err)
{
    JC_AUTO_FREE float *vectors = calloc(BATCH * shape.hidden, sizeof *vectors);
    jc_code code = vectors ? JC_OK : fail_nomem(err);
    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < n && !code; i++)
            code = run_batches(&encoders[i], titles, seconds * JC_NS_PER_S / TURNS, vectors, err);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < N_SINGLES && !code; k++) {
            const uint64_t start = jc_clock_ns();
            code = encode(&encoders[i], titles, k * 3 % titles->n, 1, vectors, err);
            encoders[i].singles[k] = jc_clock_ns() - start;
        }
        qsort(encoders[i].singles, N_SINGLES, sizeof(uint64_t), compare);
    }
    return code;
}

static void print(const struct encoder *encoder, const struct titles *titles)
{
    const double tokens = (double)titles->starts[titles->n] / (double)titles->n;
    printf("{\"encoder\":\"%s\",\"tokens_mean\":%.2f,\"batch\":%d,\"titles_per_s\":%.1f,\"single_p50_ms\":%.3f,"
           "\"single_p99_ms\":%.3f,\"gemm_peak_gops\":%.1f,\"share_of_peak\":%.3f}\n",
           encoder->name, tokens, BATCH, encoder->rate, (double)encoder->singles[N_SINGLES / 2] / 1e6,
           (double)encoder->singles[N_SINGLES * 99 / 100] / 1e6, encoder->peak / 1e9,
           encoder->rate * tokens * operations() / encoder->peak);
}

static jc_code create_ours(const struct jc_safetensors *weights, const struct titles *titles, struct encoder *encoders,
                           struct jc_err *err)
{
    size_t n;
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n);
    JC_AUTO_FREE float *calibration = calloc(jc_bert_calibration_size(&shape), sizeof *calibration);
    jc_code code;
    if (!calibration)
        return fail_nomem(err);
    if ((code = jc_dnn_encoder_create(&shape, tensors, n, JC_PRECISION_F32, NULL, &encoders[0].dnn, err)) ||
        (code = jc_dnn_scratch_create(encoders[0].dnn, &encoders[0].scratch, err)) ||
        (code = jc_dnn_encoder_calibrate(encoders[0].dnn, encoders[0].scratch, titles->ids, titles->n_tokens,
                                         CALIBRATION, calibration, err)) ||
        (code = jc_dnn_encoder_create(&shape, tensors, n, JC_PRECISION_INT8, calibration, &encoders[1].dnn, err)) ||
        (code = jc_dnn_scratch_create(encoders[1].dnn, &encoders[1].scratch, err)))
        return code;
    return JC_OK;
}

static jc_code create_torch(const struct jc_safetensors *weights, struct encoder *encoder, struct jc_err *err)
{
    size_t n;
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n);
    return jc_torch_module_create(&shape, tensors, n, &encoder->torch, err);
}

static jc_code run(char **argv, struct jc_err *err)
{
    static struct encoder encoders[MAX_ENCODERS] = {{.name = "f32"}, {.name = "int8"}, {.name = "torch"}};
    struct titles titles = {0};
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL;
    char path[PATH_MAX];
    uint64_t seconds = 0;
    jc_code code = load_titles(argv[1], argv[2], &titles, err);
    if (!code && strcmp(argv[3], "--ids") == 0)
        return write_ids(&titles, argv[4], err);
    const bool has_torch = strcmp(jc_torch_version(), "none") != 0;
    const size_t n = has_torch ? 3 : 2;
    if (code || (code = jc_parse_u64(argv[3], &seconds, err)) ||
        (code = jc_path_join(path, sizeof path, argv[1], "model.safetensors", err)) ||
        (code = jc_safetensors_open(path, &weights, err)) || (code = create_ours(weights, &titles, encoders, err)) ||
        (has_torch && (code = create_torch(weights, &encoders[2], err))) ||
        (code = measure_peak(JC_PRECISION_F32, &encoders[0].peak, err)) ||
        (code = measure_peak(JC_PRECISION_INT8, &encoders[1].peak, err)))
        return code;
    encoders[2].peak = encoders[0].peak;
    if ((code = measure(encoders, n, &titles, seconds, err)))
        return code;
    for (size_t i = 0; i < n; i++) {
        print(&encoders[i], &titles);
        jc_dnn_scratch_destroy(encoders[i].scratch);
        jc_dnn_encoder_destroy(encoders[i].dnn);
    }
    if (has_torch)
        jc_torch_module_destroy(encoders[2].torch);
    free(titles.ids);
    free(titles.n_tokens);
    free(titles.starts);
    return JC_OK;
}

int main(int argc, char **argv)
{
    if (argc != (argc > 3 && strcmp(argv[3], "--ids") == 0 ? 5 : 4)) {
        fputs("usage: bench_encoders WEIGHTS_DIR TITLES SECONDS\n"
              "       bench_encoders WEIGHTS_DIR TITLES --ids FILE\n",
              stderr);
        return 2;
    }
    jc_torch_init();
    jc_linalg_init(); /* libtorch multiplies by the same BLAS */
    struct jc_err err;
    if (run(argv, &err) != JC_OK) {
        fprintf(stderr, "bench_encoders: %s\n", err.text);
        return 1;
    }
    return 0;
}
