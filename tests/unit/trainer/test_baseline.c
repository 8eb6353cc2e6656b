/*
 * A published model on the rows of a run: of a bundle whose categories stand in another order, with some missing and
 * some of its own, the answers by code are those of its head as it was; a model for another encoder is refused.
 */
#include "trainer/measure/baseline.h"

#include "model/scoring.h"
#include "tiny_run.h"

enum { DIM = 384, N_MODEL = 8, N_EXEMPLARS = 30, LEXICON_DIM = 3 };

/* Of the run's ten categories it lacks 11-0001, 11-0004, 11-0007 and 29-0000, and has two of its own. */
static const struct jc_category categories[N_MODEL] = {{"11-0008.00", "i"}, {"55-1000.00", "own"}, {"11-0003.00", "d"},
                                                       {"11-0000.00", "a"}, {"11-0006.00", "g"},   {"11-0002.00", "c"},
                                                       {"55-2000.00", "x"}, {"11-0005.00", "f"}};

static char good[PATH_MAX];

static void run_start(struct jc_run *run, const struct tiny *tiny)
{
    static struct jc_run_request request = {.kind = JC_RUN_COMPARE};
    *run = (struct jc_run){.request = &request, .config = &tiny->config};
    REQUIRE_OK(jc_step_open(run, &err));
    REQUIRE_OK(jc_step_read(run, &err));
    REQUIRE_OK(jc_step_split(run, &err));
    REQUIRE_OK(jc_step_encode(run, &err));
}

#define RUN __attribute__((cleanup(jc_run_finish))) struct jc_run

static void fill_random(struct jc_rng *rng, float *values, size_t n, double size)
{
    for (size_t i = 0; i < n; i++)
        values[i] = (float)((jc_rng_unit(rng) - 0.5) * size);
}

/* Random weights, a lexicon of the first words, exemplars of one or two categories each. */
static void make_head(struct jc_head *head)
{
    struct jc_rng rng = jc_rng_seeded(8);
    REQUIRE_OK(jc_head_init(head, N_MODEL, DIM, LEXICON_DIM, 20, &err));
    fill_random(&rng, head->matrix, N_MODEL * jc_head_width(head), 0.3);
    fill_random(&rng, head->bias, N_MODEL, 0.1);
    fill_random(&rng, head->lexicon, 20 * LEXICON_DIM, 2);
    for (size_t i = 0; i < 20; i++)
        head->keys[i] = 5 + (int64_t)i;
    head->sharpness = 9;
    head->saturation = 2;
    head->power = 0.8F;
    head->min_confidence = 0.4F;
    struct jc_exemplars *exemplars = &head->exemplars;
    REQUIRE_OK(jc_exemplars_init(exemplars, N_EXEMPLARS, DIM, N_EXEMPLARS + N_EXEMPLARS / 2, 2 * N_EXEMPLARS, &err));
    fill_random(&rng, exemplars->vectors, (size_t)N_EXEMPLARS * DIM, 1);
    size_t n_codes = 0;
    for (size_t i = 0; i < N_EXEMPLARS; i++) {
        jc_vec_normalize(exemplars->vectors + i * DIM, DIM);
        exemplars->codes[n_codes] = (uint32_t)i % (N_MODEL - 1);
        exemplars->code_weights[n_codes++] = 0.5F;
        if (i % 2) {
            exemplars->codes[n_codes] = N_MODEL - 1;
            exemplars->code_weights[n_codes++] = 1.5F;
        }
        memcpy(exemplars->text_data + 2 * i, "t", 2);
        exemplars->code_begins[i + 1] = n_codes;
        exemplars->text_begins[i + 1] = 2 * (i + 1);
    }
    exemplars->k = 5;
    exemplars->sharpness = 3;
    exemplars->weight = 0.7F;
}

struct differing {
    const char *kind, *part, *source_sha256, *prefix;
    size_t max_tokens, chunks;
    const char *vocab;
};

static void write_bundle(const char *path, const struct jc_head *head, const struct differing *differing)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create();
    REQUIRE(manifest);
    manifest->name = strdup("other");
    manifest->taxonomy = strdup("test");
    manifest->method = strdup("blend");
    manifest->data_version = strdup("test");
    manifest->attribution = strdup("");
    manifest->encoder.kind = strdup(differing->kind);
    manifest->encoder.name = strdup("fake");
    manifest->encoder.part = strdup(differing->part);
    manifest->encoder.max_tokens = differing->max_tokens;
    manifest->encoder.chunks = differing->chunks;
    manifest->encoder.prefix = strdup(differing->prefix);
    snprintf(manifest->encoder.source_sha256, sizeof(manifest->encoder.source_sha256), "%s", differing->source_sha256);
    const struct jc_bundle_content content = {
        .manifest = manifest, .categories = categories, .head = head, .vocab_path = differing->vocab};
    REQUIRE_OK(jc_bundle_write(path, &content, &err));
}

/* The rank of a code among the head's own categories, by its scores as they are; beyond all where it has none. */
static size_t rank_code(const char *code, const float *scores)
{
    size_t right = N_MODEL, rank = 1;
    for (size_t c = 0; c < N_MODEL; c++)
        if (strcmp(categories[c].code, code) == 0)
            right = c;
    if (right == N_MODEL)
        return JC_RANK_NONE;
    for (size_t c = 0; c < N_MODEL; c++)
        rank += scores[c] > scores[right];
    return rank;
}

