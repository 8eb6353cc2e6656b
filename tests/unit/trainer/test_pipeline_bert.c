/* Runs over a checkpoint's folder of a small random encoder: what is published carries the encoder, its calibration and
 * the prefix, loads in both precisions, and is the same when made again; training in int8; what the folder lacks. */
#include <limits.h>

#include "artifact/safetensors.h"
#include "random_bert.h"
#include "tiny_run.h"

#include "model/classifier.h"
#include "model/runtime.h"

static const struct jc_encoder_options int8 = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_INT8};

/* The shape of config.json below; the vocabulary is small_model.h's. */
static struct checkpoint checkpoint = {.bert = {.hidden = 32,
                                                .layers = 2,
                                                .heads = 4,
                                                .intermediate = 64,
                                                .vocab = 97,
                                                .positions = 24,
                                                .types = 2,
                                                .layer_norm_eps = 1e-12,
                                                .pooling = JC_POOLING_MEAN,
                                                .max_tokens = 24},
                                       .prefix = "bert."};
static const char config_json[] =
    "{\"model_type\":\"bert\",\"hidden_size\":32,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
    "\"intermediate_size\":64,\"vocab_size\":97,\"max_position_embeddings\":24,\"type_vocab_size\":2}";

static char rows[PATH_MAX];

static jc_code fit(const struct tiny *tiny)
{
    const struct jc_run_request request = {.kind = JC_RUN_FIT, .config = &tiny->config};
    enum jc_verdict verdict;
    return jc_run_execute(&request, &verdict, &err);
}

static void init(struct tiny *tiny, const char *output)
{
    tiny_init(tiny, rows, output);
    tiny->config.encoder.kind = JC_ENCODER_BERT;
    tiny->config.encoder.name = "random";
    tiny->config.method = "average";
}

static void check_loads(const char *path, const struct jc_encoder_options *options, const char *precision)
{
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    REQUIRE_OK(jc_classifier_load(path, options, &classifier, &err));
    CHECK_STR(jc_classifier_encoder(classifier)->kind, JC_ENCODER_BERT);
    CHECK_STR(jc_classifier_encoder(classifier)->precision, precision);
}

static void test_fit(void)
{
    TINY tiny;
    char version[100], sha256[JC_SHA256_HEX];
    init(&tiny, "model");
    tiny.config.encoder.prefix = "w39:";
    REQUIRE_OK(fit(&tiny));
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL, *again = NULL;
    REQUIRE_OK(jc_bundle_load(tiny.output, JC_BUNDLE_COMPLETE, &bundle, &err));
    const struct jc_manifest *manifest = jc_bundle_manifest(bundle);
    REQUIRE_OK(jc_sha256_file(path_of(JC_BUNDLE_WEIGHTS), sha256, &err));
    CHECK_STR(manifest->encoder.source_sha256, sha256);
    CHECK_STR(manifest->encoder.prefix, "w39:");
    CHECK_INT(manifest->encoder.max_tokens, 24);
    CHECK_INT(jc_bundle_bert(bundle)->pooling, JC_POOLING_MEAN);
    size_t n;
    CHECK(jc_bundle_calibration(bundle, &n) && n > 0);
    check_loads(tiny.output, NULL, "f32");
    check_loads(tiny.output, &int8, "int8");

    snprintf(version, sizeof version, "%s", manifest->version);
    REQUIRE_OK(fit(&tiny));
    REQUIRE_OK(jc_bundle_load(tiny.output, JC_BUNDLE_COMPLETE, &again, &err));
    CHECK_STR(jc_bundle_manifest(again)->version, version);
    jc_dir_remove(tiny.output);
}

