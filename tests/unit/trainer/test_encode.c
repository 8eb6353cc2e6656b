/* The step `encode` over an encoder that counts what it is asked, and interrupts or fails on demand: each distinct text
 * once, from the cache the second time, the same vectors to the bit. */
#include "trainer/vectors/encode.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/file.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"
#include "model/encoder_impl.h"

enum { DIM = 384, CLS = 101, SEP = 102, N_TEXTS = 1000, N_THREADS = 3 };

static struct jc_err err;
static char root[] = "/tmp/test_encode.XXXXXX";

/* The fake encoder with a bystander. */
static struct jc_encoder *fake;
static atomic_size_t n_encoded; /* chunks */
static atomic_size_t interrupt_at, fail_at;
static atomic_bool interrupted, negate;
static int interrupt_with = SIGINT;

static void *interrupt_process(void *unused)
{
    (void)unused;
    raise(interrupt_with);
    atomic_store(&interrupted, true);
    return NULL;
}

static jc_code encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *error)
{
    (void)encoder;
    size_t before = atomic_fetch_add(&n_encoded, n_texts), after = before + n_texts;
    size_t at = atomic_load(&interrupt_at);
    if (before < at && at <= after) {
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, interrupt_process, NULL) == 0);
        pthread_join(thread, NULL);
    }
    while (at && before >= at && !atomic_load(&interrupted)) /* or the others are done before the signal is there */
        sched_yield();
    at = atomic_load(&fail_at);
    if (before < at && at <= after)
        return jc_fail(error, JC_E_DEVICE, "out of order");
    jc_code code = jc_encoder_encode(fake, ids, n_tokens, n_texts, ret_vectors, error);
    for (size_t i = 0; atomic_load(&negate) && i < n_texts * DIM; i++)
        ret_vectors[i] = -ret_vectors[i];
    return code;
}

static const struct jc_encoder_class class = {.name = "counting", .encode = encode};
static const struct jc_encoder encoder = {
    .class = &class,
    .info = {.kind = "counting",
             .backend = "counting",
             .precision = "f32",
             .source_sha256 = "0",
             .vectors_sha256 = "00000000000000000000000000000000000000000000000000000000000000c0",
             .dim = DIM,
             .max_tokens = 512},
};

static void reset(void)
{
    atomic_store(&n_encoded, 0);
    atomic_store(&interrupt_at, 0);
    atomic_store(&fail_at, 0);
    atomic_store(&interrupted, false);
    atomic_store(&negate, false);
}

static void put_chunk(struct jc_tokens *tokens, size_t *n_ids, struct jc_rng *rng, size_t n)
{
    tokens->ids[(*n_ids)++] = CLS;
    for (size_t i = 0; i < n; i++)
        tokens->ids[(*n_ids)++] = (int32_t)(1000 + jc_rng_next(rng) % 20000);
    tokens->ids[(*n_ids)++] = SEP;
}

/* Texts of 1 to 20 tokens; every 50th is of chunks of 510 and a short one, every tenth is the one before again. */
static struct jc_tokens make_tokens(size_t n_texts)
{
    struct jc_rng rng = jc_rng_seeded(1);
    struct jc_tokens tokens = {.ids = calloc(n_texts * 2000 + 1, sizeof(*tokens.ids)),
                               .offsets = calloc(n_texts + 1, sizeof(*tokens.offsets))};
    REQUIRE(tokens.ids && tokens.offsets);
    size_t n_ids = 0;
    for (size_t i = 0; i < n_texts; i++) {
        size_t begin = n_ids;
        if (i % 10 == 9) {
            size_t n = tokens.offsets[i] - tokens.offsets[i - 1];
            memcpy(tokens.ids + begin, tokens.ids + tokens.offsets[i - 1], n * sizeof(*tokens.ids));
            n_ids += n;
        } else {
            for (size_t chunk = 0; i % 50 == 8 && chunk < 1 + i % 3; chunk++)
                put_chunk(&tokens, &n_ids, &rng, 510);
            put_chunk(&tokens, &n_ids, &rng, 1 + jc_rng_next(&rng) % 20);
        }
        tokens.offsets[i + 1] = n_ids;
    }
    return tokens;
}

