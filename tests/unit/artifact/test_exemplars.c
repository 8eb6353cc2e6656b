/* Exemplars: both files written and read back, and every way in which they can be wrong, each with what names it. */
#include "artifact/exemplars.h"

#include <limits.h>

#include "artifact/safetensors.h"
#include "base/buf.h"
#include "base/file.h"
#include "check.h"

enum { N = 3, DIM = 4, CODES = 5, CATEGORIES = 6, N_TENSORS = 5 };
enum { VECTORS, BEGINS, CODE_ROWS, WEIGHTS, VOTE };

static const char texts[] = "icu nurse\nn\xc3\xa9goci\xc3\xa2teur\nchef & cook\n";

static struct jc_err err;
static char root[] = "/tmp/test_exemplars.XXXXXX";
static char vectors_path[PATH_MAX], texts_path[PATH_MAX];

/* What the files hold, to be changed by a test. */
struct content {
    float vectors[N * DIM], weights[CODES], vote[3];
    int64_t begins[N + 1];
    int32_t codes[CODES];
    struct jc_tensor tensors[N_TENSORS];
};

static void content_init(struct content *content)
{
    *content = (struct content){
        .vectors = {1, 0, 0, 0, 0.6F, 0, 0.8F, 0, 0.5F, -0.5F, 0.5F, -0.5F},
        .weights = {1, 0.5F, 0, 2, 0.25F},
        .vote = {30, 12.5F, 0.75F},
        .begins = {0, 2, 3, 5},
        .codes = {0, 5, 3, 1, 2},
    };
    content->weights[2] = 1;
    const struct jc_tensor tensors[] = {
        {"vectors", JC_DTYPE_F32, 2, {N, DIM}, content->vectors, sizeof content->vectors},
        {"code_begins", JC_DTYPE_I64, 1, {N + 1}, content->begins, sizeof content->begins},
        {"codes", JC_DTYPE_I32, 1, {CODES}, content->codes, sizeof content->codes},
        {"code_weights", JC_DTYPE_F32, 1, {CODES}, content->weights, sizeof content->weights},
        {"vote", JC_DTYPE_F32, 1, {3}, content->vote, sizeof content->vote},
    };
    memcpy(content->tensors, tensors, sizeof tensors);
}

static void write_tensors(const struct content *content, size_t left_out)
{
    struct jc_tensor tensors[N_TENSORS];
    size_t n = 0;
    for (size_t i = 0; i < N_TENSORS; i++)
        if (i != left_out)
            tensors[n++] = content->tensors[i];
    REQUIRE_OK(jc_safetensors_write(vectors_path, tensors, n, &err));
}

static jc_code load(struct jc_exemplars *exemplars)
{
    return jc_exemplars_load(vectors_path, texts_path, CATEGORIES, DIM, exemplars, &err);
}

static void check_refused_without(const struct content *content, size_t left_out, jc_code wanted, const char *part)
{
    struct jc_exemplars exemplars = {0};
    write_tensors(content, left_out);
    CHECK_FAILS(load(&exemplars), wanted, part);
    CHECK_CONTAINS(err.text, vectors_path);
    CHECK(!exemplars.n && !exemplars.vectors && !exemplars.text_data);
}

static void check_refused(const struct content *content, jc_code wanted, const char *part)
{
    check_refused_without(content, N_TENSORS, wanted, part);
}

static void check_texts_refused(const char *text, size_t n, const char *part)
{
    struct jc_exemplars exemplars = {0};
    REQUIRE_OK(jc_file_write(texts_path, text, n, &err));
    CHECK_FAILS(load(&exemplars), JC_E_FORMAT, part);
    CHECK_CONTAINS(err.text, texts_path);
    CHECK(!exemplars.n && !exemplars.vectors);
}

static void check_content(const struct jc_exemplars *exemplars, const struct content *content)
{
    CHECK_INT(exemplars->n, N);
    CHECK_INT(exemplars->dim, DIM);
    CHECK_INT((uintptr_t)exemplars->vectors % 64, 0);
    CHECK(memcmp(exemplars->vectors, content->vectors, sizeof content->vectors) == 0);
    CHECK(memcmp(exemplars->code_begins, content->begins, sizeof content->begins) == 0);
    CHECK(memcmp(exemplars->codes, content->codes, sizeof content->codes) == 0);
    CHECK(memcmp(exemplars->code_weights, content->weights, sizeof content->weights) == 0);
    CHECK_INT(exemplars->k, 30);
    CHECK_NEAR(exemplars->sharpness, 12.5, 0);
    CHECK_NEAR(exemplars->weight, 0.75, 0);
    CHECK_STR(jc_exemplars_text(exemplars, 0), "icu nurse");
    CHECK_STR(jc_exemplars_text(exemplars, 1), "n\xc3\xa9goci\xc3\xa2teur");
    CHECK_STR(jc_exemplars_text(exemplars, 2), "chef & cook");
    CHECK_INT(exemplars->text_begins[N], sizeof texts - 1);
}

