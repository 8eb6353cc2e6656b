/*
 * The TorchScript encoder against BERT written out in plain C and double precision: small random encoders of both
 * poolings, every refusal, and what must not change a vector (the batch, the thread, the file written twice).
 */
#include <limits.h>
#include <pthread.h>

#include "base/file.h"
#include "check.h"
#include "random_bert.h"
#include "torch/torch.h"

static void check_bert(const struct jc_bert *got, const struct jc_bert *want)
{
    CHECK_INT(got->hidden, want->hidden);
    CHECK_INT(got->layers, want->layers);
    CHECK_INT(got->heads, want->heads);
    CHECK_INT(got->intermediate, want->intermediate);
    CHECK_INT(got->vocab, want->vocab);
    CHECK_INT(got->positions, want->positions);
    CHECK_INT(got->types, want->types);
    CHECK_INT(got->max_tokens, want->max_tokens);
    CHECK_INT(got->pooling, want->pooling);
    CHECK(got->layer_norm_eps == want->layer_norm_eps);
    CHECK_STR(got->source_sha256, want->source_sha256);
}

struct work {
    const struct jc_torch_module *module;
    const struct texts *texts;
    const float *want;
    double gap;
};

static void *encode_again(void *context)
{
    struct work *work = context;
    struct jc_err err;
    float vectors[N_TEXTS * MAX_HIDDEN];
    for (int i = 0; i < 5; i++) {
        if (jc_torch_module_encode(work->module, work->texts->ids, work->texts->n_tokens, N_TEXTS, vectors, &err)) {
            work->gap = INFINITY;
            return NULL;
        }
        size_t n = N_TEXTS * jc_torch_module_bert(work->module)->hidden;
        work->gap = fmax(work->gap, measure_gap(vectors, work->want, n));
    }
    return NULL;
}

static void check_threads(const struct jc_torch_module *module, const struct texts *texts, const float *want)
{
    struct work works[3];
    pthread_t threads[3];
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        works[i] = (struct work){.module = module, .texts = texts, .want = want};
        REQUIRE(pthread_create(&threads[i], NULL, encode_again, &works[i]) == 0);
    }
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        pthread_join(threads[i], NULL);
        CHECK(works[i].gap <= 1e-6);
    }
}

static void check_inputs(const struct jc_torch_module *module)
{
    const struct jc_bert *bert = jc_torch_module_bert(module);
    struct jc_err err;
    float vectors[2 * MAX_HIDDEN];
    int32_t ids[MAX_LEN + 2] = {0};
    uint32_t n_tokens[2] = {1, 0};
    CHECK(jc_torch_module_encode(module, ids, n_tokens, 0, vectors, &err) == JC_OK);
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has 0 tokens");
    n_tokens[1] = (uint32_t)bert->max_tokens + 1;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has");
    n_tokens[1] = UINT32_MAX;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has");
    n_tokens[1] = 2;
    ids[2] = (int32_t)bert->vocab;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "token id");
    ids[2] = -1;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "token id -1");
    ids[2] = (int32_t)bert->vocab - 1;
    CHECK(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err) == JC_OK);
}

static void check_encoder(struct checkpoint *c, const char *path)
{
    struct jc_err err;
    struct jc_torch_module *module = NULL;
    REQUIRE_OK(jc_torch_module_write(path, &c->bert, c->tensors, c->n_tensors, &err));
    REQUIRE_OK(jc_torch_module_load(path, &module, &err));
    check_bert(jc_torch_module_bert(module), &c->bert);

    const size_t hidden = c->bert.hidden;
    static struct texts texts;
    static float vectors[N_TEXTS * MAX_HIDDEN];
    fill_texts(&texts, &c->bert, 11);
    REQUIRE_OK(jc_torch_module_encode(module, texts.ids, texts.n_tokens, N_TEXTS, vectors, &err));
    double gap = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        double want[MAX_HIDDEN];
        float alone[MAX_HIDDEN];
        ref_encode(c, texts.ids + texts.starts[i], texts.n_tokens[i], want);
        for (size_t k = 0; k < hidden; k++)
            gap = fmax(gap, fabs(vectors[i * hidden + k] - want[k]));
        REQUIRE_OK(jc_torch_module_encode(module, texts.ids + texts.starts[i], texts.n_tokens + i, 1, alone, &err));
        CHECK(measure_gap(alone, vectors + i * hidden, hidden) <= 1e-6);
    }
    check_report(gap <= 1e-5, __FILE__, __LINE__, "%s: %g from the reference", path, gap);
    check_threads(module, &texts, vectors);
    check_inputs(module);
    jc_torch_module_destroy(module);
}

static void check_same_bytes(struct checkpoint *c, const char *first, const char *second)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf a = {0}, b = {0};
    REQUIRE_OK(jc_torch_module_write(second, &c->bert, c->tensors, c->n_tensors, &err));
    REQUIRE_OK(jc_file_read(first, 1 << 24, &a, &err));
    REQUIRE_OK(jc_file_read(second, 1 << 24, &b, &err));
    CHECK(a.n == b.n && memcmp(a.data, b.data, a.n) == 0);
}

