/*
 * A session whose encoder ranks by itself gives what one does that goes the long way: here an encoder that ranks as the
 * long way would, but on its own, stands in for a GPU's. Of heads with and without exemplars, of categories and of their
 * groups, and when it gives a batch back.
 */
#include "check.h"
#include "model/classifier_impl.h"
#include "model/encoder_impl.h"
#include "small_model.h"

enum { N_CATEGORIES = 120, DIM = 384, N_INPUTS = 70, MAX_TOP = 9, N_EXEMPLARS = 50, N_VOTERS = 12 };

static struct jc_err err;
static size_t n_ranked, n_kept, n_with_scores;
static bool gives_back;

static jc_code keep(const struct jc_encoder *encoder, const struct jc_head *head, void **ret_categories,
                    struct jc_err *error)
{
    (void)encoder, (void)error;
    n_kept++;
    *ret_categories = (void *)(uintptr_t)head;
    return JC_OK;
}

static void drop(void *categories)
{
    n_kept -= categories != NULL;
}

/* Text i of a ranking. */
static jc_code rank_text(const struct jc_head *head, const float *vector, size_t i, struct jc_ranking *ranking,
                         struct jc_err *error)
{
    float scores[N_CATEGORIES];
    JC_AUTO_FINISH(jc_vote) struct jc_vote vote = {0};
    const size_t n_neighbours = ranking->vote.n_neighbours;
    jc_gemm_scores(vector, 1, head->matrix, N_CATEGORIES, DIM, scores);
    if (head->exemplars.n) {
        jc_code code = jc_vote_find(&vote, &head->exemplars, vector, 1, DIM, error);
        if (code)
            return code;
        CHECK_INT(n_neighbours, N_VOTERS);
        jc_vote_add(&vote, &head->exemplars, 0, scores);
        memcpy(ranking->vote.neighbours + i * n_neighbours, vote.neighbours, n_neighbours * sizeof *vote.neighbours);
        ranking->vote.n_found[i] = vote.n_found[0];
    }
    if (ranking->has_scores)
        memcpy(ranking->scores + i * N_CATEGORIES, scores, sizeof scores);
    jc_vec_add(scores, 1, head->bias, N_CATEGORIES);
    jc_topk(scores, N_CATEGORIES, ranking->n_hits, ranking->hits + i * ranking->n_hits);
    ranking->norms[i] = jc_scoring_norm(head, scores);
    return JC_OK;
}

static jc_code rank(const struct jc_encoder *encoder, const void *categories, const int32_t *ids,
                    const uint32_t *n_tokens, size_t n_texts, struct jc_ranking *ranking, bool *ret_is_done,
                    struct jc_err *error)
{
    n_ranked += n_texts;
    n_with_scores += ranking->has_scores ? n_texts : 0;
    *ret_is_done = !gives_back;
    for (size_t i = 0; i < n_texts && !gives_back; ids += n_tokens[i++]) {
        float vector[DIM];
        jc_code code = encoder->class->encode(encoder, ids, n_tokens + i, 1, vector, error);
        if (code || (code = rank_text(categories, vector, i, ranking, error)))
            return code;
    }
    return JC_OK;
}

static struct jc_input inputs[N_INPUTS];
static struct jc_hit hits[N_INPUTS][MAX_TOP];
static struct jc_evidence evidence[N_INPUTS][MAX_TOP];

static void make_inputs(const struct jc_classifier *classifier)
{
    struct jc_rng rng = jc_rng_seeded(4);
    for (size_t i = 0; i < N_INPUTS; i++) {
        char title[64];
        int n = snprintf(title, sizeof title, "w%d w%d", (int)(jc_rng_next(&rng) % 6), (int)(jc_rng_next(&rng) % 5));
        const struct jc_posting posting = {.title = title, .n_title = (size_t)n};
        REQUIRE_OK(jc_classifier_prepare(classifier, &posting, &inputs[i], &err));
        inputs[i].top_n = 1 + (uint32_t)(i % MAX_TOP);
        inputs[i].hits = hits[i];
        inputs[i].evidence = evidence[i];
    }
}

static void run(struct jc_session *session)
{
    struct jc_input *batch[N_INPUTS];
    struct jc_run_stats stats;
    for (size_t i = 0; i < N_INPUTS; i++)
        batch[i] = &inputs[i];
    memset(hits, 0xff, sizeof hits);
    memset(evidence, 0xff, sizeof evidence);
    n_ranked = n_with_scores = 0;
    REQUIRE_OK(jc_session_run(session, batch, N_INPUTS, &stats, &err));
}

/* What the long way gave. */
static struct {
    struct jc_hit hits[N_INPUTS][MAX_TOP];
    struct jc_evidence evidence[N_INPUTS][MAX_TOP];
    uint32_t n_hits[N_INPUTS];
    struct jc_norm norms[N_INPUTS];
} want;

static void keep_wanted(void)
{
    memcpy(want.hits, hits, sizeof hits);
    memcpy(want.evidence, evidence, sizeof evidence);
    for (size_t i = 0; i < N_INPUTS; i++) {
        want.n_hits[i] = inputs[i].n_hits;
        want.norms[i] = inputs[i].norm;
    }
}

