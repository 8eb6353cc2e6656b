/* The encoder on a GPU, with a played one: its lanes are there from the load and warmed, memory that is short makes
 * batches smaller, waits or refuses, and a lost device is told as such. */
#include <unistd.h>

#include "model/classifier_impl.h"
#include "model/encoder_impl.h"
#include "model/warm.h"
#include "played_cuda.h"
#include "small_model.h"

enum { MAX_TOKENS = 20, LEAST = 32, N_TEXTS = 3, N_THREADS = 4, N_TURNS = 200 };

static struct jc_err err;

static jc_code create(struct jc_cuda_buckets buckets, size_t n_callers, struct jc_encoder **ret_encoder)
{
    static const struct jc_bert bert = {.max_tokens = MAX_TOKENS};
    const struct jc_encoder_source source = {.kind = JC_ENCODER_BERT, .bert = &bert};
    const struct jc_encoder_options options = {
        .backend = JC_BACKEND_CUDA, .device = 1, .buckets = buckets, .n_callers = n_callers};
    jc_code code = jc_encoder_cuda_class.create(&source, NULL, 0, &options, ret_encoder, &err);
    if (!code) {
        (*ret_encoder)->class = &jc_encoder_cuda_class;
        (*ret_encoder)->info.dim = PLAYED_DIM;
    }
    return code;
}

static void reset(size_t n_bytes)
{
    CHECK_INT(played.n_held, 0);
    CHECK_INT(played.n_lanes, 0);
    CHECK(!played.is_shared);
    played.n_bytes = n_bytes;
    played.is_lost = played.is_silent = false;
    played.n_full = played.n_made = 0;
    played.least_calls = SIZE_MAX;
    memset(played.n_launched, 0, sizeof played.n_launched);
}

/* `first` is the first text's first id. Returns whether the vectors are the texts'. */
static jc_code encode(const struct jc_encoder *encoder, int32_t first, bool *ret_is_right, struct jc_err *error)
{
    float vectors[N_TEXTS * PLAYED_DIM];
    const int32_t ids[2 * N_TEXTS] = {first, 0, first + 1, 0, first + 2, 0};
    const uint32_t n_tokens[N_TEXTS] = {2, 2, 2};
    jc_code code = jc_encoder_encode(encoder, ids, n_tokens, N_TEXTS, vectors, error);
    *ret_is_right = !code;
    for (int32_t i = 0; i < N_TEXTS && !code; i++)
        *ret_is_right &= (int32_t)vectors[i * PLAYED_DIM] == first + i;
    return code;
}

static void check_encodes(const struct jc_encoder *encoder, int32_t first)
{
    bool is_right;
    REQUIRE_OK(encode(encoder, first, &is_right, &err));
    CHECK(is_right);
}

/* Which GPU is meant where none is named. */
static void check_default_device(void)
{
    static const char empty[] = "\2\0\0\0\0\0\0\0{}"; /* a checkpoint that the played device does not look at */
    static const struct jc_bert bert = {.hidden = PLAYED_DIM, .heads = 12, .max_tokens = MAX_TOKENS};
    static const struct jc_encoder_options asked[] = {{.backend = JC_BACKEND_CUDA},
                                                      {.backend = JC_BACKEND_CUDA, .device = JC_DEVICE_AUTO},
                                                      {.device = JC_DEVICE_AUTO},
                                                      {.device = 1}};
    char path[] = "/tmp/jc-weights-XXXXXX";
    JC_AUTO_FD int fd = mkstemp(path);
    REQUIRE(fd >= 0 && write(fd, empty, sizeof empty - 1) == sizeof empty - 1);
    const struct jc_encoder_source source = {.kind = JC_ENCODER_BERT, .bert = &bert, .weights = path};
    reset(1 << 20);
    for (size_t i = 0; i < JC_COUNT(asked); i++) {
        JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
        REQUIRE_OK(jc_encoder_load(&source, &asked[i], &encoder, &err));
        CHECK_STR(jc_encoder_info(encoder)->device, "cuda:0 (played)");
    }
    struct jc_encoder *none = NULL;
    CHECK_FAILS(jc_encoder_load(&source, &(struct jc_encoder_options){.device = 2}, &none, &err), JC_E_NOT_FOUND,
                "there is no GPU 1");
    unlink(path);
}

static void check_made_at_load(void)
{
    reset(1 << 20);
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(create((struct jc_cuda_buckets){.n = 2, .rows = {64, 256}}, 3, &encoder));
    CHECK_INT(played.n_made, 3);
    CHECK_INT(played.n_held, PLAYED_ENCODER + 3 * 256);
    CHECK_INT(encoder->info.buckets.n, 2);
    for (int32_t i = 0; i < 10; i++)
        check_encodes(encoder, i);
    CHECK_INT(played.n_made, 3);
}

static void check_bad_buckets(void)
{
    struct jc_encoder *encoder = NULL;
    reset(1 << 20);
    CHECK_FAILS(create((struct jc_cuda_buckets){.n = 1, .rows = {16}}, 1, &encoder), JC_E_INVALID,
                "the last, 16, has no room for a text of the encoder's 20 tokens");
}

/* Memory for some lanes of full size: the others, and what is told, are smaller. */
static void check_shrinks_at_load(void)
{
    reset(PLAYED_ENCODER + 256 + 64);
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(create((struct jc_cuda_buckets){.n = 3, .rows = {16, 64, 256}}, 2, &encoder));
    CHECK_INT(encoder->info.buckets.n, 2);
    CHECK_INT(jc_cuda_buckets_last(&encoder->info.buckets), 64);
    check_encodes(encoder, 5);
}