/* Read, written by the writer, read again; the same exemplars make the same bytes. */
static void test_round_trip(void)
{
    struct content content;
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars read = {0}, again = {0};
    JC_AUTO_BUF struct jc_buf before = {0}, after = {0};
    content_init(&content);
    write_tensors(&content, N_TENSORS);
    REQUIRE_OK(load(&read));
    check_content(&read, &content);
    REQUIRE_OK(jc_file_read(vectors_path, 10000, &before, &err));
    unlink(vectors_path);
    unlink(texts_path);
    REQUIRE_OK(jc_exemplars_write(&read, vectors_path, texts_path, &err));
    REQUIRE_OK(jc_file_read(vectors_path, 10000, &after, &err));
    CHECK(before.n == after.n && memcmp(before.data, after.data, before.n) == 0);
    REQUIRE_OK(load(&again));
    check_content(&again, &content);
    jc_exemplars_finish(&again);
    CHECK(!again.n && !again.vectors);
}

/* What cleaning leaves in a text neither breaks a line nor stops the bundle. */
static void test_control_characters(void)
{
    static const char from[] = "a\nb\0c\x7f\0\x01";
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0}, read = {0};
    REQUIRE_OK(jc_exemplars_init(&exemplars, 2, DIM, 2, sizeof from, &err));
    for (size_t i = 0; i < 2; i++) {
        exemplars.vectors[i * DIM] = 1;
        exemplars.code_begins[i + 1] = i + 1;
        exemplars.code_weights[i] = 1;
    }
    memcpy(exemplars.text_data, from, sizeof from);
    exemplars.text_begins[1] = 7;
    exemplars.text_begins[2] = sizeof from;
    REQUIRE_OK(jc_exemplars_write(&exemplars, vectors_path, texts_path, &err));
    REQUIRE_OK(load(&read));
    CHECK_STR(jc_exemplars_text(&read, 0), "a b c ");
    CHECK_STR(jc_exemplars_text(&read, 1), " ");
}

static void test_init(void)
{
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars;
    REQUIRE_OK(jc_exemplars_init(&exemplars, 2, 3, 4, 5, &err));
    CHECK_INT(exemplars.n, 2);
    CHECK_INT(exemplars.k, 1);
    CHECK_NEAR(exemplars.sharpness + exemplars.weight, 2, 0);
    for (size_t i = 0; i < 6; i++)
        CHECK_NEAR(exemplars.vectors[i], 0, 0);
    CHECK_INT(exemplars.code_begins[2] + exemplars.text_begins[2], 0);
}

static void test_shapes(void)
{
    struct content content;
    for (size_t i = 0; i < N_TENSORS; i++) {
        char name[64];
        content_init(&content);
        snprintf(name, sizeof name, "tensor '%s'", content.tensors[i].name);
        check_refused_without(&content, i, JC_E_FORMAT, name);
        content.tensors[i].rank = 3; /* the same bytes */
        content.tensors[i].shape[1] = i == VECTORS ? DIM : 1;
        content.tensors[i].shape[2] = 1;
        check_refused(&content, JC_E_FORMAT, name);
        content_init(&content);
        content.tensors[i].dtype = JC_DTYPE_U8;
        content.tensors[i].shape[content.tensors[i].rank - 1] *= i == BEGINS ? 8 : 4;
        check_refused(&content, JC_E_FORMAT, name);
    }
    content_init(&content);
    content.tensors[VECTORS].shape[0] = DIM;
    content.tensors[VECTORS].shape[1] = N;
    check_refused(&content, JC_E_FORMAT, "'vectors'");
    content.tensors[VECTORS].shape[0] = content.tensors[VECTORS].n_bytes = 0;
    check_refused(&content, JC_E_FORMAT, "'vectors': not F32 [1 to");
    content.tensors[VECTORS].shape[0] = (size_t)1 << 28; /* no bytes, and rows for which there would be no memory */
    content.tensors[VECTORS].shape[1] = 0;
    check_refused(&content, JC_E_FORMAT, "'vectors': not F32 [1 to");
    content_init(&content);
    content.tensors[BEGINS].shape[0]--;
    content.tensors[BEGINS].n_bytes -= sizeof(int64_t);
    check_refused(&content, JC_E_FORMAT, "'code_begins': not I64 [4]");
    content_init(&content);
    content.tensors[WEIGHTS].shape[0]--;
    content.tensors[WEIGHTS].n_bytes -= sizeof(float);
    check_refused(&content, JC_E_FORMAT, "'code_weights' is F32 [4], not F32 [5]");
    content_init(&content);
    content.tensors[CODE_ROWS].shape[0]--;
    content.tensors[CODE_ROWS].n_bytes -= sizeof(int32_t);
    check_refused(&content, JC_E_FORMAT, "'code_begins': not from 0 to the 4 codes");
}

