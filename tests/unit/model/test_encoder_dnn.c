/*
 * A bert encoder from its model.safetensors: on both backends, in both precisions, shared by threads; what it tells of
 * itself, what its calibration is, and every refusal of the registry.
 */
#include <limits.h>
#include <pthread.h>

#include "artifact/safetensors.h"
#include "base/file.h"
#include "check.h"
#include "dnn/dnn.h"
#include "model/encoder.h"
#include "model/runtime.h"
#include "random_bert.h"
#include "torch/torch.h"

static const struct jc_encoder_options f32 = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_F32},
                                       int8 = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_INT8},
                                       torch = {.backend = JC_BACKEND_TORCH, .precision = JC_PRECISION_F32},
                                       torch_int8 = {.backend = JC_BACKEND_TORCH, .precision = JC_PRECISION_INT8};

static struct jc_err err;
static char weights_path[PATH_MAX];
static struct texts texts;

static struct jc_encoder *load(const struct jc_encoder_source *source, const struct jc_encoder_options *options)
{
    struct jc_encoder *encoder = NULL;
    REQUIRE_OK(jc_encoder_load(source, options, &encoder, &err));
    return encoder;
}

struct work {
    const struct jc_encoder *encoder;
    const float *want;
    double gap;
};

static void *encode_again(void *context)
{
    struct work *work = context;
    struct jc_err error;
    float vectors[N_TEXTS * MAX_HIDDEN];
    for (int i = 0; i < 10; i++) {
        if (jc_encoder_encode(work->encoder, texts.ids, texts.n_tokens, N_TEXTS, vectors, &error))
            work->gap = INFINITY;
        work->gap = fmax(work->gap, measure_gap(vectors, work->want, N_TEXTS * jc_encoder_info(work->encoder)->dim));
    }
    return NULL;
}

static void check_threads(const struct jc_encoder *encoder, const float *want)
{
    struct work works[4];
    pthread_t threads[4];
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        works[i] = (struct work){.encoder = encoder, .want = want};
        REQUIRE(pthread_create(&threads[i], NULL, encode_again, &works[i]) == 0);
    }
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        pthread_join(threads[i], NULL);
        CHECK(works[i].gap == 0);
    }
}

static void check_info(const struct jc_encoder_info *info, const struct jc_bert *bert,
                       const struct jc_encoder_options *options)
{
    CHECK_STR(info->kind, JC_ENCODER_BERT);
    CHECK_STR(info->backend, options->backend == JC_BACKEND_TORCH ? "torch" : "onednn");
    CHECK_STR(info->precision, options->precision == JC_PRECISION_INT8 ? "int8" : "f32");
    CHECK_STR(info->source_sha256, bert->source_sha256);
    CHECK_INT(strlen(info->vectors_sha256), JC_SHA256_HEX - 1);
    CHECK(info->dim == bert->hidden && info->vocab == bert->vocab && info->max_tokens == bert->max_tokens);
}

static void check_encoder(struct checkpoint *c, const struct jc_encoder_source *source,
                          const struct jc_encoder_options *options, double least)
{
    static float vectors[N_TEXTS * MAX_HIDDEN];
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = load(source, options);
    const struct jc_encoder_info *info = jc_encoder_info(encoder);
    check_info(info, &c->bert, options);
    REQUIRE_OK(jc_encoder_encode(encoder, NULL, NULL, 0, NULL, &err));
    REQUIRE_OK(jc_encoder_encode(encoder, texts.ids, texts.n_tokens, N_TEXTS, vectors, &err));
    double cosine = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        double want[MAX_HIDDEN];
        ref_encode(c, texts.ids + texts.starts[i], texts.n_tokens[i], want);
        for (size_t k = 0; k < info->dim; k++)
            cosine += vectors[i * info->dim + k] * want[k] / N_TEXTS;
    }
    check_report(cosine >= least, __FILE__, __LINE__, "%s, %s: the cosine is %g", info->backend, info->precision,
                 cosine);
    check_threads(encoder, vectors);
    const int32_t id = (int32_t)c->bert.vocab;
    CHECK_FAILS(jc_encoder_encode(encoder, &id, (const uint32_t[]){1}, 1, vectors, &err), JC_E_INVALID, "token id");
}