static void check_shrinks_at_call(void)
{
    bool is_right;
    reset(1 << 20);
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(create((struct jc_cuda_buckets){.n = 3, .rows = {32, 64, 256}}, 1, &encoder));
    played.n_full = 1;
    check_encodes(encoder, 5);
    CHECK_INT(played.n_held, PLAYED_ENCODER + 64);
    CHECK_INT(played.n_made, 1);

    /* No batch is small enough: the call fails with what the device said, and the next one starts afresh. */
    played.n_full = SIZE_MAX;
    CHECK_FAILS(encode(encoder, 5, &is_right, &err), JC_E_NOMEM, "GPU 0 has no room at this call");
    CHECK_INT(played.n_lanes, 0);
    played.n_full = 0;
    check_encodes(encoder, 6);
    CHECK_INT(played.n_made, 2);
    CHECK_INT(played.n_held, PLAYED_ENCODER + 256);
}

/* A second model beside the one that serves. */
static void check_two_models(void)
{
    const struct jc_cuda_buckets buckets = {.n = 1, .rows = {LEAST}};
    struct jc_encoder *second = NULL;
    reset(2 * PLAYED_ENCODER + 3 * LEAST);
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(create(buckets, 2, &encoder));
    const size_t held = played.n_held;
    CHECK_FAILS(create(buckets, 2, &second), JC_E_NOMEM, "GPU 0 has no room for 32 bytes: of its 2096, 0 are free");
    CHECK(second == NULL);
    CHECK_INT(played.n_held, held);
    check_encodes(encoder, 1);

    played.n_bytes += LEAST;
    REQUIRE_OK(create(buckets, 2, &second));
    check_encodes(second, 2);
    check_encodes(encoder, 3);
    jc_encoder_destroy(second);
}

static void check_lost(bool is_silent)
{
    bool is_right;
    struct jc_encoder *second = NULL;
    reset(1 << 20);
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(create((struct jc_cuda_buckets){0}, 2, &encoder));
    played.is_lost = true;
    played.is_silent = is_silent;
    for (int i = 0; i < 4; i++)
        CHECK_FAILS(encode(encoder, 5, &is_right, &err), JC_E_DEVICE, "lost");
    CHECK_FAILS(create((struct jc_cuda_buckets){0}, 2, &second), JC_E_DEVICE, "lost");
}

static void *encode_often(void *context)
{
    size_t *n_wrong = calloc(1, sizeof *n_wrong);
    for (int32_t i = 0; n_wrong && i < N_TURNS; i++) {
        struct jc_err error;
        bool is_right;
        *n_wrong += encode(context, i * N_TEXTS, &is_right, &error) != JC_OK || !is_right;
    }
    return n_wrong;
}

/* Room for one lane: the threads take turns. */
static void check_waits(void)
{
    pthread_t threads[N_THREADS];
    reset(PLAYED_ENCODER + LEAST);
    JC_AUTO(jc_encoder) struct jc_encoder *encoder = NULL;
    REQUIRE_OK(create((struct jc_cuda_buckets){.n = 1, .rows = {LEAST}}, 0, &encoder));
    for (size_t i = 0; i < N_THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, encode_often, encoder) == 0);
    for (size_t i = 0; i < N_THREADS; i++) {
        void *n_wrong = NULL;
        pthread_join(threads[i], &n_wrong);
        REQUIRE(n_wrong);
        CHECK_INT(*(size_t *)n_wrong, 0);
        free(n_wrong);
    }
    CHECK_INT(played.n_made, 1);
}

/* Every lane has run every bucket twice, by the way that ranks and by the way that does not. */
static void check_warm(void)
{
    enum { N_LANES = 3, N_BUCKETS = 4 };
    const struct jc_cuda_buckets buckets = {.n = N_BUCKETS, .rows = {16, 48, 64, 512}};
    const struct small_model model = {
        .n_categories = 6, .dim = PLAYED_DIM, .max_tokens = MAX_TOKENS, .kind = JC_ENCODER_FAKE, .source_sha256 = ""};
    char folder[] = "/tmp/jc-warm-XXXXXX";
    REQUIRE(mkdtemp(folder) && rmdir(folder) == 0);
    small_model_write(folder, &model);
    reset(1 << 20);

    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    REQUIRE_OK(jc_classifier_load(folder, NULL, &classifier, &err));
    jc_dir_remove(folder);
    jc_encoder_destroy(TAKE(classifier->encoder));
    REQUIRE_OK(create(buckets, N_LANES, &classifier->encoder));
    REQUIRE_OK(jc_ranker_create(classifier->encoder, jc_bundle_head(classifier->bundle), &classifier->ranker, &err));
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    REQUIRE_OK(jc_classifier_warm(classifier, session, &err));
    for (size_t i = 0; i < N_BUCKETS; i++)
        CHECK_INT(played.n_launched[i], 2 * N_LANES);
    CHECK_INT(played.n_made, N_LANES);

    /* What does not fit is found here. */
    played.n_full = 1;
    REQUIRE_OK(jc_classifier_warm(classifier, session, &err));
    CHECK_INT(classifier->encoder->info.buckets.n, N_BUCKETS - 1);
    played.n_full = SIZE_MAX;
    CHECK_FAILS(jc_classifier_warm(classifier, session, &err), JC_E_NOMEM, "GPU 0 has no room at this call");
    played.is_lost = true;
    CHECK_FAILS(jc_classifier_warm(classifier, session, &err), JC_E_DEVICE, "lost");
}

int main(void)
{
    check_default_device();
    check_made_at_load();
    check_bad_buckets();
    check_shrinks_at_load();
    check_shrinks_at_call();
    check_two_models();
    check_lost(false);
    check_lost(true);
    check_waits();
    check_warm();
    CHECK(played.least_calls >= 2 * 4); /* no lane was left out */
    reset(0);
    return check_finish();
}