static void check_prediction(const struct jc_run *run, const struct jc_head *head,
                             const struct jc_prediction *prediction)
{
    const struct jc_train_data data = jc_run_data(run);
    const struct jc_dataset *dataset = run->dataset;
    float query[DIM + LEXICON_DIM], scores[N_MODEL];
    struct jc_vote vote = {0};
    size_t n_ids, text = dataset->examples[prediction->example].text;
    const int32_t *ids = jc_tokens_get(data.tokens, text, &n_ids);
    jc_scoring_query(head, jc_train_vector(&data, text), ids, n_ids, query);
    REQUIRE_OK(jc_scoring_run(head, query, 1, &vote, scores, &err));
    jc_vote_finish(&vote);
    struct jc_norm norm = jc_scoring_norm(head, scores);
    struct jc_hit hits[N_MODEL];
    jc_topk(scores, N_MODEL, N_MODEL, hits);
    CHECK_INT(prediction->rank, rank_code(dataset->categories[prediction->category].code, scores));
    REQUIRE(prediction->n_hits >= N_MODEL);
    for (size_t i = 0; i < N_MODEL; i++) {
        uint32_t index = prediction->hits[i].index;
        CHECK_NEAR(prediction->hits[i].score, hits[i].score, 1e-5);
        if (index < dataset->n_categories)
            CHECK_STR(dataset->categories[index].code, categories[hits[i].index].code);
        else
            CHECK(strncmp(categories[hits[i].index].code, "55-", 3) == 0);
    }
    CHECK_NEAR(prediction->confidence, jc_scoring_probability(head, hits[0].score, &norm), 1e-5);
}

#define SAME(vocab_path)                                                                                    \
    {                                                                                                       \
        .kind = "fake", .part = "title", .source_sha256 = "", .prefix = "", .max_tokens = 512, .chunks = 1, \
        .vocab = (vocab_path)                                                                               \
    }

static void test_predict(const struct jc_head *head)
{
    TINY tiny;
    RUN run;
    tiny_init(&tiny, good, "none");
    run_start(&run, &tiny);
    write_bundle(path_of("model"), head, &(struct differing)SAME(tiny.vocab));
    JC_AUTO_FREE char *version = NULL;
    JC_AUTO_FREE struct jc_prediction *predictions = NULL;
    REQUIRE_OK(jc_baseline_predict(&run, path_of("model"), &version, &predictions, &err));
    CHECK_CONTAINS(version, "other-blend-");
    size_t n = 0, n_missing = 0;
    for (size_t i = 0; i < run.dataset->n_examples; i++)
        if (run.dataset->examples[i].role == JC_ROLE_TEST) {
            CHECK_INT(predictions[n].example, i);
            CHECK_INT(predictions[n].category, run.dataset->examples[i].category);
            n_missing += predictions[n].rank == JC_RANK_NONE;
            check_prediction(&run, head, &predictions[n++]);
        }
    CHECK_INT(n, TINY_CATEGORIES * TINY_TEST + 1);
    CHECK_INT(n_missing, 3 * TINY_TEST + 1);
}

static void test_refused(const struct jc_head *head)
{
    TINY tiny;
    RUN run;
    tiny_init(&tiny, good, "none");
    run_start(&run, &tiny);
    char other_vocab[PATH_MAX], zeros[JC_SHA256_HEX];
    snprintf(other_vocab, sizeof(other_vocab), "%s",
             write_text("other.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nw1\nw0\n"));
    memset(zeros, '0', sizeof(zeros) - 1);
    zeros[sizeof(zeros) - 1] = '\0';
    struct differing differing[6] = {SAME(tiny.vocab), SAME(tiny.vocab), SAME(tiny.vocab),
                                     SAME(tiny.vocab), SAME(tiny.vocab), SAME(other_vocab)};
    static const char *const parts[] = {"another encoder (fake, 64 tokens)",  "another part of a posting",
                                        "another part of a posting",          "another encoder",
                                        "another encoder.prefix ('query: ')", "another vocabulary"};
    differing[0].max_tokens = 64;
    differing[1].part = "body";
    differing[2].chunks = 2;
    differing[3].source_sha256 = zeros;
    differing[4].prefix = "query: ";
    for (size_t i = 0; i < JC_COUNT(differing); i++) {
        char *version = NULL;
        struct jc_prediction *predictions = NULL;
        const char *path = path_of("other");
        write_bundle(path, head, &differing[i]);
        CHECK_FAILS(jc_baseline_predict(&run, path, &version, &predictions, &err), JC_E_INVALID, parts[i]);
        CHECK_CONTAINS(err.text, path);
        CHECK(!version && !predictions);
        jc_dir_remove(path);
    }
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    snprintf(good, sizeof(good), "%s", tiny_write("good.csv", 0, TINY_TRAIN));
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    make_head(&head);
    test_predict(&head);
    test_refused(&head);
    jc_dir_remove(folder);
    return check_finish();
}
