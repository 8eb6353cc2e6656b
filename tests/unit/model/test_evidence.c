/*
 * A session over a head with exemplars, each input against the vote worked out from its own vector alone: scores and
 * evidence are the same in any batch, equal texts share theirs, and who gives no room for evidence gets none.
 */
#include "base/own.h"
#include "check.h"
#include "model/classifier.h"
#include "model/encoder.h"
#include "model/scoring.h"
#include "small_model.h"

enum { N_CATEGORIES = 60, DIM = 384, N_TEXTS = 2500, TOP = 8, MAX_BATCH = 1500, N_NAMES = 2 };

static struct jc_err err;
static struct jc_classifier *classifier;
static struct jc_encoder *encoder;

static struct jc_input inputs[MAX_BATCH];
static struct jc_hit hits[MAX_BATCH][TOP];
static struct jc_evidence evidence[MAX_BATCH][TOP];

/* Random vectors, text i named "text i" and of category i % 50: ten categories have no text. Text 1 is the word w0. */
static void make_exemplars(struct jc_exemplars *exemplars, const float *first)
{
    struct jc_rng rng = jc_rng_seeded(3);
    REQUIRE_OK(jc_exemplars_init(exemplars, N_TEXTS, DIM, (size_t)N_TEXTS * N_NAMES, (size_t)N_TEXTS * 16, &err));
    for (size_t i = 0; i < (size_t)N_TEXTS * DIM; i++)
        exemplars->vectors[i] = (float)(jc_rng_unit(&rng) * 2 - 1);
    for (size_t i = 0; i < N_TEXTS; i++) {
        size_t at = exemplars->code_begins[i];
        jc_vec_normalize(exemplars->vectors + i * DIM, DIM);
        exemplars->codes[at] = (uint32_t)(i % 25);
        exemplars->code_weights[at++] = 1;
        if (i % 3 == 0) {
            exemplars->codes[at] = (uint32_t)(i % 25) + 25;
            exemplars->code_weights[at++] = 0.5F;
        }
        exemplars->code_begins[i + 1] = at;
        char *text = exemplars->text_data + exemplars->text_begins[i];
        exemplars->text_begins[i + 1] = exemplars->text_begins[i] + (size_t)sprintf(text, "text %zu", i) + 1;
    }
    memcpy(exemplars->vectors + DIM, first, DIM * sizeof(*first));
    exemplars->k = 20;
    exemplars->sharpness = 5;
    exemplars->weight = 0.5F;
}

static void make_input(struct jc_input *input, size_t i, const char *title)
{
    struct jc_posting posting = {.title = title, .n_title = strlen(title)};
    *input = (struct jc_input){.top_n = TOP, .hits = hits[i], .evidence = evidence[i]};
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, input, &err));
    memset(hits[i], 0xff, sizeof hits[i]);
    memset(evidence[i], 0, sizeof evidence[i]);
}

static bool has_code(const struct jc_exemplars *exemplars, uint32_t text, uint32_t category)
{
    for (size_t at = exemplars->code_begins[text]; at < exemplars->code_begins[text + 1]; at++)
        if (exemplars->codes[at] == category)
            return true;
    return false;
}

/* Alone, by the functions that test_vote.c holds against brute force. */
static void check_input(const struct jc_input *input, struct jc_vote *vote)
{
    const struct jc_head *head = jc_bundle_head(jc_classifier_bundle(classifier));
    float vector[DIM], scores[N_CATEGORIES];
    struct jc_hit wanted[TOP];
    REQUIRE_OK(jc_encoder_encode(encoder, input->ids, &input->n_ids, 1, vector, &err));
    REQUIRE_OK(jc_scoring_run(head, vector, 1, vote, scores, &err));
    jc_topk(scores, N_CATEGORIES, TOP, wanted);
    CHECK_INT(input->n_hits, TOP);
    for (size_t h = 0; h < input->n_hits; h++) {
        CHECK_NEAR(input->hits[h].score, wanted[h].score, 1e-5);
        CHECK_NEAR(scores[input->hits[h].index], wanted[h].score, 1e-5);
        if (!input->evidence)
            continue;
        size_t j = 0;
        while (j < vote->n_neighbours && !has_code(&head->exemplars, vote->neighbours[j].index, input->hits[h].index))
            j++;
        bool found = j < vote->n_neighbours;
        CHECK_INT(input->evidence[h].text, found ? vote->neighbours[j].index : JC_EVIDENCE_NONE);
        if (found)
            CHECK_NEAR(input->evidence[h].similarity, vote->neighbours[j].score, 1e-5);
    }
}

