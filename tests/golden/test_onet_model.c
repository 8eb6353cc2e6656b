/*
 * The model that the repository holds, made again: from the weights and an O*NET release to the benchmark's figures, the
 * published head and what it answers when assembled. A head of averages must be the same to 1e-5; what training gives
 * depends on the number of threads and the BLAS, so a trained head must answer the same.
 * Encodes all titles once and trains twice: some minutes on two cores.
 */
#include <math.h>

#include "base/cpu.h"
#include "golden.h"
#include "model/classifier.h"
#include "model/runtime.h"
#include "trainer/command.h"
#include "trainer/encode.h"
#include "trainer/predict.h"
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

/* All that the methods are given; config/onet.yaml's. */
struct inputs {
    struct jc_train_config config;
    struct jc_conf *conf;
    struct jc_dataset *dataset;
    struct jc_tokens tokens;
    float *vectors;
    struct jc_train_data data;
};

static void inputs_finish(struct inputs *inputs)
{
    free(inputs->vectors);
    jc_tokens_finish(&inputs->tokens);
    jc_dataset_destroy(inputs->dataset);
    jc_conf_destroy(inputs->conf);
}

/* Read, cleaned and split as config/onet.yaml says, with all texts encoded. */
static void inputs_init(struct inputs *inputs, const char *encoder_path, const char *vocab_path)
{
    char config_path[PATH_MAX];
    double seconds;
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    JC_AUTO(jc_tokenizer) struct jc_tokenizer *tokenizer = NULL;
    *inputs = (struct inputs){.dataset = jc_dataset_create()};
    struct jc_dataset *dataset = inputs->dataset;
    REQUIRE(dataset);
    find_recorded("../../config/onet.yaml", config_path);
    REQUIRE_OK(jc_train_config_load(config_path, NULL, 0, &inputs->config, &inputs->conf, &err));
    REQUIRE_OK(jc_dataset_read(dataset, &inputs->config, &err));
    REQUIRE_OK(jc_dataset_clean(dataset, inputs->config.direct_text, &err));
    REQUIRE_OK(jc_split_dataset(dataset, inputs->config.split, &err));
    REQUIRE_OK(jc_encoder_load(JC_ENCODER_BERT, encoder_path, &encoder, &err));
    REQUIRE_OK(jc_tokenizer_load(vocab_path, jc_encoder_info(encoder)->max_tokens, &tokenizer, &err));
    REQUIRE_OK(jc_tokens_make(tokenizer, dataset->texts, &inputs->tokens, &err));
    REQUIRE_OK(jc_encode_texts(encoder, &inputs->tokens, jc_texts_count(dataset->texts), jc_cpu_count(),
                               &inputs->vectors, &seconds, &err));
    inputs->data = (struct jc_train_data){.dataset = dataset,
                                          .vectors = inputs->vectors,
                                          .tokens = &inputs->tokens,
                                          .dim = jc_encoder_info(encoder)->dim,
                                          .n_threads = jc_cpu_count(),
                                          .config = &inputs->config};
}

/* The share of the test titles whose right category is among the first k. */
static double find_share(const struct jc_prediction *predictions, size_t n, uint32_t k)
{
    size_t n_found = 0;
    for (size_t i = 0; i < n; i++)
        n_found += predictions[i].rank <= k;
    return (double)n_found / (double)n;
}

/* The published benchmark's figures, each within .01; of the trained method, figures that it must reach. */
static void check_benchmark(const struct jc_train_data *data)
{
    static const struct {
        const char *method;
        bool is_least;
        double top[3]; /* 1, 3, 5 */
    } wanted[] = {{"direct", false, {.386, .540, .600}},
                  {"average", false, {.463, .643, .702}},
                  {"softmax", true, {.49, .68, .75}}};
    for (size_t i = 0; i < JC_COUNT(wanted); i++) {
        const struct jc_method *method;
        JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
        JC_AUTO_FREE struct jc_prediction *predictions = NULL;
        double seconds;
        size_t n;
        REQUIRE_OK(jc_method_find(wanted[i].method, &method, &err));
        REQUIRE_OK(jc_method_fit(method, data, JC_ROLE_TRAIN, &head, &seconds, &err));
        REQUIRE_OK(jc_predict(data, &head, JC_ROLE_TEST, &predictions, &n, &err));
        CHECK_INT(n, 7612);
        for (uint32_t j = 0; j < 3; j++) {
            double share = find_share(predictions, n, 2 * j + 1);
            fprintf(stderr, "%s: top-%u %.4f\n", wanted[i].method, 2 * j + 1, share);
            if (wanted[i].is_least)
                CHECK(share >= wanted[i].top[j]);
            else
                CHECK_NEAR(share, wanted[i].top[j], .01);
        }
    }
}

static void check_same_values(const struct jc_head *head, const struct jc_head *published)
{
    double most = 0;
    REQUIRE(jc_head_width(published) == jc_head_width(head));
    for (size_t i = 0; i < head->n_categories * jc_head_width(head); i++)
        most = fmax(most, fabs((double)head->matrix[i] - (double)published->matrix[i]));
    fprintf(stderr, "largest difference of an embedding's value: %.2g\n", most);
    CHECK_NEAR(most, 0, 1e-5);
}

/* The first answers to the test titles. */
static void check_same_answers(const struct jc_train_data *data, const struct jc_head *head,
                               const struct jc_head *published)
{
    JC_AUTO_FREE struct jc_prediction *ours = NULL, *theirs = NULL;
    size_t n, n_same = 0;
    REQUIRE_OK(jc_predict(data, head, JC_ROLE_TEST, &ours, &n, &err));
    REQUIRE_OK(jc_predict(data, published, JC_ROLE_TEST, &theirs, &n, &err));
    for (size_t i = 0; i < n; i++)
        n_same += ours[i].hits[0].index == theirs[i].hits[0].index;
    fprintf(stderr, "the same first answer to %zu of %zu titles\n", n_same, n);
    CHECK((double)n_same >= 0.97 * (double)n);
}

static void check_published(const struct jc_train_data *data, const char *model_path)
{
    JC_AUTO(jc_bundle) struct jc_bundle *model = NULL;
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    const struct jc_method *method;
    double seconds;
    REQUIRE_OK(jc_bundle_load(model_path, JC_BUNDLE_PORTABLE, &model, &err));
    REQUIRE_OK(jc_method_find(jc_bundle_manifest(model)->method, &method, &err));
    REQUIRE_OK(jc_method_fit(method, data, JC_ROLE_ANY, &head, &seconds, &err));

    size_t n;
    const struct jc_category *categories = jc_bundle_categories(model, &n);
    REQUIRE(n == data->dataset->n_categories);
    REQUIRE(jc_bundle_manifest(model)->dim == data->dim);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(data->dataset->categories[i].code, categories[i].code);
        CHECK_STR(data->dataset->categories[i].title, categories[i].title);
    }
    if (method == &jc_method_softmax)
        check_same_answers(data, &head, jc_bundle_head(model));
    else
        check_same_values(&head, jc_bundle_head(model));
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

    __attribute__((cleanup(inputs_finish))) struct inputs inputs;
    inputs_init(&inputs, encoder_path, vocab_path);
    check_benchmark(&inputs.data);
    check_published(&inputs.data, model_path);
    check_answers(model_path, encoder_path, vocab_path);
    jc_dir_remove(folder);
    return check_finish();
}