/* A checkpoint that is not what its configuration says: the tensor is named and no file is left. */
static void check_refusals(struct checkpoint *c, const char *path)
{
    struct jc_err err;
    struct jc_tensor *tensor = find_tensor(c, "encoder.layer.1.", "attention.self.key.weight"), kept = *tensor;
    tensor->name = "another";
    CHECK_FAILS(jc_torch_module_write(path, &c->bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT,
                "'encoder.layer.1.attention.self.key.weight' is missing");
    *tensor = kept;
    tensor->shape[0]--;
    CHECK_FAILS(jc_torch_module_write(path, &c->bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT,
                "encoder.layer.1.attention.self.key.weight' is [31, 32], not [32, 32]");
    *tensor = kept;
    tensor->rank = 1;
    CHECK_FAILS(jc_torch_module_write(path, &c->bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "self.key.weight");
    *tensor = kept;
    tensor->dtype = JC_DTYPE_F16;
    CHECK_FAILS(jc_torch_module_write(path, &c->bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "not float32");
    *tensor = kept;
    tensor->n_bytes -= 4;
    CHECK_FAILS(jc_torch_module_write(path, &c->bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "self.key.weight");
    *tensor = kept;
    struct jc_bert bert = c->bert;
    bert.heads = 5;
    CHECK_FAILS(jc_torch_module_write(path, &bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "5 heads");
    bert = c->bert;
    bert.max_tokens = bert.positions + 1;
    CHECK_FAILS(jc_torch_module_write(path, &bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "positions");
    bert = c->bert;
    bert.layers++;
    CHECK_FAILS(jc_torch_module_write(path, &bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "encoder.layer.3.");
    bert = c->bert;
    bert.vocab++;
    CHECK_FAILS(jc_torch_module_write(path, &bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "word_embeddings");
    bert = c->bert;
    bert.layers = 0;
    CHECK_FAILS(jc_torch_module_write(path, &bert, c->tensors, c->n_tensors, &err), JC_E_FORMAT, "size of 0");
    CHECK(!jc_file_exists(path));
    CHECK_FAILS(jc_torch_module_write("/nonexistent/x.pt", &c->bert, c->tensors, c->n_tensors, &err), JC_E_IO,
                "/nonexistent");
}

static void check_bad_files(struct checkpoint *c, const char *good, const char *path)
{
    struct jc_err err;
    struct jc_torch_module *module = NULL;
    CHECK_FAILS(jc_torch_module_load("/nonexistent/encoder.pt", &module, &err), JC_E_NOT_FOUND, "/nonexistent");
    REQUIRE_OK(jc_file_write(path, "not an archive", 14, &err));
    CHECK_FAILS(jc_torch_module_load(path, &module, &err), JC_E_FORMAT, path);

    JC_AUTO_BUF struct jc_buf bytes = {0};
    REQUIRE_OK(jc_file_read(good, 1 << 24, &bytes, &err));
    REQUIRE_OK(jc_file_write(path, bytes.data, bytes.n / 2, &err));
    CHECK_FAILS(jc_torch_module_load(path, &module, &err), JC_E_FORMAT, path);

    float *values = (float *)(uintptr_t)find_values(c, "encoder.layer.1.", "output.dense.bias"), kept = values[3];
    values[3] = NAN;
    REQUIRE_OK(jc_torch_module_write(path, &c->bert, c->tensors, c->n_tensors, &err));
    CHECK_FAILS(jc_torch_module_load(path, &module, &err), JC_E_MODEL, "not finite");
    values[3] = kept;
    CHECK(module == NULL);
}

int main(void)
{
    if (strcmp(jc_torch_version(), "none") == 0)
        check_skip("built without libtorch");
    jc_torch_init();
    char folder[] = "/tmp/jobcode-test-XXXXXX", cls_path[PATH_MAX], mean_path[PATH_MAX], other_path[PATH_MAX];
    REQUIRE(mkdtemp(folder) != NULL);
    snprintf(cls_path, sizeof cls_path, "%s/cls.pt", folder);
    snprintf(mean_path, sizeof mean_path, "%s/mean.pt", folder);
    snprintf(other_path, sizeof other_path, "%s/other.pt", folder);

    struct checkpoint cls = {.bert = {.hidden = 32,
                                      .layers = 3,
                                      .heads = 4,
                                      .intermediate = 64,
                                      .vocab = 50,
                                      .positions = 24,
                                      .types = 2,
                                      .layer_norm_eps = 1e-12,
                                      .pooling = JC_POOLING_CLS,
                                      .max_tokens = 24,
                                      .source_sha256 = "c15"},
                             .prefix = "",
                             .rng = jc_rng_seeded(1)};
    struct checkpoint mean = {.bert = {.hidden = 21,
                                       .layers = 2,
                                       .heads = 3,
                                       .intermediate = 50,
                                       .vocab = 33,
                                       .positions = 30,
                                       .types = 1,
                                       .layer_norm_eps = 1e-3,
                                       .pooling = JC_POOLING_MEAN,
                                       .max_tokens = 20,
                                       .source_sha256 = "3ea"},
                              .prefix = "bert.",
                              .rng = jc_rng_seeded(2)};
    fill_checkpoint(&cls);
    fill_checkpoint(&mean);
    check_refusals(&cls, cls_path);
    check_encoder(&cls, cls_path);
    check_encoder(&mean, mean_path);
    check_same_bytes(&cls, cls_path, other_path);
    check_bad_files(&cls, cls_path, other_path);
    finish_checkpoint(&cls);
    finish_checkpoint(&mean);
    jc_dir_remove(folder);
    return check_finish();
}
