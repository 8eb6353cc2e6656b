/*
 * The encoder against BERT in double precision (random_bert.h): small random encoders of both poolings in both
 * precisions, every refusal, and what must not change a vector: the batch, the place in it, the thread.
 */
#include <pthread.h>

#include "check.h"
#include "dnn/dnn.h"
#include "encoder_cases.h"
#include "linalg/linalg.h"

static void encode(const struct jc_dnn_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                   float *vectors)
{
    struct jc_err err;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    REQUIRE_OK(jc_dnn_scratch_create(encoder, &scratch, &err));
    REQUIRE_OK(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, n_texts, vectors, &err));
}

/* Alone, behind another text, and in a batch turned around. */
static void check_batches(const struct jc_dnn_encoder *encoder, const struct texts *texts, const float *want,
                          double most)
{
    static int32_t ids[N_TEXTS * MAX_LEN];
    static uint32_t n_tokens[N_TEXTS];
    static float vectors[N_TEXTS * MAX_HIDDEN];
    const size_t hidden = jc_dnn_encoder_bert(encoder)->hidden;
    double gap = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        encode(encoder, texts->ids + texts->starts[i], texts->n_tokens + i, 1, vectors);
        gap = fmax(gap, measure_gap(vectors, want + i * hidden, hidden));
        if (i + 1 < N_TEXTS) {
            encode(encoder, texts->ids + texts->starts[i], texts->n_tokens + i, 2, vectors);
            gap = fmax(gap, measure_gap(vectors, want + i * hidden, 2 * hidden));
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        const size_t from = N_TEXTS - 1 - i;
        n_tokens[i] = texts->n_tokens[from];
        memcpy(ids + n, texts->ids + texts->starts[from], n_tokens[i] * sizeof *ids);
        n += n_tokens[i];
    }
    encode(encoder, ids, n_tokens, N_TEXTS, vectors);
    for (size_t i = 0; i < N_TEXTS; i++)
        gap = fmax(gap, measure_gap(vectors + i * hidden, want + (N_TEXTS - 1 - i) * hidden, hidden));
    check_report(gap <= most, __FILE__, __LINE__, "the batch changes a vector by %g", gap);
}

struct work {
    const struct jc_dnn_encoder *encoder;
    const struct texts *texts;
    const float *want;
    double gap;
};

static void *encode_again(void *context)
{
    struct work *work = context;
    float vectors[N_TEXTS * MAX_HIDDEN];
    for (int i = 0; i < 5; i++) {
        encode(work->encoder, work->texts->ids, work->texts->n_tokens, N_TEXTS, vectors);
        work->gap =
            fmax(work->gap, measure_gap(vectors, work->want, N_TEXTS * jc_dnn_encoder_bert(work->encoder)->hidden));
    }
    return NULL;
}

static void check_threads(const struct jc_dnn_encoder *encoder, const struct texts *texts, const float *want)
{
    struct work works[3];
    pthread_t threads[3];
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        works[i] = (struct work){.encoder = encoder, .texts = texts, .want = want};
        REQUIRE(pthread_create(&threads[i], NULL, encode_again, &works[i]) == 0);
    }
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        pthread_join(threads[i], NULL);
        CHECK(works[i].gap == 0);
    }
}

static void check_inputs(const struct jc_dnn_encoder *encoder)
{
    const struct jc_bert *bert = jc_dnn_encoder_bert(encoder);
    struct jc_err err;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    float vectors[2 * MAX_HIDDEN];
    int32_t ids[MAX_LEN + 2] = {0};
    uint32_t n_tokens[2] = {1, 0};
    REQUIRE_OK(jc_dnn_scratch_create(encoder, &scratch, &err));
    CHECK(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, 0, vectors, &err) == JC_OK);
    CHECK_FAILS(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, 2, vectors, &err), JC_E_INVALID,
                "text 1 has 0 tokens");
    n_tokens[1] = UINT32_MAX;
    CHECK_FAILS(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has");
    n_tokens[1] = (uint32_t)bert->max_tokens + 1;
    CHECK_FAILS(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has");
    n_tokens[1] = 2;
    ids[2] = (int32_t)bert->vocab;
    CHECK_FAILS(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "token id");
    ids[2] = -1;
    CHECK_FAILS(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "token id -1");
    ids[2] = (int32_t)bert->vocab - 1;
    CHECK(jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, 2, vectors, &err) == JC_OK);
}

/* Largest difference to the reference, and the mean cosine. */
static double compare(struct checkpoint *c, const struct texts *texts, const float *vectors, double *ret_cosine)
{
    const size_t hidden = c->bert.hidden;
    double gap = 0, cosine = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        double want[MAX_HIDDEN];
        ref_encode(c, texts->ids + texts->starts[i], texts->n_tokens[i], want);
        for (size_t k = 0; k < hidden; k++) {
            gap = fmax(gap, fabs(vectors[i * hidden + k] - want[k]));
            cosine += vectors[i * hidden + k] * want[k] / N_TEXTS;
        }
    }
    *ret_cosine = cosine;
    return gap;
}

