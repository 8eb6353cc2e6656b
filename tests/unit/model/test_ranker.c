/*
 * A session whose encoder ranks by itself gives what one does that goes the long way: here an encoder that ranks as the
 * long way would, but on its own, stands in for a GPU's. Also when it gives a batch back, and for what it is not asked.
 */
#include "check.h"
#include "model/classifier_impl.h"
#include "model/encoder_impl.h"
#include "small_model.h"

enum { N_CATEGORIES = 120, DIM = 384, N_INPUTS = 70, MAX_TOP = 9 };

static struct jc_err err;
static size_t n_ranked, n_kept;
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

static jc_code rank(const struct jc_encoder *encoder, const void *categories, const int32_t *ids,
                    const uint32_t *n_tokens, size_t n_texts, struct jc_ranking *ranking, bool *ret_is_done,
                    struct jc_err *error)
{
    const struct jc_head *head = categories;
    n_ranked += n_texts;
    *ret_is_done = !gives_back;
    for (size_t i = 0; i < n_texts && !gives_back; ids += n_tokens[i++]) {
        float vector[DIM], scores[N_CATEGORIES];
        jc_code code = encoder->class->encode(encoder, ids, n_tokens + i, 1, vector, error);
        if (code)
            return code;
        jc_scoring_scores(head, vector, 1, scores);
        jc_topk(scores, N_CATEGORIES, ranking->n_hits, ranking->hits + i * ranking->n_hits);
        ranking->norms[i] = jc_scoring_norm(head, scores);
    }
    return JC_OK;
}

static struct jc_input inputs[N_INPUTS];
static struct jc_hit hits[N_INPUTS][MAX_TOP];

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
    }
}

static void run(struct jc_session *session, size_t n)
{
    struct jc_input *batch[N_INPUTS];
    struct jc_run_stats stats;
    for (size_t i = 0; i < n; i++) {
        batch[i] = &inputs[i];
        memset(hits[i], 0xff, sizeof hits[i]);
    }
    n_ranked = 0;
    REQUIRE_OK(jc_session_run(session, batch, n, &stats, &err));
}

static void check_same(struct jc_hit want[N_INPUTS][MAX_TOP], const struct jc_norm *norms)
{
    for (size_t i = 0; i < N_INPUTS; i++) {
        CHECK_INT(inputs[i].n_hits, inputs[i].top_n);
        CHECK_NEAR(inputs[i].norm.mass, norms[i].mass, 1e-4);
        for (uint32_t k = 0; k < inputs[i].n_hits; k++) {
            CHECK_INT(hits[i][k].index, want[i][k].index);
            CHECK_NEAR(hits[i][k].score, want[i][k].score, 1e-5);
        }
    }
}

int main(void)
{
    static const struct small_model model = {.n_categories = N_CATEGORIES,
                                             .dim = DIM,
                                             .max_tokens = 64,
                                             .kind = JC_ENCODER_FAKE,
                                             .source_sha256 = "",
                                             .sharpness = 10};
    static struct jc_hit want[N_INPUTS][MAX_TOP];
    struct jc_norm norms[N_INPUTS];
    char folder[] = "/tmp/jobcode-ranker-XXXXXX", path[64];
    REQUIRE(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model", folder);
    small_model_write(path, &model);
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    REQUIRE_OK(jc_classifier_load(path, NULL, &classifier, &err));
    CHECK(classifier->ranker == NULL); /* the fake has none */
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    make_inputs(classifier);
    run(session, N_INPUTS);
    memcpy(want, hits, sizeof want);
    for (size_t i = 0; i < N_INPUTS; i++)
        norms[i] = inputs[i].norm;

    struct jc_encoder_class class = *classifier->encoder->class;
    class.keep_categories = keep;
    class.drop_categories = drop;
    class.rank = rank;
    classifier->encoder->class = &class;
    REQUIRE_OK(jc_ranker_create(classifier->encoder, jc_bundle_head(classifier->bundle), &classifier->ranker, &err));
    REQUIRE(classifier->ranker != NULL);
    CHECK_INT(n_kept, 1);
    run(session, N_INPUTS);
    CHECK(n_ranked > 0 && n_ranked < N_INPUTS); /* equal texts once */
    check_same(want, norms);

    gives_back = true; /* a vector that is not finite: the long way has the batch */
    run(session, N_INPUTS);
    CHECK(n_ranked > 0);
    check_same(want, norms);

    gives_back = false;
    inputs[3].level = JC_LEVEL_MAJOR; /* sums over all categories are not kept where the vectors are */
    run(session, N_INPUTS);
    CHECK_INT(n_ranked, 0);

    jc_ranker_destroy(TAKE(classifier->ranker));
    CHECK_INT(n_kept, 0);
    for (size_t i = 0; i < N_INPUTS; i++)
        jc_input_finish(&inputs[i]);
    jc_dir_remove(folder);
    return check_finish();
}
