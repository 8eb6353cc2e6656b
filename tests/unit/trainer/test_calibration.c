/* The calibration of a run: of texts that train and no others, at most a thousand, the same every time, over a small
 * random encoder. Text i of the dataset is the ids {i, ...}; the texts that are chosen are found out by force. */
#include "trainer/vectors/calibration.h"

#include <limits.h>

#include "artifact/safetensors.h"
#include "base/file.h"
#include "random_bert.h"

enum { CLS = 2, SEP = 3, MAX_TEXTS = 1000, MAX_TEXT_IDS = 3 * MAX_LEN };

static struct jc_err err;
static struct checkpoint checkpoint = {.bert = {.hidden = 16,
                                                .layers = 1,
                                                .heads = 2,
                                                .intermediate = 24,
                                                .vocab = 200,
                                                .positions = 24,
                                                .types = 1,
                                                .layer_norm_eps = 1e-9,
                                                .pooling = JC_POOLING_MEAN,
                                                .max_tokens = 24},
                                       .prefix = ""};
static struct jc_encoder *encoder;

struct data {
    struct jc_dataset dataset;
    struct jc_tokens tokens;
};

/* n examples of every role, some cut from the body of the one before; every seventh text has two chunks. */
static void data_init(struct data *data, size_t n, uint64_t seed)
{
    static const enum jc_role roles[] = {JC_ROLE_TRAIN, JC_ROLE_TRAIN, JC_ROLE_VALIDATION, JC_ROLE_TEST,
                                         JC_ROLE_UNUSED};
    struct jc_rng rng = jc_rng_seeded(seed);
    *data = (struct data){
        .dataset = {.examples = calloc(n + 1, sizeof(struct jc_example)), .n_examples = n},
        .tokens = {.ids = calloc(n + 1, MAX_TEXT_IDS * sizeof(int32_t)), .offsets = calloc(n + 2, sizeof(size_t))}};
    REQUIRE(data->dataset.examples && data->tokens.ids && data->tokens.offsets);
    size_t n_ids = 0;
    for (size_t i = 0; i < n; i++) {
        struct jc_example *example = &data->dataset.examples[i];
        *example = (struct jc_example){.text = (uint32_t)(n - 1 - i), /* not the example's own number */
                                       .parent = jc_rng_next(&rng) % 8 ? JC_EXAMPLE_NO_PARENT : 0,
                                       .role = roles[jc_rng_next(&rng) % JC_COUNT(roles)]};
        for (size_t chunk = 0; chunk < (i % 7 == 3 ? 2 : 1); chunk++) {
            data->tokens.ids[n_ids++] = CLS;
            for (size_t k = jc_rng_next(&rng) % 8 + 1; k > 0; k--)
                data->tokens.ids[n_ids++] = (int32_t)(SEP + 1 + jc_rng_next(&rng) % 196);
            data->tokens.ids[n_ids++] = SEP;
        }
        data->tokens.offsets[i + 1] = n_ids;
    }
}

static void data_finish(struct data *data)
{
    free(data->dataset.examples);
    free(data->tokens.ids);
    free(data->tokens.offsets);
}

#define DATA __attribute__((cleanup(data_finish))) struct data

static bool trains(const struct jc_example *example)
{
    return (example->role == JC_ROLE_TRAIN || example->role == JC_ROLE_VALIDATION) &&
           example->parent == JC_EXAMPLE_NO_PARENT;
}

static size_t count_trainers(const struct data *data)
{
    size_t n = 0;
    for (size_t i = 0; i < data->dataset.n_examples; i++)
        n += trains(&data->dataset.examples[i]);
    return n;
}

/* Every step-th text that trains, with the chunks cut by hand. */
static void calibrate_by_force(const struct data *data, size_t step, float **ret_values, size_t *ret_n)
{
    JC_AUTO_FREE int32_t *ids = calloc(data->dataset.n_examples + 1, MAX_TEXT_IDS * sizeof *ids);
    JC_AUTO_FREE uint32_t *n_tokens = calloc(data->dataset.n_examples * 2 + 1, sizeof *n_tokens);
    REQUIRE(ids && n_tokens);
    size_t n_ids = 0, n_chunks = 0, seen = 0, n_texts = 0;
    for (size_t i = 0; i < data->dataset.n_examples; i++) {
        if (!trains(&data->dataset.examples[i]) || seen++ % step)
            continue;
        const size_t text = data->dataset.examples[i].text;
        for (size_t t = data->tokens.offsets[text]; t < data->tokens.offsets[text + 1]; t++) {
            n_chunks += data->tokens.ids[t] == CLS;
            n_tokens[n_chunks - 1]++;
            ids[n_ids++] = data->tokens.ids[t];
        }
        n_texts++;
    }
    CHECK(n_texts <= MAX_TEXTS);
    REQUIRE_OK(jc_encoder_calibrate(encoder, ids, n_tokens, n_chunks, ret_values, ret_n, &err));
}

