/* The fake encoder: unit vectors, the same for the same text, near for texts that share tokens. */
#include <math.h>

#include "check.h"
#include "linalg/linalg.h"
#include "model/encoder.h"

static struct jc_err err;
static struct jc_encoder *encoder;
static size_t dim;

static void encode(const int32_t *ids, uint32_t n, float *ret_vector)
{
    REQUIRE_OK(jc_encoder_encode(encoder, ids, &n, 1, ret_vector, &err));
}

static float cosine(const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (double)a[i] * b[i];
    return (float)sum;
}

static void test_info(void)
{
    const struct jc_encoder_info *info = jc_encoder_info(encoder);
    CHECK_STR(info->kind, "fake");
    CHECK_STR(info->backend, "fake");
    CHECK_STR(info->precision, "f32");
    CHECK_STR(info->source_sha256, "");
    CHECK_INT(info->dim, 384);
    CHECK_INT(info->vocab, 0);
    CHECK_INT(info->max_tokens, 512);
}

static void test_vectors(void)
{
    float a[384], b[384], c[384], frame[384];
    encode((int32_t[]){101, 7, 8, 9, 102}, 5, a);
    encode((int32_t[]){101, 7, 8, 10, 102}, 5, b);
    encode((int32_t[]){101, 700, 800, 900, 102}, 5, c);
    encode((int32_t[]){101, 102}, 2, frame);
    CHECK_NEAR(cosine(a, a), 1, 1e-5);
    CHECK_NEAR(cosine(frame, frame), 1, 1e-5);
    CHECK_NEAR(cosine(a, b), 2.0 / 3, 0.15); /* two of three tokens shared, independent draws */
    CHECK_NEAR(cosine(a, c), 0, 0.2);

    /* The first and the last token are the frame: they do not count. */
    encode((int32_t[]){1, 7, 8, 9, 2}, 5, c);
    CHECK(memcmp(a, c, sizeof(a)) == 0);
}

/* Texts of several lengths at once give what each gives alone. */
static void test_batch(void)
{
    const int32_t ids[] = {1, 5, 2, 1, 6, 7, 8, 2, -5, 1, 2147483647, 2};
    const uint32_t n_tokens[] = {3, 5, 1, 3};
    float vectors[4 * 384], alone[384];
    REQUIRE_OK(jc_encoder_encode(encoder, ids, n_tokens, 4, vectors, &err));
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        encode(ids + at, n_tokens[i], alone);
        CHECK(memcmp(alone, vectors + i * dim, sizeof(alone)) == 0);
        CHECK(jc_vec_is_finite(alone, dim));
        at += n_tokens[i];
    }
    REQUIRE_OK(jc_encoder_encode(encoder, NULL, NULL, 0, NULL, &err));
}

static void test_errors(void)
{
    float vector[384];
    uint32_t none = 0, many = 513;
    int32_t ids[513] = {0};
    CHECK_FAILS(jc_encoder_encode(encoder, ids, &none, 1, vector, &err), JC_E_INVALID, "text 0 has 0 tokens");
    CHECK_FAILS(jc_encoder_encode(encoder, ids, &many, 1, vector, &err), JC_E_INVALID, "513 tokens");

    struct jc_encoder *other = NULL;
    const struct jc_encoder_source source = {.kind = "gpt"};
    CHECK_FAILS(jc_encoder_load(&source, NULL, &other, &err), JC_E_UNSUPPORTED, "'gpt'");
    CHECK(!other);
}

int main(void)
{
    REQUIRE_OK(jc_encoder_load(&(struct jc_encoder_source){.kind = JC_ENCODER_FAKE}, NULL, &encoder, &err));
    dim = jc_encoder_info(encoder)->dim;
    REQUIRE(dim == 384);
    test_info();
    test_vectors();
    test_batch();
    test_errors();
    jc_encoder_destroy(encoder);
    jc_encoder_destroy(NULL);
    return check_finish();
}