static void check_same(bool has_exemplars)
{
    size_t n_evidence = 0;
    for (size_t i = 0; i < N_INPUTS; i++) {
        CHECK_INT(inputs[i].n_hits, want.n_hits[i]);
        if (inputs[i].level == JC_LEVEL_NONE)
            CHECK_NEAR(inputs[i].norm.mass, want.norms[i].mass, 1e-4);
        for (uint32_t k = 0; k < inputs[i].n_hits; k++) {
            CHECK_INT(hits[i][k].index, want.hits[i][k].index);
            CHECK_NEAR(hits[i][k].score, want.hits[i][k].score, 1e-5);
            CHECK_INT(evidence[i][k].text, want.evidence[i][k].text);
            if (evidence[i][k].text != JC_EVIDENCE_NONE)
                CHECK_NEAR(evidence[i][k].similarity, want.evidence[i][k].similarity, 1e-6);
            n_evidence += evidence[i][k].text != JC_EVIDENCE_NONE;
        }
    }
    CHECK(has_exemplars == (n_evidence > 0));
}

/* With every n-th input, if any, asking for groups. */
static void check_levels(struct jc_classifier *classifier, size_t every, bool has_exemplars)
{
    JC_AUTO(jc_session) struct jc_session *session = NULL, *long_way = NULL;
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    REQUIRE_OK(jc_session_create(classifier, &long_way, &err));
    struct jc_ranker *ranker = TAKE(classifier->ranker);
    for (size_t i = 0; i < N_INPUTS; i++)
        inputs[i].level =
            every && i % every == 0 ? (enum jc_level)(1 + i / every % (JC_LEVEL_COUNT - 1)) : JC_LEVEL_NONE;
    run(long_way);
    CHECK_INT(n_ranked, 0);
    keep_wanted();

    classifier->ranker = ranker;
    run(session);
    CHECK(n_ranked > 0 && n_ranked < N_INPUTS); /* equal texts once */
    CHECK_INT(n_with_scores, every ? n_ranked : 0);
    check_same(has_exemplars);

    gives_back = true; /* a vector that is not finite: the long way has the batch */
    run(session);
    CHECK(n_ranked > 0);
    check_same(has_exemplars);
    gives_back = false;
}

static void make_exemplars(struct jc_exemplars *exemplars)
{
    struct jc_rng rng = jc_rng_seeded(8);
    REQUIRE_OK(jc_exemplars_init(exemplars, N_EXEMPLARS, DIM, 2 * N_EXEMPLARS, 2 * N_EXEMPLARS, &err));
    for (size_t i = 0; i < N_EXEMPLARS * DIM; i++)
        exemplars->vectors[i] = (float)(jc_rng_unit(&rng) - 0.5);
    for (size_t i = 0; i < N_EXEMPLARS; i++) {
        jc_vec_normalize(exemplars->vectors + i * DIM, DIM);
        for (uint32_t c = 0; c < 2; c++) {
            exemplars->codes[2 * i + c] = (uint32_t)(i % 7) + c * 60;
            exemplars->code_weights[2 * i + c] = 0.25F + (float)c;
        }
        exemplars->code_begins[i + 1] = 2 * (i + 1);
        exemplars->text_data[2 * i] = 'x';
        exemplars->text_begins[i + 1] = 2 * (i + 1);
    }
    exemplars->k = N_VOTERS;
    exemplars->sharpness = 9;
    exemplars->weight = 0.4F;
}

static void check_model(const char *path, const struct jc_exemplars *exemplars)
{
    const struct small_model model = {.n_categories = N_CATEGORIES,
                                      .dim = DIM,
                                      .max_tokens = 64,
                                      .kind = JC_ENCODER_FAKE,
                                      .source_sha256 = "",
                                      .exemplars = exemplars,
                                      .sharpness = 10};
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    small_model_write(path, &model);
    REQUIRE_OK(jc_classifier_load(path, NULL, &classifier, &err));
    CHECK(classifier->ranker == NULL); /* the fake has none */
    const struct jc_head *head = jc_bundle_head(classifier->bundle);
    for (size_t c = 0; c < N_CATEGORIES; c++)
        head->bias[c] = (float)(c % 5) / 50;
    make_inputs(classifier);

    struct jc_encoder_class class = *classifier->encoder->class;
    const struct jc_encoder_class *own_class = classifier->encoder->class;
    class.keep_categories = keep;
    class.drop_categories = drop;
    class.rank = rank;
    classifier->encoder->class = &class;
    REQUIRE_OK(jc_ranker_create(classifier->encoder, head, &classifier->ranker, &err));
    REQUIRE(classifier->ranker != NULL);
    CHECK_INT(n_kept, 1);
    check_levels(classifier, 0, exemplars != NULL);
    check_levels(classifier, 3, exemplars != NULL);
    check_levels(classifier, 1, exemplars != NULL);
    check_levels(classifier, 0, exemplars != NULL);

    jc_ranker_destroy(TAKE(classifier->ranker));
    CHECK_INT(n_kept, 0);
    classifier->encoder->class = own_class;
    for (size_t i = 0; i < N_INPUTS; i++)
        jc_input_finish(&inputs[i]);
}

int main(void)
{
    char folder[] = "/tmp/jobcode-ranker-XXXXXX", path[64];
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    REQUIRE(mkdtemp(folder));
    make_exemplars(&exemplars);
    snprintf(path, sizeof path, "%s/plain", folder);
    check_model(path, NULL);
    snprintf(path, sizeof path, "%s/voting", folder);
    check_model(path, &exemplars);
    jc_dir_remove(folder);
    return check_finish();
}
