/* Bundles with an encoder: its shape, calibration and weights; portable without weights, and completed with them. */
#include <unistd.h>

#include "bundle_files.h"

enum { DIM = 4, N = 3 };

static char weights[PATH_MAX]; /* not in the bundle */
static const float embeddings[N * DIM] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.6f, -0.8f};
static struct jc_head head; /* of these embeddings */
static const struct jc_category categories[N] = {{"a", "A"}, {"b", "B"}, {"c", "C"}};
static struct jc_bert bert = {.hidden = DIM,
                              .layers = 1,
                              .heads = 2,
                              .intermediate = 8,
                              .vocab = 2,
                              .positions = 16,
                              .types = 2,
                              .layer_norm_eps = 1e-12,
                              .pooling = JC_POOLING_CLS,
                              .max_tokens = 16};
static float calibration[2 * (3 * DIM + 8)] = {1, 0.5F, 3e-9F};

static struct jc_manifest *make_manifest(void)
{
    struct jc_manifest *manifest = bundle_manifest_create("direct", "bert");
    strcpy(manifest->encoder.source_sha256, bert.source_sha256);
    return manifest;
}

/* Of a complete bundle. */
static struct jc_bundle_content make_content(struct jc_manifest *manifest)
{
    return (struct jc_bundle_content){.manifest = manifest,
                                      .categories = categories,
                                      .head = &head,
                                      .vocab_path = vocab,
                                      .weights_path = weights,
                                      .bert = &bert,
                                      .calibration = calibration,
                                      .n_calibration = JC_COUNT(calibration)};
}

static void check_bert_content(const struct jc_bundle *bundle)
{
    const struct jc_bert *read = jc_bundle_bert(bundle);
    size_t n = 0;
    const float *values = jc_bundle_calibration(bundle, &n);
    REQUIRE(read && values && n == JC_COUNT(calibration));
    CHECK(memcmp(values, calibration, sizeof calibration) == 0);
    CHECK(read->hidden == DIM && read->layers == 1 && read->heads == 2 && read->intermediate == 8);
    CHECK(read->vocab == 2 && read->positions == 16 && read->types == 2 && read->max_tokens == 16);
    CHECK(read->layer_norm_eps == 1e-12 && read->pooling == JC_POOLING_CLS);
    CHECK_STR(read->source_sha256, bert.source_sha256);
}

static void test_encoder(void)
{
    static const char *const names[] = {JC_BUNDLE_WEIGHTS, JC_BUNDLE_ENCODER, JC_BUNDLE_CALIBRATION};
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = make_manifest();
    struct jc_bundle_content content = make_content(manifest);
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bundle, &err));
    check_bert_content(bundle);
    CHECK_STR(jc_manifest_find_file(jc_bundle_manifest(bundle), JC_BUNDLE_WEIGHTS)->sha256, bert.source_sha256);
    for (size_t i = 0; i < JC_COUNT(names); i++) {
        REQUIRE_OK(jc_bundle_write(folder, &content, &err));
        unlink(path_of(names[i])); /* a link to what was given: that file is not written into */
        check_load_fails(JC_BUNDLE_COMPLETE, JC_E_NOT_FOUND, names[i], "No such file");
        REQUIRE_OK(jc_file_write(path_of(names[i]), "other", 5, &err));
        check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, names[i], "and the manifest says");
    }
}

/* What the manifest says of the encoder must be what the files are. */
static void test_wrong_encoder(void)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = make_manifest();
    struct jc_bundle_content content = make_content(manifest);
    content.bert = NULL;
    content.weights_path = NULL;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "'model.safetensors' is not listed");
    content = make_content(manifest);
    manifest->encoder.source_sha256[0] ^= 1;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT,
                "/encoder/source_sha256 is not that of 'model.safetensors'");
    manifest->encoder.source_sha256[0] ^= 1;
    content.weights_path = vocab;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "the model was made with");
    content.weights_path = NULL;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_NOT_FOUND, JC_BUNDLE_WEIGHTS);
    content = make_content(manifest);
    struct jc_bert wrong = bert;
    wrong.heads = 3;
    content.bert = &wrong;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "encoder.json: hidden size 4");

    content.bert = &bert;
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
    replace_file(JC_BUNDLE_ENCODER, "{}", 2);
    check_load_fails(JC_BUNDLE_PORTABLE, JC_E_FORMAT, JC_BUNDLE_ENCODER, "/format_version");
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
    replace_file(JC_BUNDLE_CALIBRATION, "{}", 2);
    check_load_fails(JC_BUNDLE_PORTABLE, JC_E_FORMAT, JC_BUNDLE_CALIBRATION, "too few");
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
    replace_file(JC_BUNDLE_WEIGHTS, "other weights", 13);
    check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, folder, "/encoder/source_sha256 is not that of");
}

static void write_version(struct jc_bundle_content *content, char ret_version[100])
{
    REQUIRE_OK(jc_bundle_write(folder, content, &err));
    snprintf(ret_version, 100, "%s", content->manifest->version);
}

