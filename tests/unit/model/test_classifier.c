/* Loading a classifier: what belongs together loads and answers, its canaries rightly; what does not is refused with the
 * reason. */
#include "check.h"
#include "confidence.h"
#include "model/canary.h"
#include "model/encoder.h"
#include "small_model.h"

static struct jc_err err;
static char folder[] = "/tmp/test_classifier.XXXXXX";

static const struct small_model base_model = {
    .n_categories = 20, .dim = 384, .max_tokens = 16, .kind = "fake", .source_sha256 = ""};

/* The fake vector of the text "w3 w4": tokens 8 and 9, behind the five frame tokens. */
static void encode_w3_w4(float *ret_vector)
{
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    const int32_t ids[] = {2, 8, 9, 3};
    uint32_t n = 4;
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &encoder, &err));
    REQUIRE_OK(jc_encoder_encode(encoder, ids, &n, 1, ret_vector, &err));
}

static jc_code load(struct small_model model, struct jc_classifier **ret_classifier)
{
    small_model_write(folder, &model);
    return jc_classifier_load(folder, NULL, ret_classifier, &err);
}

static void test_answers(void)
{
    float row[384];
    encode_w3_w4(row);
    struct small_model model = base_model;
    model.first_row = row;
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    REQUIRE_OK(load(model, &classifier));
    CHECK_INT(jc_bundle_manifest(jc_classifier_bundle(classifier))->n_categories, 20);

    JC_AUTO(jc_session) struct jc_session *session = NULL;
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    struct jc_hit hits[3];
    struct jc_input input = {.top_n = 3, .hits = hits}, *inputs[] = {&input};
    struct jc_posting posting = {.title = "w4 w3", .n_title = 5};
    struct jc_run_stats stats;
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, &input, &err));
    REQUIRE_OK(jc_session_run(session, inputs, 1, &stats, &err));
    CHECK_INT(input.n_hits, 3);
    CHECK_INT(hits[0].index, 0);
    CHECK_NEAR(hits[0].score, 1, 1e-5);
    jc_input_finish(&input);
}

/* Classifies "w3 w4" with all categories as hits and checks their confidences against the definition; then whether
 * the answer is accepted. Returns the first hit's confidence. */
static float check_confidence(float min_confidence, bool wanted)
{
    enum { N = 20 };
    float row[384];
    encode_w3_w4(row);
    struct small_model model = base_model;
    model.first_row = row;
    model.sharpness = 6;
    model.saturation = 0.5F;
    model.power = 1.25F;
    model.min_confidence = min_confidence;
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    REQUIRE_OK(load(model, &classifier));
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    struct jc_hit hits[N];
    JC_AUTO_FINISH(jc_input) struct jc_input input = {.top_n = N, .hits = hits};
    struct jc_input *inputs[] = {&input};
    struct jc_posting posting = {.title = "w3 w4", .n_title = 5};
    struct jc_run_stats stats;
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, &input, &err));
    REQUIRE_OK(jc_session_run(session, inputs, 1, &stats, &err));
    REQUIRE(input.n_hits == N);
    float scores[N];
    double wanted_confidence[N];
    for (size_t i = 0; i < N; i++)
        scores[i] = hits[i].score;
    confidence_compute(scores, N, 6, 0.5, 1.25, wanted_confidence);
    for (size_t i = 0; i < N; i++)
        CHECK_NEAR(jc_classifier_confidence(classifier, &input, i), wanted_confidence[i], 1e-6);
    CHECK(jc_classifier_accepts(classifier, &input) == wanted);
    float confidence = jc_classifier_confidence(classifier, &input, 0);

    /* All categories are in one major group: it is sure where none of them is. */
    input.level = JC_LEVEL_MAJOR;
    REQUIRE_OK(jc_session_run(session, inputs, 1, &stats, &err));
    CHECK_INT(input.n_hits, 1);
    CHECK_INT(hits[0].index, 0);
    CHECK_NEAR(jc_classifier_confidence(classifier, &input, 0), 1, 1e-5);
    CHECK(jc_classifier_accepts(classifier, &input));
    input.n_hits = 0;
    CHECK(!jc_classifier_accepts(classifier, &input));
    return confidence;
}

