/* The encoder that is a model.safetensors with its files: loaded by its kind in both precisions, shared by threads. */
#include <limits.h>
#include <pthread.h>

#include "artifact/bert_file.h"
#include "artifact/safetensors.h"
#include "base/file.h"
#include "base/sha256.h"
#include "check.h"
#include "dnn/dnn.h"
#include "model/encoder.h"
#include "random_bert.h"

static char weights_path[PATH_MAX], config_path[PATH_MAX], calibration_path[PATH_MAX];

static void write_calibration(const struct checkpoint *c, const struct texts *texts)
{
    struct jc_err err;
    const size_t n = jc_dnn_calibration_size(&c->bert);
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *encoder = NULL;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    JC_AUTO_FREE float *calibration = calloc(n, sizeof *calibration);
    REQUIRE_OK(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_F32, NULL, &encoder, &err));
    REQUIRE_OK(jc_dnn_scratch_create(encoder, &scratch, &err));
    REQUIRE_OK(jc_dnn_encoder_calibrate(encoder, scratch, texts->ids, texts->n_tokens, N_TEXTS, calibration, &err));
    const struct jc_tensor tensor = {.name = "calibration",
                                     .dtype = JC_DTYPE_F32,
                                     .rank = 2,
                                     .shape = {2, n / 2},
                                     .data = calibration,
                                     .n_bytes = n * sizeof *calibration};
    REQUIRE_OK(jc_safetensors_write(calibration_path, &tensor, 1, &err));
}

struct work {
    const struct jc_encoder *encoder;
    const struct texts *texts;
    const float *want;
    double gap;
};

static void *encode_again(void *context)
{
    struct work *work = context;
    struct jc_err err;
    float vectors[N_TEXTS * MAX_HIDDEN];
    for (int i = 0; i < 10; i++) {
        if (jc_encoder_encode(work->encoder, work->texts->ids, work->texts->n_tokens, N_TEXTS, vectors, &err))
            work->gap = INFINITY;
        work->gap = fmax(work->gap, measure_gap(vectors, work->want, N_TEXTS * jc_encoder_info(work->encoder)->dim));
    }
    return NULL;
}

static void check_threads(const struct jc_encoder *encoder, const struct texts *texts, const float *want)
{
    struct work works[4];
    pthread_t threads[4];
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        works[i] = (struct work){.encoder = encoder, .texts = texts, .want = want};
        REQUIRE(pthread_create(&threads[i], NULL, encode_again, &works[i]) == 0);
    }
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        pthread_join(threads[i], NULL);
        CHECK(works[i].gap == 0);
    }
}

static void check_precision(struct checkpoint *c, const struct texts *texts, enum jc_precision precision, double least)
{
    struct jc_err err;
    char sha256[JC_SHA256_HEX];
    static float vectors[N_TEXTS * MAX_HIDDEN];
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(jc_bert_file_write(config_path, &c->bert, precision, &err));
    REQUIRE_OK(jc_encoder_load(JC_ENCODER_SAFETENSORS, weights_path, &encoder, &err));
    const struct jc_encoder_info *info = jc_encoder_info(encoder);
    REQUIRE_OK(jc_sha256_file(weights_path, sha256, &err));
    CHECK_STR(info->kind, JC_ENCODER_SAFETENSORS);
    CHECK_STR(info->source_sha256, sha256);
    CHECK(info->dim == c->bert.hidden && info->vocab == c->bert.vocab && info->max_tokens == c->bert.max_tokens);
    REQUIRE_OK(jc_encoder_encode(encoder, texts->ids, texts->n_tokens, N_TEXTS, vectors, &err));
    double cosine = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        double want[MAX_HIDDEN];
        ref_encode(c, texts->ids + texts->starts[i], texts->n_tokens[i], want);
        for (size_t k = 0; k < info->dim; k++)
            cosine += vectors[i * info->dim + k] * want[k] / N_TEXTS;
    }
    check_report(cosine >= least, __FILE__, __LINE__, "precision %d: the cosine is %g", (int)precision, cosine);
    check_threads(encoder, texts, vectors);
}

static void check_refusals(const struct checkpoint *c)
{
    struct jc_err err;
    struct jc_encoder *encoder = NULL;
    struct jc_bert bert = c->bert;
    CHECK_FAILS(jc_encoder_load(JC_ENCODER_SAFETENSORS, NULL, &encoder, &err), JC_E_INVALID, "needs a file");
    bert.hidden *= 2;
    REQUIRE_OK(jc_bert_file_write(config_path, &bert, JC_PRECISION_F32, &err));
    CHECK_FAILS(jc_encoder_load(JC_ENCODER_SAFETENSORS, weights_path, &encoder, &err), JC_E_FORMAT, "word_embeddings");
    bert = c->bert;
    bert.layers = 1;
    REQUIRE_OK(jc_bert_file_write(config_path, &bert, JC_PRECISION_INT8, &err));
    CHECK_FAILS(jc_encoder_load(JC_ENCODER_SAFETENSORS, weights_path, &encoder, &err), JC_E_FORMAT, "calibration");
    REQUIRE_OK(jc_bert_file_write(config_path, &c->bert, JC_PRECISION_INT8, &err));
    REQUIRE(remove(calibration_path) == 0);
    CHECK_FAILS(jc_encoder_load(JC_ENCODER_SAFETENSORS, weights_path, &encoder, &err), JC_E_NOT_FOUND,
                "calibration.safetensors");
    REQUIRE(remove(config_path) == 0);
    CHECK_FAILS(jc_encoder_load(JC_ENCODER_SAFETENSORS, weights_path, &encoder, &err), JC_E_NOT_FOUND, JC_BERT_FILE);
    CHECK(encoder == NULL);
}

int main(void)
{
    struct jc_err err;
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
    static struct texts texts;
    char folder[] = "/tmp/jobcode-test-XXXXXX";
    REQUIRE(mkdtemp(folder) != NULL);
    REQUIRE_OK(jc_path_join(weights_path, PATH_MAX, folder, "model.safetensors", &err));
    REQUIRE_OK(jc_path_join(config_path, PATH_MAX, folder, JC_BERT_FILE, &err));
    REQUIRE_OK(jc_path_join(calibration_path, PATH_MAX, folder, "calibration.safetensors", &err));
    fill_checkpoint(&c);
    fill_texts(&texts, &c.bert, 12);
    REQUIRE_OK(jc_safetensors_write(weights_path, c.tensors, c.n_tensors, &err));
    write_calibration(&c, &texts);
    check_precision(&c, &texts, JC_PRECISION_F32, 1 - 1e-7);
    check_precision(&c, &texts, JC_PRECISION_INT8, 0.999);
    check_refusals(&c);
    finish_checkpoint(&c);
    jc_dir_remove(folder);
    return check_finish();
}