/* Other vectors, so another head; the calibration is that of the encoder in f32 all the same. */
static void test_fit_int8(void)
{
    TINY plain, small;
    JC_AUTO(jc_bundle) struct jc_bundle *a = NULL, *b = NULL;
    init(&plain, "plain");
    init(&small, "small");
    small.config.encoder.precision = JC_PRECISION_INT8;
    REQUIRE_OK(fit(&plain));
    REQUIRE_OK(fit(&small));
    REQUIRE_OK(jc_bundle_load(plain.output, JC_BUNDLE_COMPLETE, &a, &err));
    REQUIRE_OK(jc_bundle_load(small.output, JC_BUNDLE_COMPLETE, &b, &err));
    size_t n_a, n_b;
    const float *values_a = jc_bundle_calibration(a, &n_a), *values_b = jc_bundle_calibration(b, &n_b);
    REQUIRE(values_a && values_b && n_a == n_b);
    CHECK(memcmp(values_a, values_b, n_a * sizeof *values_a) == 0);
    const struct jc_head *head_a = jc_bundle_head(a), *head_b = jc_bundle_head(b);
    double gap = measure_gap(head_a->matrix, head_b->matrix, head_a->n_categories * head_a->dim);
    CHECK(gap > 0 && gap < 0.1);
    check_loads(small.output, &int8, "int8");
    jc_dir_remove(plain.output);
    jc_dir_remove(small.output);
}

static void test_portable(void)
{
    TINY tiny;
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    init(&tiny, "portable");
    tiny.config.portable = true;
    REQUIRE_OK(fit(&tiny));
    REQUIRE_OK(jc_bundle_load(tiny.output, JC_BUNDLE_PORTABLE, &bundle, &err));
    size_t n;
    CHECK(jc_bundle_bert(bundle) && jc_bundle_calibration(bundle, &n));
    CHECK(jc_manifest_find_file(jc_bundle_manifest(bundle), JC_BUNDLE_WEIGHTS) != NULL);
    struct jc_bundle *complete = NULL;
    CHECK_FAILS(jc_bundle_load(tiny.output, JC_BUNDLE_COMPLETE, &complete, &err), JC_E_NOT_FOUND, "No such file");
    jc_dir_remove(tiny.output);
}

static void test_errors(void)
{
    TINY tiny;
    init(&tiny, "none");
    tiny.config.encoder.backend = JC_BACKEND_TORCH;
    tiny.config.encoder.precision = JC_PRECISION_INT8;
    CHECK_FAILS(fit(&tiny), JC_E_UNSUPPORTED, "open: encoder.precision int8 needs encoder.backend onednn");
    tiny.config.encoder.backend = JC_BACKEND_ONEDNN;
    tiny.config.encoder.precision = JC_PRECISION_F32;
    tiny.config.encoder.max_tokens = 25;
    CHECK_FAILS(fit(&tiny), JC_E_INVALID, "encoder.max_tokens is 25, the encoder takes 24");
    tiny.config.encoder.max_tokens = 0;
    tiny.config.encoder.prefix = "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11";
    CHECK_FAILS(fit(&tiny), JC_E_INVALID, "more than half of the 24 tokens");
    tiny.config.encoder.prefix = "";
    tiny.config.encoder.weights = "/nonexistent";
    CHECK_FAILS(fit(&tiny), JC_E_NOT_FOUND, "/nonexistent/config.json");
    CHECK(!jc_file_exists(tiny.output));
}

int main(void)
{
    jc_runtime_init();
    REQUIRE(mkdtemp(folder));
    checkpoint.rng = jc_rng_seeded(9);
    fill_checkpoint(&checkpoint);
    write_text("config.json", config_json);
    REQUIRE_OK(jc_safetensors_write(path_of(JC_BUNDLE_WEIGHTS), checkpoint.tensors, checkpoint.n_tensors, &err));
    snprintf(rows, sizeof rows, "%s", tiny_write("rows.csv", 0, TINY_TRAIN));
    test_fit();
    test_fit_int8();
    test_portable();
    test_errors();
    finish_checkpoint(&checkpoint);
    jc_dir_remove(folder);
    return check_finish();
}