static void check_precisions(struct checkpoint *c)
{
    struct jc_err err;
    static struct texts texts;
    static float vectors[N_TEXTS * MAX_HIDDEN];
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *encoder = NULL, *small = NULL;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    JC_AUTO_FREE float *calibration = calloc(jc_bert_calibration_size(&c->bert), sizeof *calibration);
    double cosine;
    fill_texts(&texts, &c->bert, 11);
    REQUIRE_OK(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_F32, NULL, &encoder, &err));
    encode(encoder, texts.ids, texts.n_tokens, N_TEXTS, vectors);
    double gap = compare(c, &texts, vectors, &cosine);
    check_report(gap <= 1e-5, __FILE__, __LINE__, "float32 is %g from the reference", gap);
    check_batches(encoder, &texts, vectors, 1e-6);
    check_threads(encoder, &texts, vectors);
    check_inputs(encoder);

    REQUIRE_OK(jc_dnn_scratch_create(encoder, &scratch, &err));
    REQUIRE_OK(jc_dnn_encoder_calibrate(encoder, scratch, texts.ids, texts.n_tokens, N_TEXTS, calibration, &err));
    REQUIRE_OK(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_INT8, calibration, &small, &err));
    encode(small, texts.ids, texts.n_tokens, N_TEXTS, vectors);
    compare(c, &texts, vectors, &cosine);
    fprintf(stderr, "float32 off by %.2g, 8 bits at a cosine of %.5f\n", gap, cosine);
    check_report(cosine >= 0.999, __FILE__, __LINE__, "8 bits are at a cosine of %g", cosine);
    check_batches(small, &texts, vectors, 0);
    check_threads(small, &texts, vectors);
}

/* What is no mean, or no mean of squares: a file of something else must not make an encoder. */
static void check_calibrations(const struct checkpoint *c)
{
    const size_t n = jc_bert_calibration_size(&c->bert);
    static const float bad[][2] = {{2, 1}, {0, -1}, {NAN, 1}, {0, NAN}, {0, INFINITY}, {INFINITY, INFINITY}};
    JC_AUTO_FREE float *calibration = calloc(n, sizeof *calibration);
    REQUIRE(calibration);
    for (size_t i = 0; i < JC_COUNT(bad); i++) {
        struct jc_err err;
        struct jc_dnn_encoder *encoder = NULL;
        calibration[n / 2 - 1] = bad[i][0];
        calibration[n - 1] = bad[i][1];
        CHECK_FAILS(
            jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_INT8, calibration, &encoder, &err),
            JC_E_FORMAT, "calibration");
        CHECK(encoder == NULL);
    }
    struct jc_err err;
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *encoder = NULL;
    calibration[n / 2 - 1] = calibration[n - 1] = 0; /* channels that nothing was ever seen of */
    CHECK(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_INT8, calibration, &encoder, &err) ==
          JC_OK);
}

/* A hundred thousand times one text has the mean and the mean square of that text. */
static void check_long_calibrations(const struct checkpoint *c)
{
    enum { N = 100000 };
    const size_t n = jc_bert_calibration_size(&c->bert);
    struct jc_err err;
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *encoder = NULL, *small = NULL;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL, *small_scratch = NULL;
    JC_AUTO_FREE float *one = calloc(n, sizeof *one), *many = calloc(n, sizeof *many);
    JC_AUTO_FREE int32_t *ids = calloc(N, sizeof *ids);
    JC_AUTO_FREE uint32_t *n_tokens = calloc(N, sizeof *n_tokens);
    REQUIRE(one && many && ids && n_tokens);
    for (size_t i = 0; i < N; i++) {
        ids[i] = 7;
        n_tokens[i] = 1;
    }
    REQUIRE_OK(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_F32, NULL, &encoder, &err));
    REQUIRE_OK(jc_dnn_scratch_create(encoder, &scratch, &err));
    REQUIRE_OK(jc_dnn_encoder_calibrate(encoder, scratch, ids, n_tokens, 1, one, &err));
    REQUIRE_OK(jc_dnn_encoder_calibrate(encoder, scratch, ids, n_tokens, N, many, &err));
    for (size_t i = 0; i < n; i++)
        CHECK_NEAR(many[i], one[i], 2e-6 + 1e-5 * fabs((double)one[i]));
    /* Each channel is constant. */
    REQUIRE_OK(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, JC_PRECISION_INT8, many, &small, &err));
    REQUIRE_OK(jc_dnn_scratch_create(small, &small_scratch, &err));
    CHECK_FAILS(jc_dnn_encoder_calibrate(small, small_scratch, ids, n_tokens, 1, one, &err), JC_E_UNSUPPORTED,
                "calibrated in f32");
    REQUIRE_OK(jc_dnn_encoder_calibrate(encoder, scratch, ids, n_tokens, 0, many, &err));
    CHECK(many[0] == 0 && many[n - 1] == 0);
}

