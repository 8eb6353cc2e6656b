/*
 * A session against brute force: every input's hits are those of its own vector scored row by row, whatever stands
 * beside it in the batch, in whatever order, and equal texts are encoded once; those of groups are of sums over them.
 */
#include "check.h"
#include "confidence.h"
#include "model/classifier.h"
#include "model/encoder.h"
#include "small_model.h"

enum { N_CATEGORIES = 300, DIM = 384, MAX_TOP = 12, MAX_BATCH = 3000, SHARPNESS = 10 };
#define SATURATION 4.0F
#define POWER 0.75F

static struct jc_err err;
static struct jc_classifier *classifier;
static struct jc_encoder *encoder;

static struct jc_input inputs[MAX_BATCH];
static struct jc_hit hits[MAX_BATCH][MAX_TOP];

/* A text of one to six of the first n_words words, from a small set so that texts repeat. */
static void make_input(struct jc_rng *rng, size_t i, uint32_t top_n, uint64_t n_words)
{
    char title[64];
    size_t n = 0, n_tokens = 1 + jc_rng_next(rng) % 6;
    for (size_t w = 0; w < n_tokens; w++)
        n += (size_t)snprintf(title + n, sizeof(title) - n, "w%d ", (int)(jc_rng_next(rng) % n_words));
    struct jc_posting posting = {.title = title, .n_title = n};
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, &inputs[i], &err));
    REQUIRE(inputs[i].n_ids == n_tokens + 2);
    inputs[i].top_n = top_n;
    inputs[i].level = JC_LEVEL_NONE;
    inputs[i].hits = hits[i];
    memset(hits[i], 0xff, sizeof(hits[i]));
}

static void compute_scores(const struct jc_input *input, float *scores)
{
    float vector[DIM];
    const float *rows = jc_bundle_head(jc_classifier_bundle(classifier))->matrix;
    REQUIRE_OK(jc_encoder_encode(encoder, input->ids, &input->n_ids, 1, vector, &err));
    for (size_t c = 0; c < N_CATEGORIES; c++) {
        double sum = 0;
        for (size_t d = 0; d < DIM; d++)
            sum += (double)vector[d] * rows[c * DIM + d];
        scores[c] = (float)sum;
    }
}

/* Each group listed has the sum over all categories of its code and no better one than the one named; none that is not
 * listed has more. */
static void check_groups(const struct jc_input *input)
{
    const struct jc_groups *groups = jc_classifier_groups(classifier);
    const struct jc_group *group_of[N_CATEGORIES];
    float scores[N_CATEGORIES];
    double probabilities[N_CATEGORIES], sums[N_CATEGORIES] = {0};
    compute_scores(input, scores);
    confidence_compute(scores, N_CATEGORIES, SHARPNESS, (double)SATURATION, (double)POWER, probabilities);
    for (uint32_t c = 0; c < N_CATEGORIES; c++) {
        group_of[c] = jc_groups_of(groups, input->level, c);
        for (uint32_t d = 0; d < N_CATEGORIES; d++)
            if (strcmp(group_of[c]->code, jc_groups_of(groups, input->level, d)->code) == 0)
                sums[c] += probabilities[d];
    }
    size_t n_groups = jc_groups_count(groups, input->level);
    CHECK_INT(input->n_hits, input->top_n < n_groups ? input->top_n : n_groups);
    bool listed[N_CATEGORIES] = {false};
    for (uint32_t k = 0; k < input->n_hits; k++) {
        uint32_t best = input->hits[k].index;
        REQUIRE(best < N_CATEGORIES);
        CHECK(!listed[best]);
        CHECK_NEAR(input->hits[k].score, sums[best], 1e-5);
        CHECK(jc_classifier_confidence(classifier, input, k) == input->hits[k].score);
        CHECK(k == 0 || input->hits[k - 1].score >= input->hits[k].score);
        for (uint32_t c = 0; c < N_CATEGORIES; c++) {
            if (group_of[c] != group_of[best])
                continue;
            listed[c] = true;
            CHECK(scores[c] <= scores[best] + 1e-5F);
        }
    }
    for (uint32_t c = 0; input->n_hits && c < N_CATEGORIES; c++)
        CHECK(listed[c] || sums[c] <= (double)input->hits[input->n_hits - 1].score + 1e-5);
}