/* The mean of the chunks' vectors, one text at a time. */
static void encode_alone(const struct jc_tokens *tokens, size_t text, float *ret_vector)
{
    size_t n_ids, n_chunks = 0;
    const int32_t *ids = jc_tokens_get(tokens, text, &n_ids), *end = ids + n_ids;
    double sum[DIM] = {0}, squares = 0;
    while (ids < end) {
        uint32_t n = 1;
        while (ids + n < end && ids[n] != CLS)
            n++;
        float vector[DIM];
        REQUIRE_OK(jc_encoder_encode(fake, ids, &n, 1, vector, &err));
        ids += n;
        n_chunks++;
        for (size_t d = 0; d < DIM; d++)
            sum[d] += (double)vector[d];
        if (n_chunks == 1)
            memcpy(ret_vector, vector, sizeof(vector));
    }
    if (n_chunks == 1)
        return;
    for (size_t d = 0; d < DIM; d++)
        squares += sum[d] * sum[d];
    for (size_t d = 0; d < DIM; d++)
        ret_vector[d] = (float)(sum[d] / sqrt(squares));
}

static const float *vector_of(const struct jc_vectors *vectors, size_t text)
{
    return vectors->vectors + vectors->rows[text] * (size_t)DIM;
}

static void check_vectors(const struct jc_tokens *tokens, const struct jc_vectors *vectors, size_t n_texts)
{
    for (size_t i = 0; i < n_texts; i++) {
        float want[DIM];
        encode_alone(tokens, i, want);
        const float *got = vector_of(vectors, i);
        if (i % 50 == 8 || i % 50 == 9) { /* of several chunks: another order of the sum */
            float cosine = jc_vec_dot(got, want, DIM);
            CHECK_NEAR(cosine, 1, 1e-5);
            CHECK(fabsf(got[0] - want[0]) < 1e-5F);
        } else {
            CHECK(memcmp(got, want, sizeof(want)) == 0);
        }
    }
}

static const char *folder_of(const char *name)
{
    static char folder[PATH_MAX];
    REQUIRE_OK(jc_path_join(folder, sizeof(folder), root, name, &err));
    return folder;
}

static jc_code run(const struct jc_tokens *tokens, size_t n_texts, const char *folder, struct jc_vectors *ret_vectors,
                   struct jc_encode_stats *ret_stats)
{
    return jc_encode_texts(&encoder, tokens, n_texts, N_THREADS, folder, ret_vectors, ret_stats, &err);
}

static void test_cached(const struct jc_tokens *tokens)
{
    JC_AUTO_FINISH(jc_vectors) struct jc_vectors plain = {0};
    JC_AUTO_FINISH(jc_vectors) struct jc_vectors first = {0};
    JC_AUTO_FINISH(jc_vectors) struct jc_vectors second = {0};
    struct jc_encode_stats stats;
    const char *folder = folder_of("cached");
    reset();
    REQUIRE_OK(run(tokens, N_TEXTS, "", &plain, &stats));
    check_vectors(tokens, &plain, N_TEXTS);
    CHECK_INT(stats.n_encoded, N_TEXTS - N_TEXTS / 10);
    CHECK_INT(stats.n_cached, 0);
    CHECK(stats.seconds > 0);

    /* A part, then all: only what is new is encoded. */
    REQUIRE_OK(run(tokens, N_TEXTS / 2, folder, &first, &stats));
    CHECK_INT(stats.n_encoded, N_TEXTS / 2 - N_TEXTS / 20);
    check_vectors(tokens, &first, N_TEXTS / 2);
    jc_vectors_finish(&first);
    REQUIRE_OK(run(tokens, N_TEXTS, folder, &first, &stats));
    CHECK_INT(stats.n_encoded, N_TEXTS / 2 - N_TEXTS / 20);
    CHECK_INT(stats.n_cached, N_TEXTS / 2);

    reset();
    REQUIRE_OK(run(tokens, N_TEXTS, folder, &second, &stats));
    CHECK_INT(stats.n_encoded, 0);
    CHECK_INT(stats.n_cached, N_TEXTS);
    CHECK_INT(atomic_load(&n_encoded), 1); /* the one that tells whether the cache is this encoder's */
    for (size_t i = 0; i < N_TEXTS; i++) {
        CHECK(memcmp(vector_of(&second, i), vector_of(&plain, i), DIM * sizeof(float)) == 0);
        CHECK(memcmp(vector_of(&second, i), vector_of(&first, i), DIM * sizeof(float)) == 0);
    }

    /* The same weights made into another encoder. */
    JC_AUTO_FINISH(jc_vectors) struct jc_vectors none = {0};
    atomic_store(&negate, true);
    CHECK_FAILS(run(tokens, N_TEXTS, folder, &none, &stats), JC_E_FORMAT, "come from another encoder (cosine -1.000)");
    CHECK_CONTAINS(err.text, folder);
    CHECK(!none.rows && !none.vectors);
}