static void test_codes(void)
{
    static const struct {
        size_t at;
        int64_t value;
        const char *part;
    } begins[] =
        {
            {0, 1, "not from 0 to the 5 codes"},
            {N, 6, "not from 0"},
            {N, -1, "not from 0"},
            {1, 0, "row 1 does not ascend"},
            {1, 3, "row 2 does not ascend"},
            {1, -1, "row 2 does not ascend"},
            {2, 9, "row 3 does not ascend"},
            {2, INT64_MAX, "row 3"},
            {1, INT64_MIN, "row 2"},
        },
      codes[] = {
          {0, 6, "row 0 is not a category, 0 to 5"},     {2, -1, "row 2 is not a category"},
          {4, INT32_MAX, "row 4 is not a category"},     {2, INT32_MIN, "row 2 is not a category"},
          {1, 0, "row 1 does not ascend within text 0"}, {4, 1, "row 4 does not ascend within text 2"},
      };
    struct content content;
    for (size_t i = 0; i < JC_COUNT(begins); i++) {
        content_init(&content);
        content.begins[begins[i].at] = begins[i].value;
        check_refused(&content, JC_E_FORMAT, begins[i].part);
        CHECK_CONTAINS(err.text, "tensor 'code_begins'");
    }
    for (size_t i = 0; i < JC_COUNT(codes); i++) {
        content_init(&content);
        content.codes[codes[i].at] = (int32_t)codes[i].value;
        check_refused(&content, JC_E_FORMAT, codes[i].part);
        CHECK_CONTAINS(err.text, "tensor 'codes'");
    }
}

static void test_numbers(void)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY, -1};
    struct content content;
    for (size_t i = 0; i < JC_COUNT(bad); i++) {
        content_init(&content);
        content.vectors[1 * DIM + 1] = bad[i];
        check_refused(&content, JC_E_MODEL, "'vectors': row 1 has length");
        content_init(&content);
        content.weights[3] = bad[i];
        check_refused(&content, JC_E_MODEL, "'code_weights': row 3 is");
        for (size_t v = 0; v < 3; v++) {
            static const char *const parts[] = {"'vote': k is", "'vote': the sharpness", "'vote': the weight"};
            content_init(&content);
            content.vote[v] = bad[i];
            check_refused(&content, JC_E_MODEL, parts[v]);
        }
    }
    static const float ks[] = {0, 0.5F, 1.5F, 1001, 1e9F};
    for (size_t i = 0; i < JC_COUNT(ks); i++) {
        content_init(&content);
        content.vote[0] = ks[i];
        check_refused(&content, JC_E_MODEL, "not a whole number from 1 to 1000");
    }
    static const float lengths[] = {0, 0.998F, 1.002F, 1e30F};
    for (size_t i = 0; i < JC_COUNT(lengths); i++) {
        content_init(&content);
        content.vectors[0] = lengths[i];
        check_refused(&content, JC_E_MODEL, "'vectors': row 0 has length");
    }
    content_init(&content);
    content.weights[3] = content.weights[4] = 0;
    check_refused(&content, JC_E_MODEL, "'code_weights': those of text 2 are all 0");
}

/* At the edges of what is allowed. */
static void test_edges(void)
{
    struct content content;
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    content_init(&content);
    content.vectors[0] = 1.0009F;
    content.weights[0] = 0;
    memcpy(content.vote, (float[]){1000, 0, 0}, sizeof content.vote);
    write_tensors(&content, N_TENSORS);
    REQUIRE_OK(load(&exemplars));
    CHECK_INT(exemplars.k, 1000);
}

static void test_texts(void)
{
    struct content content;
    content_init(&content);
    write_tensors(&content, N_TENSORS);
    check_texts_refused("", 0, "0 lines, and there are 3 exemplars");
    check_texts_refused("a\nb\n", 4, "2 lines, and there are 3 exemplars");
    check_texts_refused("a\nb\nc\nd\n", 8, "more lines than the 3 exemplars");
    check_texts_refused("a\nb\nc", 5, "line 3: no line end");
    check_texts_refused("a\n\nc\n", 5, "line 2: empty, or not UTF-8");
    check_texts_refused("a\nb\r\nc\n", 7, "line 2:");
    check_texts_refused("a\tb\nb\nc\n", 8, "line 1:");
    check_texts_refused("a\nb\0b\nc\n", 8, "line 2:");
    check_texts_refused("a\nb\x7f\nc\n", 7, "line 2:");
    check_texts_refused("a\nb\n\xc3\x28\n", 7, "line 3:");
    check_texts_refused("a\nb\n\xed\xa0\x80\n", 8, "line 3:");
    struct jc_exemplars exemplars = {0};
    unlink(texts_path);
    CHECK_FAILS(load(&exemplars), JC_E_NOT_FOUND, texts_path);
    unlink(vectors_path);
    CHECK_FAILS(load(&exemplars), JC_E_NOT_FOUND, vectors_path);
}

int main(void)
{
    REQUIRE(mkdtemp(root));
    REQUIRE_OK(jc_path_join(vectors_path, sizeof vectors_path, root, "v", &err));
    REQUIRE_OK(jc_path_join(texts_path, sizeof texts_path, root, "t", &err));
    REQUIRE_OK(jc_file_write(texts_path, texts, sizeof texts - 1, &err));
    test_round_trip();
    test_init();
    test_shapes();
    test_codes();
    test_numbers();
    test_edges();
    test_texts();
    test_control_characters();
    jc_dir_remove(root);
    return check_finish();
}