static bool is_same(const struct jc_calibration *calibration, const float *values, size_t n)
{
    return calibration->n == n && memcmp(calibration->values, values, n * sizeof *values) == 0;
}

/* The texts are those of one even step over all that train, at most a thousand and not much fewer than could be. */
static void test_choice(size_t n, uint64_t seed)
{
    DATA data;
    data_init(&data, n, seed);
    JC_AUTO_FINISH(jc_calibration) struct jc_calibration first = {0}, second = {0};
    REQUIRE_OK(jc_calibration_measure(encoder, &data.dataset, &data.tokens, &first, &err));
    REQUIRE_OK(jc_calibration_measure(encoder, &data.dataset, &data.tokens, &second, &err));
    CHECK(is_same(&second, first.values, first.n));

    const size_t n_trainers = count_trainers(&data), n_least = n_trainers < MAX_TEXTS ? n_trainers : MAX_TEXTS / 2;
    size_t n_found = 0;
    for (size_t step = 1; step <= n_trainers / n_least; step++) {
        JC_AUTO_FREE float *values = NULL;
        size_t n_values, n_texts = (n_trainers + step - 1) / step;
        if (n_texts > MAX_TEXTS)
            continue;
        calibrate_by_force(&data, step, &values, &n_values);
        n_found += is_same(&first, values, n_values);
    }
    check_report(n_found == 1, __FILE__, __LINE__, "%zu examples, %zu train: %zu choices fit", n, n_trainers, n_found);
}

/* What does not train may be anything. */
static void test_others(void)
{
    DATA data;
    data_init(&data, 300, 5);
    JC_AUTO_FINISH(jc_calibration) struct jc_calibration first = {0}, second = {0}, third = {0};
    REQUIRE_OK(jc_calibration_measure(encoder, &data.dataset, &data.tokens, &first, &err));
    size_t n_changed = 0, last = 0;
    for (size_t i = 0; i < data.dataset.n_examples; i++) {
        const struct jc_example *example = &data.dataset.examples[i];
        if (trains(example)) {
            last = i;
            continue;
        }
        data.tokens.ids[data.tokens.offsets[example->text] + 1] = SEP + 1;
        n_changed++;
    }
    CHECK(n_changed > 50);
    REQUIRE_OK(jc_calibration_measure(encoder, &data.dataset, &data.tokens, &second, &err));
    CHECK(is_same(&second, first.values, first.n));
    data.dataset.examples[last].role = JC_ROLE_TEST;
    REQUIRE_OK(jc_calibration_measure(encoder, &data.dataset, &data.tokens, &third, &err));
    CHECK(!is_same(&third, first.values, first.n));
}

/* Nothing trains: a method that needs no training runs all the same. */
static void test_none(void)
{
    DATA data;
    data_init(&data, 0, 1);
    JC_AUTO_FINISH(jc_calibration) struct jc_calibration calibration = {0};
    REQUIRE_OK(jc_calibration_measure(encoder, &data.dataset, &data.tokens, &calibration, &err));
    for (size_t i = 0; i < calibration.n; i++)
        CHECK(calibration.values[i] == 0);
}

static void test_unsupported(void)
{
    DATA data;
    data_init(&data, 10, 1);
    JC_AUTO(jc_encoder) struct jc_encoder *fake = NULL;
    JC_AUTO_FINISH(jc_calibration) struct jc_calibration calibration = {0};
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &fake, &err));
    CHECK_FAILS(jc_calibration_measure(fake, &data.dataset, &data.tokens, &calibration, &err), JC_E_UNSUPPORTED,
                "no calibration");
    CHECK(calibration.values == NULL);
}

int main(void)
{
    char folder[] = "/tmp/jobcode-test-XXXXXX", path[PATH_MAX];
    REQUIRE(mkdtemp(folder) != NULL);
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, "model.safetensors", &err));
    checkpoint.rng = jc_rng_seeded(6);
    fill_checkpoint(&checkpoint);
    REQUIRE_OK(jc_safetensors_write(path, checkpoint.tensors, checkpoint.n_tensors, &err));
    const struct jc_encoder_source source = {.kind = JC_ENCODER_BERT, .bert = &checkpoint.bert, .weights = path};
    REQUIRE_OK(jc_encoder_load(&source, NULL, &encoder, &err));
    test_choice(40, 1);
    test_choice(1500, 2);
    test_choice(2500, 3); /* over a thousand train */
    test_choice(6000, 4);
    test_others();
    test_none();
    test_unsupported();
    jc_encoder_destroy(encoder);
    finish_checkpoint(&checkpoint);
    jc_dir_remove(folder);
    return check_finish();
}