/* A signal in the middle: what is done stays, the rest follows in the next run, and the handlers are as before. */
static void test_interrupt(const struct jc_tokens *tokens)
{
    const char *folder = folder_of("interrupted");
    JC_AUTO_FINISH(jc_vectors) struct jc_vectors vectors = {0};
    struct jc_encode_stats stats;
    struct sigaction before, after;
    sigaction(SIGINT, NULL, &before);
    reset();
    atomic_store(&interrupt_at, N_TEXTS / 3);
    CHECK_FAILS(run(tokens, N_TEXTS, folder, &vectors, &stats), JC_E_CANCELLED, "interrupted: ");
    CHECK_CONTAINS(err.text, " of 1000 texts are encoded and kept in /");
    CHECK_CONTAINS(err.text, folder);
    CHECK(!vectors.rows && !vectors.vectors);
    size_t n_kept = 0;
    CHECK(sscanf(err.text, "interrupted: %zu", &n_kept) == 1);
    CHECK(n_kept > 0 && n_kept < N_TEXTS);
    sigaction(SIGINT, NULL, &after);
    CHECK(after.sa_handler == before.sa_handler);

    reset();
    REQUIRE_OK(run(tokens, N_TEXTS, folder, &vectors, &stats));
    CHECK_INT(stats.n_cached, n_kept);
    CHECK(stats.n_encoded <= N_TEXTS - n_kept);
    check_vectors(tokens, &vectors, N_TEXTS);

    JC_AUTO_FINISH(jc_vectors) struct jc_vectors none = {0};
    reset();
    atomic_store(&interrupt_at, 1);
    interrupt_with = SIGTERM;
    CHECK_FAILS(run(tokens, N_TEXTS, "", &none, &stats), JC_E_CANCELLED, "texts are encoded, and not kept");
    interrupt_with = SIGINT;

    /* A process that ignores it is not interrupted. */
    signal(SIGINT, SIG_IGN);
    reset();
    atomic_store(&interrupt_at, 1);
    REQUIRE_OK(run(tokens, N_TEXTS, "", &none, &stats));
    signal(SIGINT, SIG_DFL);
}

static void test_failure(const struct jc_tokens *tokens)
{
    const char *folder = folder_of("failed");
    JC_AUTO_FINISH(jc_vectors) struct jc_vectors vectors = {0};
    struct jc_encode_stats stats;
    reset();
    atomic_store(&fail_at, N_TEXTS / 3);
    CHECK_FAILS(run(tokens, N_TEXTS, folder, &vectors, &stats), JC_E_DEVICE, "out of order");
    CHECK(!vectors.rows);
    reset();
    REQUIRE_OK(run(tokens, N_TEXTS, folder, &vectors, &stats));
    CHECK(stats.n_cached > 0);
    check_vectors(tokens, &vectors, N_TEXTS);

    int32_t ids[] = {CLS, SEP};
    size_t offsets[] = {0, 2, 2};
    const struct jc_tokens empty = {.ids = ids, .offsets = offsets};
    JC_AUTO_FINISH(jc_vectors) struct jc_vectors none = {0};
    CHECK_FAILS(run(&empty, 2, "", &none, &stats), JC_E_INVALID, "text 1 has no tokens");
    REQUIRE_OK(run(&empty, 0, "", &none, &stats));
    CHECK_INT(stats.n_encoded, 0);
    jc_vectors_finish(&none);
    CHECK_FAILS(run(&empty, 1, "/dev/null/cache", &none, &stats), JC_E_IO, "cache (\"\" goes without)");
}

int main(void)
{
    REQUIRE(mkdtemp(root));
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &fake, &err));
    JC_AUTO_FINISH(jc_tokens) struct jc_tokens tokens = make_tokens(N_TEXTS);
    test_cached(&tokens);
    test_interrupt(&tokens);
    test_failure(&tokens);
    jc_encoder_destroy(fake);
    char command[PATH_MAX];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    CHECK(system(command) == 0);
    return check_finish();
}