static void scale_layer(struct checkpoint *c, const char *name, float factor)
{
    const struct jc_tensor *tensor = find_tensor(c, "encoder.layer.1.", name);
    float *values = (float *)(uintptr_t)tensor->data;
    for (size_t k = 0; k < tensor->n_bytes / sizeof *values; k++)
        values[k] *= factor;
}

/* Weights so large that the scores, or the squares that a layer norm adds up, overflow: no vector comes of them. */
static void check_overflows(struct checkpoint *c)
{
    static const char *const groups[][3] = {
        {"attention.self.query.weight", "attention.self.key.weight", "attention.self.value.weight"},
        {"attention.self.query.weight", "attention.self.key.weight"},
        {"attention.self.value.weight"},
        {"attention.output.dense.weight"},
        {"intermediate.dense.weight"},
        {"output.dense.weight"}};
    static const enum jc_precision precisions[] = {JC_PRECISION_F32, JC_PRECISION_INT8};
    for (size_t g = 0; g < JC_COUNT(groups); g++) {
        for (size_t i = 0; i < JC_COUNT(groups[g]) && groups[g][i]; i++)
            scale_layer(c, groups[g][i], 1e30f);
        for (size_t p = 0; p < JC_COUNT(precisions); p++) {
            struct jc_err err;
            struct jc_dnn_encoder *encoder = NULL;
            CHECK_FAILS(jc_dnn_encoder_create(&c->bert, c->tensors, c->n_tensors, precisions[p], NULL, &encoder, &err),
                        JC_E_MODEL, "not finite");
            CHECK(encoder == NULL);
        }
        for (size_t i = 0; i < JC_COUNT(groups[g]) && groups[g][i]; i++)
            scale_layer(c, groups[g][i], 1e-30f);
    }
}

/* What it is made from is copied: nothing done to the tensors later changes a vector. */
static void check_copies(struct checkpoint *c, enum jc_precision precision)
{
    struct jc_err err;
    struct jc_tensor copies[MAX_TENSORS];
    float before[MAX_HIDDEN], after[MAX_HIDDEN];
    const int32_t ids[] = {1, 7, 3};
    const uint32_t n_tokens = 3;
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *encoder = NULL;
    memcpy(copies, c->tensors, sizeof copies);
    for (size_t i = 0; i < c->n_tensors; i++) {
        void *data = malloc(copies[i].n_bytes);
        REQUIRE(data);
        copies[i].data = memcpy(data, copies[i].data, copies[i].n_bytes);
    }
    REQUIRE_OK(jc_dnn_encoder_create(&c->bert, copies, c->n_tensors, precision, NULL, &encoder, &err));
    encode(encoder, ids, &n_tokens, 1, before);
    for (size_t i = 0; i < c->n_tensors; i++) {
        memset((void *)(uintptr_t)copies[i].data, 0x5a, copies[i].n_bytes);
        free((void *)(uintptr_t)copies[i].data);
    }
    encode(encoder, ids, &n_tokens, 1, after);
    CHECK(memcmp(after, before, c->bert.hidden * sizeof *after) == 0);
}

static void check_refused(const struct checkpoint *c, const struct jc_bert *bert, jc_code want, const char *text)
{
    struct jc_err err;
    struct jc_dnn_encoder *encoder = NULL;
    CHECK_FAILS(jc_dnn_encoder_create(bert, c->tensors, c->n_tensors, JC_PRECISION_INT8, NULL, &encoder, &err), want,
                text);
    CHECK(encoder == NULL);
}

/* Sizes are believed no further than there are tensors. */
static void check_missing(void)
{
    struct checkpoint c = {.bert = cls_bert};
    c.bert.hidden = 16384;
    c.bert.vocab = (size_t)1 << 24;
    check_refused(&c, &c.bert, JC_E_FORMAT, "tensor 'embeddings.word_embeddings.weight' is missing");
}

int main(void)
{
    struct checkpoint cls = {.bert = cls_bert, .prefix = "", .rng = jc_rng_seeded(1)};
    struct checkpoint mean = {.bert = mean_bert, .prefix = "bert.", .rng = jc_rng_seeded(2)};
    fill_checkpoint(&cls);
    fill_checkpoint(&mean);
    check_precisions(&cls);
    check_precisions(&mean);
    check_calibrations(&cls);
    check_long_calibrations(&mean);
    check_copies(&cls, JC_PRECISION_F32);
    check_copies(&mean, JC_PRECISION_INT8);
    check_refusals(&cls, JC_E_FORMAT, check_refused);
    check_missing();
    check_overflows(&cls);
    check_overflows(&mean);
    finish_checkpoint(&cls);
    finish_checkpoint(&mean);
    return check_finish();
}