/* Selection by repeated maximum, the first of equals. */
static void check_categories(const struct jc_input *input)
{
    float scores[N_CATEGORIES];
    double probabilities[N_CATEGORIES];
    compute_scores(input, scores);
    confidence_compute(scores, N_CATEGORIES, SHARPNESS, (double)SATURATION, (double)POWER, probabilities);
    CHECK_INT(input->n_hits, input->top_n);
    for (uint32_t k = 0; k < input->n_hits; k++) {
        size_t best = 0;
        for (size_t c = 1; c < N_CATEGORIES; c++)
            if (scores[c] > scores[best])
                best = c;
        CHECK_NEAR(input->hits[k].score, scores[best], 1e-5);
        REQUIRE(input->hits[k].index < N_CATEGORIES);
        /* Another category than `best` only where the two tie within rounding. */
        CHECK_NEAR(scores[input->hits[k].index], scores[best], 1e-5);
        CHECK_NEAR(jc_classifier_confidence(classifier, input, k), probabilities[input->hits[k].index], 1e-5);
        scores[input->hits[k].index] = -2;
    }
}

static void check_hits(const struct jc_input *input)
{
    if (input->level == JC_LEVEL_NONE)
        check_categories(input);
    else
        check_groups(input);
}

/* How many different texts there are, by comparing all pairs. */
static size_t count_unique(struct jc_input *const *batch, size_t n, size_t *ret_n_tokens)
{
    size_t n_unique = 0;
    *ret_n_tokens = 0;
    for (size_t i = 0; i < n; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = batch[i]->n_ids == batch[j]->n_ids &&
                   memcmp(batch[i]->ids, batch[j]->ids, batch[i]->n_ids * sizeof(int32_t)) == 0;
        n_unique += !seen;
        *ret_n_tokens += seen ? 0 : batch[i]->n_ids;
    }
    return n_unique;
}

static void run_batch(struct jc_session *session, size_t n, uint64_t seed, uint64_t n_words)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    static struct jc_input *batch[MAX_BATCH];
    struct jc_run_stats stats;
    for (size_t i = 0; i < n; i++) {
        make_input(&rng, i, (uint32_t)(jc_rng_next(&rng) % (MAX_TOP + 1)), n_words);
        uint64_t draw = jc_rng_next(&rng) % (JC_LEVEL_COUNT + 2);
        inputs[i].level = draw < JC_LEVEL_COUNT ? (enum jc_level)draw : JC_LEVEL_NONE;
        batch[i] = &inputs[i];
    }
    REQUIRE_OK(jc_session_run(session, batch, n, &stats, &err));
    size_t n_tokens, n_unique = count_unique(batch, n, &n_tokens);
    CHECK_INT(stats.n_texts, n);
    CHECK_INT(stats.n_unique, n_unique);
    CHECK_INT(stats.n_tokens, n_tokens);
    for (size_t i = 0; i < n; i++)
        check_hits(&inputs[i]);

    /* The same inputs from back to front. */
    struct jc_hit before[MAX_TOP];
    for (size_t i = 0; i < n; i++)
        batch[n - 1 - i] = &inputs[i];
    memcpy(before, hits[0], sizeof(before));
    memset(hits, 0xff, sizeof(hits));
    REQUIRE_OK(jc_session_run(session, batch, n, &stats, &err));
    CHECK_INT(stats.n_unique, n_unique);
    for (uint32_t k = 0; n && k < inputs[0].top_n; k++)
        CHECK_NEAR(hits[0][k].score, before[k].score, 1e-6);
    for (size_t i = 0; i < n; i += 7)
        check_hits(&inputs[i]);
    for (size_t i = 0; i < n; i++)
        jc_input_finish(&inputs[i]);
}

