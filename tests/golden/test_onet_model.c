/*
 * The model that the repository holds, made again: from the weights and an O*NET release to the published embeddings
 * (to 1e-5) and the benchmark's figures (within one point of the published ones), and what it answers when assembled.
 * Encodes all titles once: about a minute on two cores.
 */
#include <math.h>

#include "base/cpu.h"
#include "golden.h"
#include "model/classifier.h"
#include "model/runtime.h"
#include "trainer/command.h"
#include "trainer/encode.h"
#include "trainer/metrics.h"
#include "trainer/split.h"

static struct jc_err err;
static char folder[] = "/tmp/test_onet_model.XXXXXX";

static void in_folder(char ret_path[PATH_MAX], const char *name)
{
    REQUIRE_OK(jc_path_join(ret_path, PATH_MAX, folder, name, &err));
}

static void import_weights(const char *encoder_path)
{
    char *weights = getenv("JOBCODE_WEIGHTS"), output[PATH_MAX + 16];
    snprintf(output, sizeof output, "--output=%s", encoder_path);
    char *argv[] = {(char[]){"import-encoder"}, (char[]){"--weights"}, weights, output};
    REQUIRE(jc_command_import_encoder(4, argv) == JC_EXIT_OK);
}

/* Read, cleaned and split as config/onet.yaml says, with all texts encoded. */
static struct jc_train_data make_data(const char *encoder_path, const char *vocab_path, struct jc_dataset *dataset,
                                      float **ret_vectors)
{
    char config_path[PATH_MAX];
    find_recorded("../../config/onet.yaml", config_path);
    struct jc_train_config config;
    double seconds;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = NULL;
    REQUIRE_OK(jc_train_config_load(config_path, NULL, 0, &config, &conf, &err));
    REQUIRE_OK(jc_dataset_read(dataset, &config, &err));
    REQUIRE_OK(jc_dataset_clean(dataset, config.direct_text, &err));
    REQUIRE_OK(jc_split_dataset(dataset, config.split, &err));
    REQUIRE_OK(jc_encoder_load(JC_ENCODER_BERT, encoder_path, &encoder, &err));
    REQUIRE_OK(jc_tokenizer_load(vocab_path, jc_encoder_info(encoder)->max_tokens, &tokenizer, &err));
    REQUIRE_OK(jc_encode_texts(encoder, tokenizer, dataset->texts, jc_cpu_count(), ret_vectors, &seconds, &err));
    return (struct jc_train_data){.dataset = dataset, .vectors = *ret_vectors, .dim = jc_encoder_info(encoder)->dim};
}

/* The published benchmark's figures, each within .01. */
static void check_benchmark(const struct jc_train_data *data)
{
    static const struct {
        const char *method;
        double top_1, top_3, top_5;
    } published[] = {{"direct", .386, .540, .600}, {"average", .463, .643, .702}};
    for (size_t i = 0; i < JC_COUNT(published); i++) {
        const struct jc_method *method;
        JC_AUTO_FREE float *embeddings = NULL;
        double seconds;
        struct jc_metrics metrics;
        REQUIRE_OK(jc_method_find(published[i].method, &method, &err));
        REQUIRE_OK(jc_method_fit(method, data, JC_ROLE_TRAIN, &embeddings, &seconds, &err));
        REQUIRE_OK(jc_metrics_measure(data, embeddings, JC_ROLE_TEST, &metrics, &err));
        CHECK_INT(metrics.n, 7612);
        CHECK_NEAR(metrics.top_1, published[i].top_1, .01);
        CHECK_NEAR(metrics.top_3, published[i].top_3, .01);
        CHECK_NEAR(metrics.top_5, published[i].top_5, .01);
    }
}

