/*
 * A model that cuts long texts into chunks: a text's scores are those of the mean, at length 1, of its chunks' vectors,
 * each encoded by hand from its own words; texts of all lengths in one batch, repeated ones too.
 */
#include "base/rng.h"
#include "check.h"
#include "model/classifier.h"
#include "model/encoder.h"
#include "small_model.h"

enum {
    N_CATEGORIES = 40,
    DIM = 384,
    N_TEXTS = 900,
    MAX_WORDS = 55,
    CHUNK_WORDS = 10,
    N_CHUNKS = 4,
    UNKNOWN = 1,
    FIRST_WORD = 5,
    STOP = 3
};

static struct jc_err err;
static char folder[] = "/tmp/test_session_chunks.XXXXXX";

/* A text: the title has its first three words and the body those behind the fourth, which is the full stop that
 * cleaning puts between them, unknown to the vocabulary. */
struct text {
    int32_t ids[MAX_WORDS];
    size_t n_words;
};

static void make_text(struct jc_rng *rng, struct text *text)
{
    static const size_t edges[] = {1, 9, 10, 11, 20, 21, 39, 40, 41, MAX_WORDS};
    text->n_words =
        jc_rng_unit(rng) < 0.5 ? edges[jc_rng_next(rng) % JC_COUNT(edges)] : 1 + jc_rng_next(rng) % MAX_WORDS;
    for (size_t i = 0; i < text->n_words; i++)
        text->ids[i] = FIRST_WORD + (int32_t)(jc_rng_next(rng) % SMALL_WORDS);
    if (text->n_words == STOP + 1)
        text->n_words--;
    if (text->n_words > STOP)
        text->ids[STOP] = UNKNOWN;
}

static void prepare(const struct jc_classifier *classifier, const struct text *text, struct jc_input *input)
{
    JC_AUTO_BUF struct jc_buf title = {0}, body = {0};
    for (size_t i = 0; i < text->n_words; i++)
        if (i != STOP)
            jc_buf_printf(i < STOP ? &title : &body, "w%d ", text->ids[i] - FIRST_WORD);
    const struct jc_posting posting = {.title = title.data, .n_title = title.n, .body = body.data, .n_body = body.n};
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, input, &err));
}

/* ret_vector [DIM]: chunk by chunk. */
static void compute_vector(const struct jc_encoder *encoder, const struct text *text, double *ret_vector)
{
    double squares = 0;
    memset(ret_vector, 0, DIM * sizeof(*ret_vector));
    for (size_t begin = 0; begin < text->n_words && begin < N_CHUNKS * CHUNK_WORDS; begin += CHUNK_WORDS) {
        int32_t ids[CHUNK_WORDS + 2] = {2};
        uint32_t n = 1;
        for (size_t i = begin; i < text->n_words && i < begin + CHUNK_WORDS; i++)
            ids[n++] = text->ids[i];
        ids[n++] = 3;
        float vector[DIM];
        REQUIRE_OK(jc_encoder_encode(encoder, ids, &n, 1, vector, &err));
        for (size_t d = 0; d < DIM; d++)
            ret_vector[d] += (double)vector[d];
    }
    for (size_t d = 0; d < DIM; d++)
        squares += ret_vector[d] * ret_vector[d];
    for (size_t d = 0; d < DIM; d++)
        ret_vector[d] /= sqrt(squares);
}

static void check_hits(const struct jc_head *head, const struct jc_encoder *encoder, const struct text *text,
                       const struct jc_input *input)
{
    double vector[DIM];
    compute_vector(encoder, text, vector);
    CHECK_INT(input->n_hits, N_CATEGORIES);
    for (uint32_t h = 0; h < input->n_hits; h++) {
        double score = 0;
        for (size_t d = 0; d < DIM; d++)
            score += vector[d] * (double)head->matrix[input->hits[h].index * DIM + d];
        CHECK_NEAR(input->hits[h].score, score, 2e-6);
    }
}

int main(void)
{
    static struct text texts[N_TEXTS];
    static struct jc_input inputs[N_TEXTS], *batch[N_TEXTS];
    static struct jc_hit hits[N_TEXTS][N_CATEGORIES];
    REQUIRE(mkdtemp(folder));
    char path[256];
    REQUIRE_OK(jc_path_join(path, sizeof(path), folder, "model", &err));
    small_model_write(path, &(struct small_model){.n_categories = N_CATEGORIES,
                                                  .dim = DIM,
                                                  .max_tokens = CHUNK_WORDS + 2,
                                                  .chunks = N_CHUNKS,
                                                  .part = "title_body",
                                                  .kind = "fake",
                                                  .source_sha256 = ""});
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(jc_classifier_load(path, NULL, &classifier, &err));
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &encoder, &err));
    struct jc_rng rng = jc_rng_seeded(6);
    for (size_t i = 0; i < N_TEXTS; i++) {
        if (i % 5 == 4)
            texts[i] = texts[jc_rng_next(&rng) % i];
        else
            make_text(&rng, &texts[i]);
        inputs[i] = (struct jc_input){.top_n = N_CATEGORIES, .hits = hits[i]};
        prepare(classifier, &texts[i], &inputs[i]);
        batch[i] = &inputs[i];
    }
    const struct jc_head *head = jc_bundle_head(jc_classifier_bundle(classifier));
    struct jc_run_stats stats;
    for (size_t n = 1, begin = 0; begin < N_TEXTS; begin += n, n = 3 * n) {
        size_t n_batch = n < N_TEXTS - begin ? n : N_TEXTS - begin;
        REQUIRE_OK(jc_session_run(session, batch + begin, n_batch, &stats, &err));
        for (size_t i = begin; i < begin + n_batch; i++)
            check_hits(head, encoder, &texts[i], &inputs[i]);
    }
    for (size_t i = 0; i < N_TEXTS; i++)
        jc_input_finish(&inputs[i]);
    jc_dir_remove(folder);
    return check_finish();
}