/* More hits than there are categories: all of them, and no more. */
static void test_top_n_over(struct jc_session *session)
{
    static struct jc_hit many[2 * N_CATEGORIES];
    struct jc_rng rng = jc_rng_seeded(5);
    struct jc_input *batch[] = {&inputs[0]};
    struct jc_run_stats stats;
    make_input(&rng, 0, 2 * N_CATEGORIES, SMALL_WORDS);
    inputs[0].hits = many;
    REQUIRE_OK(jc_session_run(session, batch, 1, &stats, &err));
    CHECK_INT(inputs[0].n_hits, N_CATEGORIES);
    for (size_t k = 1; k < N_CATEGORIES; k++)
        CHECK(many[k - 1].score >= many[k].score);
    jc_input_finish(&inputs[0]);

    CHECK_FAILS(jc_session_run(session, batch, 1, &stats, &err), JC_E_INTERNAL, "no tokens");
}

/* One text at every level, with none, and again: each input gets its own level's answer, the shorter of a level the
 * head of the longer. */
static void test_levels_of_a_text(struct jc_session *session)
{
    struct jc_input *batch[2 * JC_LEVEL_COUNT];
    struct jc_run_stats stats;
    for (size_t i = 0; i < JC_COUNT(batch); i++) {
        struct jc_rng rng = jc_rng_seeded(11);
        make_input(&rng, i, i < JC_LEVEL_COUNT ? 3 : 7, SMALL_WORDS);
        inputs[i].level = (enum jc_level)(i % JC_LEVEL_COUNT);
        batch[i] = &inputs[i];
    }
    REQUIRE_OK(jc_session_run(session, batch, JC_COUNT(batch), &stats, &err));
    CHECK_INT(stats.n_unique, 1);
    for (size_t i = 0; i < JC_COUNT(batch); i++) {
        check_hits(&inputs[i]);
        CHECK(memcmp(hits[i], hits[(i + JC_LEVEL_COUNT) % JC_COUNT(batch)], 3 * sizeof(**hits)) == 0);
        CHECK_NEAR(jc_classifier_confidence(classifier, &inputs[i], 0),
                   jc_classifier_confidence(classifier, &inputs[(i + JC_LEVEL_COUNT) % JC_COUNT(batch)], 0), 0);
    }
    for (size_t i = 0; i < JC_COUNT(batch); i++)
        jc_input_finish(&inputs[i]);
}

/* Codes that share groups at each level, some with a group of their own. */
static const char *const *make_codes(void)
{
    static char text[N_CATEGORIES][32];
    static const char *codes[N_CATEGORIES];
    for (unsigned i = 0; i < N_CATEGORIES; i++) {
        if (i % 29 == 0)
            snprintf(text[i], sizeof(text[i]), "own-%u", i);
        else
            snprintf(text[i], sizeof(text[i]), "%u-%u%02u%u.%02u", 11 + 2 * (i % 21), 1 + i % 4, i % 5, i % 3, i / 30);
        codes[i] = text[i];
    }
    return codes;
}

int main(void)
{
    char folder[] = "/tmp/test_session.XXXXXX";
    REQUIRE(mkdtemp(folder));
    small_model_write(folder, &(struct small_model){.n_categories = N_CATEGORIES,
                                                    .dim = DIM,
                                                    .max_tokens = 32,
                                                    .kind = "fake",
                                                    .source_sha256 = "",
                                                    .codes = make_codes(),
                                                    .sharpness = SHARPNESS,
                                                    .saturation = SATURATION,
                                                    .power = POWER});
    REQUIRE_OK(jc_classifier_load(folder, NULL, &classifier, &err));
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &encoder, &err));
    struct jc_session *session = NULL;
    REQUIRE_OK(jc_session_create(classifier, &session, &err));

    /* Growing, shrinking, growing; few distinct texts and almost only distinct ones; over one chunk of 1,024. */
    const size_t sizes[] = {1, 2, 0, 64, 65, 3, 700, 1};
    for (size_t i = 0; i < JC_COUNT(sizes); i++)
        run_batch(session, sizes[i], 100 + i, i % 2 ? 3 : SMALL_WORDS);
    run_batch(session, MAX_BATCH, 9, SMALL_WORDS);
    test_levels_of_a_text(session);
    test_top_n_over(session);

    jc_session_destroy(session);
    jc_session_destroy(NULL);
    jc_classifier_destroy(classifier);
    jc_encoder_destroy(encoder);
    jc_dir_remove(folder);
    return check_finish();
}
