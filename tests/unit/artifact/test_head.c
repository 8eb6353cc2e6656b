/* Heads: round trips with and without a lexicon, and every tensor that can be missing or malformed. */
#include "artifact/head.h"

#include <limits.h>
#include <unistd.h>

#include "base/own.h"
#include "check.h"

enum { N = 3, DIM = 4, WORDS = 2, FEATURES = 5, N_TENSORS = 6 };
enum { LEXICON = 3, KEYS = 5 }; /* among the tensors */

static struct jc_err err;
static char path[] = "/tmp/test_head.XXXXXX";

static jc_code load(struct jc_head *head)
{
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    REQUIRE_OK(jc_safetensors_open(path, &file, &err));
    return jc_head_load(file, N, DIM, head, &err);
}

static void check_round_trip(size_t lexicon_dim, size_t n_features)
{
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0}, copy = {0};
    REQUIRE_OK(jc_head_init(&head, N, DIM, lexicon_dim, n_features, &err));
    CHECK(head.sharpness == 1 && head.saturation == 0 && head.power == 1);
    for (size_t i = 0; i < N * jc_head_width(&head); i++) {
        CHECK(head.matrix[i] == 0);
        head.matrix[i] = (float)i + 0.25F;
    }
    for (size_t i = 0; i < N; i++)
        head.bias[i] = -(float)i - 1;
    for (size_t i = 0; i < n_features * lexicon_dim; i++)
        head.lexicon[i] = 100 + (float)i;
    for (size_t i = 0; i < n_features; i++)
        head.keys[i] = (int64_t)i * INT64_C(10000000000) - 5;
    head.sharpness = 17.5F;
    head.min_confidence = 0.625F;
    head.saturation = 3.5F;
    head.power = 1.75F;
    REQUIRE_OK(jc_head_write(&head, path, &err));
    REQUIRE_OK(load(&copy));
    CHECK_INT(copy.n_categories, N);
    CHECK_INT(copy.dim, DIM);
    CHECK_INT(copy.lexicon_dim, lexicon_dim);
    CHECK_INT(copy.n_features, n_features);
    CHECK(copy.sharpness == 17.5F && copy.min_confidence == 0.625F);
    CHECK(copy.saturation == 3.5F && copy.power == 1.75F);
    CHECK(memcmp(copy.matrix, head.matrix, N * jc_head_width(&head) * sizeof(float)) == 0);
    CHECK(memcmp(copy.bias, head.bias, N * sizeof(float)) == 0);
    CHECK(memcmp(copy.lexicon, head.lexicon, n_features * lexicon_dim * sizeof(float)) == 0);
    CHECK(memcmp(copy.keys, head.keys, n_features * sizeof(*head.keys)) == 0);
    CHECK((uintptr_t)copy.matrix % 64 == 0);
}

/* The tensors of a valid head, to be damaged. */
struct content {
    float embeddings[N * DIM], bias[N], calibration[4], lexicon[FEATURES * WORDS], out[N * WORDS];
    int64_t keys[FEATURES];
    struct jc_tensor tensors[N_TENSORS];
};

static void content_init(struct content *content)
{
    *content = (struct content){.calibration = {10, 0.5F, 0, 1}, .keys = {-1, 0, 7, 8, INT64_MAX}};
    const struct {
        const char *name;
        size_t rank, rows, columns;
        const void *data;
    } rows[N_TENSORS] = {
        {"embeddings", 2, N, DIM, content->embeddings},    {"bias", 1, N, 1, content->bias},
        {"calibration", 1, 4, 1, content->calibration},    {"lexicon", 2, FEATURES, WORDS, content->lexicon},
        {"lexicon_embeddings", 2, N, WORDS, content->out}, {"lexicon_keys", 1, FEATURES, 1, content->keys}};
    for (size_t i = 0; i < N_TENSORS; i++)
        content->tensors[i] = (struct jc_tensor){.name = rows[i].name,
                                                 .dtype = JC_DTYPE_F32,
                                                 .rank = rows[i].rank,
                                                 .shape = {rows[i].rows, rows[i].columns},
                                                 .data = rows[i].data,
                                                 .n_bytes = rows[i].rows * rows[i].columns * sizeof(float)};
    content->tensors[KEYS].dtype = JC_DTYPE_I64;
    content->tensors[KEYS].n_bytes = sizeof(content->keys);
}

/* Writes the content's tensors but number `left_out`; a failed load leaves nothing behind. */
static void check_refused(const struct content *content, size_t left_out, jc_code wanted, const char *part)
{
    struct jc_tensor tensors[N_TENSORS];
    struct jc_head head = {0};
    size_t n = 0;
    for (size_t i = 0; i < N_TENSORS; i++)
        if (i != left_out)
            tensors[n++] = content->tensors[i];
    REQUIRE_OK(jc_safetensors_write(path, tensors, n, &err));
    CHECK_FAILS(load(&head), wanted, part);
    CHECK(!head.matrix && !head.bias && !head.lexicon);
}