/* Whatever changes an answer changes the version: the encoder's shape, its calibration, the prefix. */
static void test_encoder_versions(void)
{
    enum { PLAIN, RECALIBRATED, UNCALIBRATED, POOLED, PREFIXED, N_VERSIONS };
    char versions[N_VERSIONS][100], again[100];
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = make_manifest();
    JC_AUTO(jc_manifest) struct jc_manifest *uncalibrated = make_manifest();
    struct jc_bundle_content content = make_content(manifest), without = make_content(uncalibrated);
    struct jc_bert mean = bert;
    write_version(&content, versions[PLAIN]);
    float other[JC_COUNT(calibration)];
    memcpy(other, calibration, sizeof other);
    other[2] = 4e-9F;
    content.calibration = other;
    write_version(&content, versions[RECALIBRATED]);
    content.calibration = calibration;
    mean.pooling = JC_POOLING_MEAN;
    content.bert = &mean;
    write_version(&content, versions[POOLED]);
    content.bert = &bert;
    manifest->encoder.prefix = strdup("query: ");
    write_version(&content, versions[PREFIXED]);
    free(TAKE(manifest->encoder.prefix));
    write_version(&content, again);
    CHECK_STR(again, versions[PLAIN]);
    content.n_calibration--;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "39 values, and the encoder has 40");

    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    size_t n;
    without.calibration = NULL;
    write_version(&without, versions[UNCALIBRATED]);
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bundle, &err));
    CHECK(jc_bundle_bert(bundle) && !jc_bundle_calibration(bundle, &n));
    for (size_t i = 0; i < N_VERSIONS; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(versions[i], versions[j]) != 0);
}

static void test_portable(void)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = make_manifest();
    struct jc_bundle_content content = make_content(manifest);
    char sha256[JC_SHA256_HEX];
    REQUIRE_OK(jc_sha256_file(vocab, sha256, &err));
    REQUIRE_OK(jc_manifest_set_file(manifest, JC_BUNDLE_VOCAB, sha256, &err));
    content.vocab_path = content.weights_path = NULL;
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
    CHECK(!jc_file_exists(path_of(JC_BUNDLE_VOCAB)) && !jc_file_exists(path_of(JC_BUNDLE_WEIGHTS)));

    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_PORTABLE, &bundle, &err));
    check_bert_content(bundle);
    CHECK_STR(jc_manifest_find_file(jc_bundle_manifest(bundle), JC_BUNDLE_VOCAB)->sha256, sha256);
    CHECK_STR(jc_manifest_find_file(jc_bundle_manifest(bundle), JC_BUNDLE_WEIGHTS)->sha256, bert.source_sha256);
    check_load_fails(JC_BUNDLE_COMPLETE, JC_E_NOT_FOUND, folder, "No such file");

    /* A wrong vocabulary or wrong weights beside it are seen, there and at assembling. */
    REQUIRE_OK(jc_file_write(path_of(JC_BUNDLE_VOCAB), "other\n", 6, &err));
    check_load_fails(JC_BUNDLE_PORTABLE, JC_E_FORMAT, JC_BUNDLE_VOCAB, "SHA-256 is");
    unlink(path_of(JC_BUNDLE_VOCAB));
    REQUIRE_OK(jc_file_write(path_of(JC_BUNDLE_WEIGHTS), "other\n", 6, &err));
    check_load_fails(JC_BUNDLE_PORTABLE, JC_E_FORMAT, JC_BUNDLE_WEIGHTS, "SHA-256 is");
    content.vocab_path = weights;
    content.weights_path = weights;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "the model was made with");
    content.vocab_path = vocab;
    content.weights_path = vocab;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "the model was made with");
}

/* As `assemble` does it: from what a portable bundle was read as, and the two files. */
static void test_assemble(void)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = make_manifest(), *second = NULL;
    struct jc_bundle_content content = make_content(manifest);
    char sha256[JC_SHA256_HEX];
    REQUIRE_OK(jc_sha256_file(vocab, sha256, &err));
    REQUIRE_OK(jc_manifest_set_file(manifest, JC_BUNDLE_VOCAB, sha256, &err));
    content.vocab_path = content.weights_path = NULL;
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));

    JC_AUTO(jc_bundle) struct jc_bundle *portable = NULL, *complete = NULL;
    size_t n;
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_PORTABLE, &portable, &err));
    REQUIRE_OK(jc_manifest_load(path_of(JC_BUNDLE_MANIFEST), &second, &err));
    struct jc_bundle_content whole = {.manifest = second,
                                      .categories = jc_bundle_categories(portable, &n),
                                      .head = jc_bundle_head(portable),
                                      .vocab_path = vocab,
                                      .weights_path = weights,
                                      .bert = jc_bundle_bert(portable)};
    whole.calibration = jc_bundle_calibration(portable, &whole.n_calibration);
    REQUIRE_OK(jc_bundle_write(folder, &whole, &err));
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &complete, &err));
    check_bert_content(complete);
    CHECK_STR(jc_bundle_manifest(complete)->version, jc_bundle_manifest(portable)->version);
    CHECK(jc_file_exists(path_of(JC_BUNDLE_WEIGHTS)) && jc_file_exists(path_of(JC_BUNDLE_VOCAB)));
}

int main(void)
{
    REQUIRE_OK(jc_head_init(&head, N, DIM, 0, 0, &err));
    memcpy(head.matrix, embeddings, sizeof embeddings);
    begin_files();
    REQUIRE_OK(jc_path_join(weights, sizeof weights, root, "weights", &err));
    REQUIRE_OK(jc_file_write(weights, "not real ones", 13, &err));
    REQUIRE_OK(jc_sha256_file(weights, bert.source_sha256, &err));
    test_encoder();
    test_wrong_encoder();
    test_encoder_versions();
    test_portable();
    test_assemble();
    end_files();
    jc_head_finish(&head);
    return check_finish();
}
