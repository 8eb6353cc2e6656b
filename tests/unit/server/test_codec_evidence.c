/* Evidence in answers: its text as JSON, cut where it is long, its similarity; absent where there is none. */
#include <jansson.h>

#include "check.h"
#include "server/api/codec.h"
#include "small_model.h"

enum { N_CATEGORIES = 4, DIM = 384, N_TEXTS = 4, LONG_CHARS = 300 };

static struct jc_err err;
static struct jc_classifier *classifier;
static char texts[N_TEXTS][4 * LONG_CHARS + 1] = {"icu nurse", "\"chef\" \\ caf\xc3\xa9 </b>"};

/* One text a category; the third is of four-byte characters, the fourth as long as is shown whole. */
static void make_exemplars(struct jc_exemplars *exemplars)
{
    for (size_t i = 0; i < LONG_CHARS; i++)
        strcat(texts[2], "\xf0\x9f\x98\x80");
    memset(texts[3], 'x', 200);
    REQUIRE_OK(jc_exemplars_init(exemplars, N_TEXTS, DIM, N_TEXTS, sizeof texts, &err));
    for (size_t i = 0; i < N_TEXTS; i++) {
        exemplars->vectors[i * DIM + i] = 1;
        exemplars->code_begins[i + 1] = i + 1;
        exemplars->codes[i] = (uint32_t)i;
        exemplars->code_weights[i] = 1;
        strcpy(exemplars->text_data + exemplars->text_begins[i], texts[i]);
        exemplars->text_begins[i + 1] = exemplars->text_begins[i] + strlen(texts[i]) + 1;
    }
}

/* The matches of an answer with a hit for each category and this evidence; NULL: the model has none. */
static json_t *answer(struct jc_evidence *evidence, enum jc_level level)
{
    struct jc_hit hits[N_CATEGORIES];
    for (uint32_t i = 0; i < N_CATEGORIES; i++)
        hits[i] = (struct jc_hit){.index = i, .score = 0.5F};
    struct jc_item item = {
        .input = {.n_hits = N_CATEGORIES, .hits = hits, .evidence = evidence, .level = level, .norm = {.mass = 2}}};
    struct jc_classify_posting posting = {.item = &item};
    struct jc_classify classify = {.postings = &posting,
                                   .n_postings = 1,
                                   .ticket = {.items = &item, .n_items = 1},
                                   .level = level,
                                   .evidence = evidence};
    JC_AUTO_BUF struct jc_buf out = {0};
    jc_codec_put_answer(&classify, classifier, &out);
    json_error_t where;
    json_auto_t *root = json_loadb(out.data, out.n, JSON_REJECT_DUPLICATES, &where);
    REQUIRE(root);
    return json_incref(json_object_get(json_array_get(json_object_get(root, "results"), 0), "matches"));
}

static void check_evidence(const json_t *match, const char *title, double similarity)
{
    const json_t *evidence = json_object_get(match, "evidence");
    CHECK_INT(json_object_size(evidence), 2);
    CHECK_STR(json_string_value(json_object_get(evidence, "title")), title);
    CHECK_NEAR(json_real_value(json_object_get(evidence, "similarity")), similarity, 1e-9);
}

static void test_answers(enum jc_level level)
{
    struct jc_evidence evidence[N_CATEGORIES] = {{0, 0.93125F}, {1, 1.0004F}, {2, -0.25F}, {3, 0}};
    char cut[4 * 200 + 1] = "";
    memcpy(cut, texts[2], sizeof cut - 1);
    json_auto_t *matches = answer(evidence, level);
    REQUIRE(json_array_size(matches) == N_CATEGORIES);
    check_evidence(json_array_get(matches, 0), "icu nurse", 0.9312);
    check_evidence(json_array_get(matches, 1), texts[1], 1);
    check_evidence(json_array_get(matches, 2), cut, -0.25);
    check_evidence(json_array_get(matches, 3), texts[3], 0);

    evidence[1].text = JC_EVIDENCE_NONE;
    json_auto_t *without = answer(evidence, level);
    check_evidence(json_array_get(without, 0), "icu nurse", 0.9312);
    CHECK(!json_object_get(json_array_get(without, 1), "evidence"));
    CHECK(json_object_get(json_array_get(without, 2), "evidence"));

    json_auto_t *none = answer(NULL, level);
    REQUIRE(json_array_size(none) == N_CATEGORIES);
    for (size_t i = 0; i < N_CATEGORIES; i++)
        CHECK(!json_object_get(json_array_get(none, i), "evidence"));
}

int main(void)
{
    char folder[] = "/tmp/test_codec_evidence.XXXXXX";
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    REQUIRE(mkdtemp(folder));
    make_exemplars(&exemplars);
    small_model_write(folder, &(struct small_model){.n_categories = N_CATEGORIES,
                                                    .dim = DIM,
                                                    .max_tokens = 32,
                                                    .kind = "fake",
                                                    .source_sha256 = "",
                                                    .exemplars = &exemplars});
    REQUIRE_OK(jc_classifier_load(folder, NULL, &classifier, &err));
    test_answers(JC_LEVEL_NONE);
    test_answers(JC_LEVEL_MAJOR);
    jc_classifier_destroy(classifier);
    jc_dir_remove(folder);
    return check_finish();
}