/* What the error calls tensor `i`. */
static const char *quote(const struct content *content, size_t i)
{
    static char name[64];
    snprintf(name, sizeof(name), "'%s'", content->tensors[i].name);
    return name;
}

static void test_malformed(void)
{
    struct content content;
    for (size_t i = 0; i < N_TENSORS; i++) {
        content_init(&content);
        if (i != LEXICON) /* without it there is no lexicon */
            check_refused(&content, i, JC_E_FORMAT, quote(&content, i));

        content.tensors[i].n_bytes -= content.tensors[i].n_bytes / content.tensors[i].shape[0];
        content.tensors[i].shape[0]--; /* a row too few, or a key too many */
        check_refused(&content, N_TENSORS, JC_E_FORMAT, quote(&content, i == LEXICON ? KEYS : i));

        content_init(&content);
        content.tensors[i].rank = 3;
        content.tensors[i].shape[2] = 1;
        check_refused(&content, N_TENSORS, JC_E_FORMAT, quote(&content, i));

        content_init(&content);
        content.tensors[i].dtype = JC_DTYPE_I32;
        content.tensors[i].n_bytes /= i == KEYS ? 2 : 1;
        check_refused(&content, N_TENSORS, JC_E_FORMAT, quote(&content, i));
    }
    content_init(&content);
    content.tensors[LEXICON].shape[1] = 1; /* narrower than lexicon_embeddings */
    content.tensors[LEXICON].n_bytes /= WORDS;
    check_refused(&content, N_TENSORS, JC_E_FORMAT, "'lexicon_embeddings'");
    content_init(&content);
    content.tensors[LEXICON].shape[0] = 0;
    content.tensors[LEXICON].n_bytes = 0;
    check_refused(&content, N_TENSORS, JC_E_FORMAT, "'lexicon'");
    content_init(&content);
    content.keys[3] = content.keys[2];
    check_refused(&content, N_TENSORS, JC_E_FORMAT, "'lexicon_keys': row 3 does not ascend");
    content_init(&content);
    content.keys[1] = -2;
    check_refused(&content, N_TENSORS, JC_E_FORMAT, "'lexicon_keys': row 1 does not ascend");
}

static void test_values(void)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    struct content content;
    for (size_t i = 0; i < JC_COUNT(bad); i++) {
        content_init(&content);
        content.embeddings[2 * DIM + 1] = bad[i];
        check_refused(&content, N_TENSORS, JC_E_MODEL, "'embeddings': row 2, column 1 is not a finite number");
        content_init(&content);
        content.bias[1] = bad[i];
        check_refused(&content, N_TENSORS, JC_E_MODEL, "'bias': row 1, column 0");
        content_init(&content);
        for (size_t j = 0; j < JC_COUNT(content.calibration); j++) {
            content_init(&content);
            content.calibration[j] = bad[i];
            check_refused(&content, N_TENSORS, JC_E_MODEL, "'calibration'");
        }
        content_init(&content);
        content.lexicon[FEATURES * WORDS - 1] = bad[i];
        check_refused(&content, N_TENSORS, JC_E_MODEL, "'lexicon': row 4, column 1");
        content_init(&content);
        content.out[3] = bad[i];
        check_refused(&content, N_TENSORS, JC_E_MODEL, "'lexicon_embeddings': row 1, column 1");
    }
    content_init(&content);
    content.calibration[0] = 0;
    check_refused(&content, N_TENSORS, JC_E_MODEL, "the sharpness 0 is not positive");
    content.calibration[0] = -2;
    check_refused(&content, N_TENSORS, JC_E_MODEL, "the sharpness -2 is not positive");
    content_init(&content);
    content.calibration[2] = -0.5F;
    check_refused(&content, N_TENSORS, JC_E_MODEL, "the saturation -0.5 is negative");
    content_init(&content);
    content.calibration[3] = 0;
    check_refused(&content, N_TENSORS, JC_E_MODEL, "the power 0 is not positive");
    content.tensors[2].shape[0] = 2; /* format 2 had two numbers */
    content.tensors[2].n_bytes = 2 * sizeof(float);
    check_refused(&content, N_TENSORS, JC_E_FORMAT, "'calibration'");
}

int main(void)
{
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    check_round_trip(0, 0);
    check_round_trip(WORDS, FEATURES);
    test_malformed();
    test_values();
    unlink(path);
    return check_finish();
}