static void run_batch(struct jc_session *session, struct jc_vote *vote, size_t n)
{
    static struct jc_input *batch[MAX_BATCH];
    struct jc_rng rng = jc_rng_seeded(n);
    struct jc_run_stats stats;
    for (size_t i = 0; i < n; i++) {
        char title[64];
        snprintf(title, sizeof title, "w%d w%d w%d", (int)(jc_rng_next(&rng) % 20), (int)(jc_rng_next(&rng) % 20),
                 (int)(jc_rng_next(&rng) % 20));
        make_input(&inputs[i], i, title);
        if (i % 5 == 4)
            inputs[i].evidence = NULL;
        batch[i] = &inputs[i];
    }
    REQUIRE_OK(jc_session_run(session, batch, n, &stats, &err));
    for (size_t i = 0; i < n; i++) {
        if (n < 100 || i % 37 == 0)
            check_input(&inputs[i], vote);
        jc_input_finish(&inputs[i]);
    }
}

/* An exemplar's own words: it is the evidence, the nearest there can be; equal texts have the same. */
static void test_own_words(struct jc_session *session)
{
    struct jc_input *batch[] = {&inputs[0], &inputs[1], &inputs[2]};
    struct jc_run_stats stats;
    make_input(&inputs[0], 0, "w0");
    make_input(&inputs[1], 1, "w1");
    make_input(&inputs[2], 2, "W0");
    REQUIRE_OK(jc_session_run(session, batch, 3, &stats, &err));
    CHECK_INT(stats.n_unique, 2);
    size_t n_found = 0;
    for (size_t h = 0; h < TOP; h++) {
        CHECK_INT(evidence[2][h].text, evidence[0][h].text);
        if (hits[0][h].index != 1)
            continue;
        n_found++;
        CHECK_INT(evidence[0][h].text, 1);
        CHECK_NEAR(evidence[0][h].similarity, 1, 1e-5);
        CHECK_STR(jc_classifier_evidence_text(classifier, &evidence[0][h]), "text 1");
    }
    CHECK_INT(n_found, 1);
    for (size_t i = 0; i < 3; i++)
        jc_input_finish(&inputs[i]);
}

/* Room for evidence over a model that has no exemplars: none is found. */
static void test_without_exemplars(const char *folder)
{
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    struct jc_run_stats stats;
    struct jc_input *batch[] = {&inputs[0]};
    small_model_write(
        folder, &(struct small_model){
                    .n_categories = N_CATEGORIES, .dim = DIM, .max_tokens = 32, .kind = "fake", .source_sha256 = ""});
    jc_classifier_destroy(TAKE(classifier));
    REQUIRE_OK(jc_classifier_load(folder, NULL, &classifier, &err));
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    make_input(&inputs[0], 0, "w0");
    REQUIRE_OK(jc_session_run(session, batch, 1, &stats, &err));
    for (size_t h = 0; h < TOP; h++)
        CHECK_INT(evidence[0][h].text, JC_EVIDENCE_NONE);
    jc_input_finish(&inputs[0]);
}

int main(void)
{
    static const size_t sizes[] = {1, 2, 3, 60, MAX_BATCH, 1};
    char folder[] = "/tmp/test_evidence.XXXXXX";
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    JC_AUTO_FINISH(jc_vote) struct jc_vote vote = {0};
    float first[DIM];
    REQUIRE(mkdtemp(folder));
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &encoder, &err));
    /* [CLS] w0 [SEP], in the vocabulary of small_model.h */
    REQUIRE_OK(jc_encoder_encode(encoder, (int32_t[]){2, 5, 3}, (uint32_t[]){3}, 1, first, &err));
    make_exemplars(&exemplars, first);
    small_model_write(folder, &(struct small_model){.n_categories = N_CATEGORIES,
                                                    .dim = DIM,
                                                    .max_tokens = 32,
                                                    .kind = "fake",
                                                    .source_sha256 = "",
                                                    .exemplars = &exemplars});
    REQUIRE_OK(jc_classifier_load(folder, NULL, &classifier, &err));
    struct jc_session *session = NULL;
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    for (size_t i = 0; i < JC_COUNT(sizes); i++)
        run_batch(session, &vote, sizes[i]);
    test_own_words(session);
    jc_session_destroy(session);
    test_without_exemplars(folder);
    jc_classifier_destroy(classifier);
    jc_encoder_destroy(encoder);
    jc_dir_remove(folder);
    return check_finish();
}