/* The same as the encoder underneath gives, and the caller's own. */
static void check_calibration(const struct checkpoint *c, const struct jc_encoder *encoder, float **ret_calibration,
                              size_t *ret_n)
{
    const size_t n = jc_bert_calibration_size(&c->bert);
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *dnn = NULL;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    JC_AUTO_FREE float *want = calloc(n, sizeof *want);
    REQUIRE_OK(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_F32, NULL, &dnn, &err));
    REQUIRE_OK(jc_dnn_scratch_create(dnn, &scratch, &err));
    REQUIRE_OK(jc_dnn_encoder_calibrate(dnn, scratch, texts.ids, texts.n_tokens, N_TEXTS, want, &err));
    REQUIRE_OK(jc_encoder_calibrate(encoder, texts.ids, texts.n_tokens, N_TEXTS, ret_calibration, ret_n, &err));
    REQUIRE(*ret_n == n);
    CHECK(memcmp(*ret_calibration, want, n * sizeof *want) == 0);

    float *none = NULL;
    size_t n_none = 99;
    const int32_t id = -1;
    CHECK_FAILS(jc_encoder_calibrate(encoder, &id, (const uint32_t[]){1}, 1, &none, &n_none, &err), JC_E_INVALID,
                "token id -1");
    CHECK(none == NULL && n_none == 99);
}

static void check_refused(const struct jc_encoder_source *source, const struct jc_encoder_options *options,
                          jc_code want, const char *text)
{
    struct jc_encoder *encoder = NULL;
    CHECK_FAILS(jc_encoder_load(source, options, &encoder, &err), want, text);
    CHECK(encoder == NULL);
}

static void check_refusals(const struct jc_encoder_source *good)
{
    struct jc_encoder_source source = *good;
    struct jc_bert bert = *good->bert;
    source.kind = "bert-torchscript";
    check_refused(&source, NULL, JC_E_UNSUPPORTED, "encoder kind 'bert-torchscript' is unknown: 'bert' or 'fake'");
    source.kind = "";
    check_refused(&source, NULL, JC_E_UNSUPPORTED, "encoder kind '' is unknown");
    check_refused(good, &torch_int8, JC_E_UNSUPPORTED, "encoder.precision int8 needs encoder.backend onednn");

    source = *good;
    source.calibration = NULL;
    check_refused(&source, &int8, JC_E_INVALID, "int8 needs a calibration, and the model has none");
    CHECK_CONTAINS(err.text, weights_path);
    source = *good;
    source.n_calibration--;
    check_refused(&source, &int8, JC_E_INVALID, "a calibration of ");
    source.n_calibration += 2;
    check_refused(&source, &int8, JC_E_INVALID, "a calibration of ");

    source = *good;
    source.bert = &bert;
    bert.hidden *= 2;
    check_refused(&source, NULL, JC_E_FORMAT, "word_embeddings");
    CHECK_CONTAINS(err.text, weights_path);
    bert = *good->bert;
    bert.heads = 0;
    check_refused(&source, &int8, JC_E_FORMAT, "size of 0");
    bert = *good->bert;
    bert.hidden = bert.layers = SIZE_MAX / 2; /* no calibration of that size is computed */
    check_refused(&source, &int8, JC_E_FORMAT, "over");

    source = *good;
    source.weights = "/nonexistent/model.safetensors";
    check_refused(&source, NULL, JC_E_NOT_FOUND, "/nonexistent/model.safetensors");
    char other[PATH_MAX + 8];
    snprintf(other, sizeof other, "%s.other", weights_path);
    REQUIRE_OK(jc_file_write(other, "no tensors", 10, &err));
    source.weights = other;
    check_refused(&source, NULL, JC_E_FORMAT, other);
    REQUIRE(remove(other) == 0);
}

static void check_not_calibrated(const struct jc_encoder_source *source, const struct jc_encoder_options *options,
                                 const char *text)
{
    float *calibration = NULL;
    size_t n;
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = load(source, options);
    CHECK_FAILS(jc_encoder_calibrate(encoder, texts.ids, texts.n_tokens, 1, &calibration, &n, &err), JC_E_UNSUPPORTED,
                text);
    CHECK(calibration == NULL);
}

/* vectors_sha256: what a cache of vectors is told by. */
static void identify(const struct jc_encoder_source *source, const struct jc_encoder_options *options,
                     char ret_sha256[JC_SHA256_HEX])
{
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = load(source, options);
    memcpy(ret_sha256, jc_encoder_info(encoder)->vectors_sha256, JC_SHA256_HEX);
}