static void check_embeddings(const struct jc_train_data *data, const char *model_path)
{
    JC_AUTO(jc_bundle) struct jc_bundle *model = NULL;
    JC_AUTO_FREE float *embeddings = NULL;
    const struct jc_method *method;
    double seconds;
    REQUIRE_OK(jc_bundle_load(model_path, JC_BUNDLE_PORTABLE, &model, &err));
    REQUIRE_OK(jc_method_find(jc_bundle_manifest(model)->method, &method, &err));
    REQUIRE_OK(jc_method_fit(method, data, JC_ROLE_ANY, &embeddings, &seconds, &err));

    size_t n;
    const struct jc_category *categories = jc_bundle_categories(model, &n);
    REQUIRE(n == data->dataset->n_categories);
    REQUIRE(jc_bundle_manifest(model)->dim == data->dim);
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(data->dataset->categories[i].code, categories[i].code);
        CHECK_STR(data->dataset->categories[i].title, categories[i].title);
        for (size_t d = 0; d < data->dim; d++)
            most = fmax(most, fabs((double)embeddings[i * data->dim + d] -
                                   (double)jc_bundle_embeddings(model)[i * data->dim + d]));
    }
    fprintf(stderr, "largest difference of an embedding's value: %.2g\n", most);
    CHECK_NEAR(most, 0, 1e-5);
}

/* The title's first three answers must have a code that starts with `prefix`. */
static void check_answer(const struct jc_classifier *classifier, const char *title, const char *prefix)
{
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    struct jc_hit hits[3];
    JC_AUTO_FINISH(jc_input) struct jc_input input = {.top_n = 3, .hits = hits};
    struct jc_input *inputs[] = {&input};
    struct jc_posting posting = {.title = title, .n_title = strlen(title)};
    struct jc_run_stats stats;
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, &input, &err));
    REQUIRE_OK(jc_session_run(session, inputs, 1, &stats, &err));
    size_t n;
    const struct jc_category *categories = jc_bundle_categories(jc_classifier_bundle(classifier), &n);
    int found = 0;
    for (uint32_t i = 0; i < input.n_hits; i++) {
        const struct jc_category *category = &categories[hits[i].index];
        fprintf(stderr, "%s: %s %s %.4f\n", title, category->code, category->title, (double)hits[i].score);
        found |= strncmp(category->code, prefix, strlen(prefix)) == 0;
    }
    check_report(found, __FILE__, __LINE__, "no %s among the first three of '%s'", prefix, title);
}

static void check_answers(const char *model_path, const char *encoder_path, const char *vocab_path)
{
    char model[PATH_MAX], encoder[PATH_MAX], vocab[PATH_MAX], output[PATH_MAX], path[PATH_MAX];
    in_folder(path, "model");
    snprintf(model, sizeof model, "%s", model_path);
    snprintf(encoder, sizeof encoder, "%s", encoder_path);
    snprintf(vocab, sizeof vocab, "%s", vocab_path);
    snprintf(output, sizeof output, "%s", path);
    char *argv[] = {(char[]){"assemble"},
                    (char[]){"--model"},
                    model,
                    (char[]){"--encoder"},
                    encoder,
                    (char[]){"--vocab"},
                    vocab,
                    (char[]){"--output"},
                    output};
    REQUIRE(jc_command_assemble(9, argv) == JC_EXIT_OK);
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    REQUIRE_OK(jc_classifier_load(path, &classifier, &err));
    check_answer(classifier, "ICU Nurse (Nights)", "29-1141.");
    check_answer(classifier, "Senior Java Developer", "15-1252.00");
    jc_dir_remove(path);
}

int main(void)
{
    char vocab_path[PATH_MAX], encoder_path[PATH_MAX], model_path[PATH_MAX], onet_path[PATH_MAX];
    find_input("JOBCODE_WEIGHTS", "vocab.txt", vocab_path);
    find_input("JOBCODE_ONET_DIR", "Occupation Data.txt", onet_path);
    find_recorded("../../models/onet-30.1", model_path);
    if (strcmp(jc_runtime_torch_version(), "none") == 0)
        check_skip("built without libtorch");
    jc_runtime_init();
    REQUIRE(mkdtemp(folder));
    in_folder(encoder_path, "encoder.pt");
    import_weights(encoder_path);

    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    JC_AUTO_FREE float *vectors = NULL;
    REQUIRE(dataset);
    struct jc_train_data data = make_data(encoder_path, vocab_path, dataset, &vectors);
    check_benchmark(&data);
    check_embeddings(&data, model_path);
    check_answers(model_path, encoder_path, vocab_path);
    jc_dir_remove(folder);
    return check_finish();
}