static void test_confidence(void)
{
    float confidence = check_confidence(0, true);
    CHECK(confidence > 0.5F && confidence < 1);
    check_confidence(confidence - 0.001F, true);
    check_confidence(confidence + 0.001F, false);
}

static void check_n_ids(const struct jc_classifier *classifier, struct jc_posting posting, uint32_t wanted)
{
    struct jc_input input = {.ids = NULL, .n_ids = 99};
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, &input, &err));
    CHECK_INT(input.n_ids, wanted);
    CHECK((input.ids != NULL) == (wanted > 0));
    jc_input_finish(&input);
    CHECK(!input.ids);
}

static void test_prepare(void)
{
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    REQUIRE_OK(load(base_model, &classifier));
    check_n_ids(classifier, (struct jc_posting){0}, 0);
    check_n_ids(classifier, (struct jc_posting){.title = " <br> ", .n_title = 6}, 0);
    check_n_ids(classifier, (struct jc_posting){.title = "--", .n_title = 2}, 0);
    check_n_ids(classifier, (struct jc_posting){.title = "w1", .n_title = 2}, 3);
    check_n_ids(classifier, (struct jc_posting){.title = "", .body = "<p>w1 w2", .n_body = 8}, 4);
    check_n_ids(classifier, (struct jc_posting){.title = "a b c d e f g h i j k l m n o p q r s t", .n_title = 39}, 16);

    struct jc_input input = {0};
    struct jc_posting broken = {.title = "w1 \xff", .n_title = 4};
    CHECK_FAILS(jc_classifier_prepare(classifier, &broken, &input, &err), JC_E_INVALID, "title");
    CHECK_INT(input.n_ids, 0);
}

static void test_refusals(void)
{
    struct jc_classifier *classifier = NULL;
    struct small_model model = base_model;
    model.dim = 128;
    CHECK_FAILS(load(model, &classifier), JC_E_FORMAT, "384 dimensions, the categories have 128");

    model = base_model;
    model.source_sha256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
    CHECK_FAILS(load(model, &classifier), JC_E_FORMAT, "53aa51172d14");

    model = base_model;
    model.max_tokens = 513;
    CHECK(load(model, &classifier) != JC_OK); /* the tokenizer or the classifier: both have the limit */
    CHECK_CONTAINS(err.text, "51");

    model = base_model;
    model.kind = "other";
    CHECK_FAILS(load(model, &classifier), JC_E_UNSUPPORTED, "'other'");

    CHECK_FAILS(jc_classifier_load("/nonexistent/model", NULL, &classifier, &err), JC_E_NOT_FOUND,
                "/nonexistent/model");
    CHECK(!classifier);
}

static jc_code ask_canary(const char *title, const char *code)
{
    float row[384];
    encode_w3_w4(row);
    struct small_model model = base_model;
    model.first_row = row;
    model.canary_title = title;
    model.canary_code = code;
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    REQUIRE_OK(load(model, &classifier));
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    return jc_canary_run_all(classifier, session, &err);
}

static void test_canaries(void)
{
    REQUIRE_OK(ask_canary("W3 <b>W4</b>", "10-0000.00"));
    REQUIRE_OK(ask_canary(NULL, NULL));
    CHECK_FAILS(ask_canary("w3 w4", "10-0001.00"), JC_E_MODEL,
                "canary 'w3 w4' gives 10-0000.00 (A title), not 10-0001.00");
    CHECK_CONTAINS(err.text, folder);
    CHECK_FAILS(ask_canary("...", "10-0001.00"), JC_E_MODEL, "canary '...' has no usable text");
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    test_answers();
    test_confidence();
    test_prepare();
    test_refusals();
    test_canaries();
    jc_classifier_destroy(NULL);
    jc_dir_remove(folder);
    return check_finish();
}