static void check_identities(const struct jc_encoder_source *good, bool has_torch)
{
    enum { PLAIN, SMALL, RECALIBRATED, POOLED, OTHER_HEADS, OTHER_EPS, OTHER_WEIGHTS, FAKE, N };
    char sha256[N][JC_SHA256_HEX], again[JC_SHA256_HEX];
    struct jc_encoder_source source = *good;
    struct jc_bert bert = *good->bert;
    JC_AUTO_FREE float *calibration = calloc(good->n_calibration, sizeof *calibration);
    REQUIRE(calibration);
    identify(good, NULL, sha256[PLAIN]);
    identify(good, &f32, again);
    CHECK_STR(again, sha256[PLAIN]);
    identify(good, &int8, sha256[SMALL]);
    identify(good, &int8, again);
    CHECK_STR(again, sha256[SMALL]);
    source.calibration = NULL; /* plays no part in f32 */
    identify(&source, &f32, again);
    CHECK_STR(again, sha256[PLAIN]);
    if (has_torch) {
        identify(good, &torch, again);
        CHECK_STR(again, sha256[PLAIN]);
    }
    memcpy(calibration, good->calibration, good->n_calibration * sizeof *calibration);
    calibration[1] *= 2;
    source.calibration = calibration;
    identify(&source, &int8, sha256[RECALIBRATED]);
    source = *good;
    source.bert = &bert;
    bert.pooling = JC_POOLING_CLS;
    identify(&source, &f32, sha256[POOLED]);
    bert = *good->bert;
    bert.heads /= 2;
    identify(&source, &f32, sha256[OTHER_HEADS]);
    bert = *good->bert;
    bert.layer_norm_eps *= 2;
    identify(&source, &f32, sha256[OTHER_EPS]);
    bert = *good->bert;
    memset(bert.source_sha256, '0', JC_SHA256_HEX - 1);
    identify(&source, &f32, sha256[OTHER_WEIGHTS]);
    source.kind = JC_ENCODER_FAKE;
    identify(&source, &torch_int8, sha256[FAKE]); /* has neither backends nor precisions */
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++)
            check_report(strcmp(sha256[i], sha256[j]) != 0, __FILE__, __LINE__, "%zu and %zu are the same", i, j);
}

int main(void)
{
    struct checkpoint c = {.bert = {.hidden = 32,
                                    .layers = 2,
                                    .heads = 4,
                                    .intermediate = 64,
                                    .vocab = 50,
                                    .positions = 24,
                                    .types = 2,
                                    .layer_norm_eps = 1e-9,
                                    .pooling = JC_POOLING_MEAN,
                                    .max_tokens = 24},
                           .prefix = "",
                           .rng = jc_rng_seeded(4)};
    const bool has_torch = strcmp(jc_torch_version(), "none") != 0;
    char folder[] = "/tmp/jobcode-test-XXXXXX";
    jc_runtime_init();
    REQUIRE(mkdtemp(folder) != NULL);
    REQUIRE_OK(jc_path_join(weights_path, PATH_MAX, folder, "model.safetensors", &err));
    fill_checkpoint(&c);
    fill_texts(&texts, &c.bert, 12);
    REQUIRE_OK(jc_safetensors_write(weights_path, c.tensors, c.n_tensors, &err));
    REQUIRE_OK(jc_sha256_file(weights_path, c.bert.source_sha256, &err));

    struct jc_encoder_source source = {.kind = JC_ENCODER_BERT, .bert = &c.bert, .weights = weights_path};
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = load(&source, NULL);
    JC_AUTO_FREE float *calibration = NULL;
    check_info(jc_encoder_info(encoder), &c.bert, &f32);
    check_calibration(&c, encoder, &calibration, &source.n_calibration);
    source.calibration = calibration;
    check_encoder(&c, &source, &f32, 1 - 1e-7);
    check_encoder(&c, &source, &int8, 0.999);
    if (has_torch)
        check_encoder(&c, &source, &torch, 1 - 1e-7);
    else
        check_refused(&source, &torch, JC_E_UNSUPPORTED, "this build has no libtorch");
    check_refusals(&source);
    check_not_calibrated(&source, &int8, "an encoder is calibrated in f32");
    check_not_calibrated(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, "fake has no calibration");
    if (has_torch)
        check_not_calibrated(&source, &torch, "torch has no calibration");
    check_identities(&source, has_torch);
    finish_checkpoint(&c);
    jc_dir_remove(folder);
    return check_finish();
}
