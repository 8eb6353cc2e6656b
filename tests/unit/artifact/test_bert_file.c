/* encoder.json and calibration.safetensors: what is written reads back, and what is wrong is named. */
#include "artifact/bert_file.h"

#include <limits.h>

#include "artifact/safetensors.h"
#include "base/buf.h"
#include "base/file.h"
#include "check.h"

static const struct jc_bert bert = {.hidden = 384,
                                    .layers = 12,
                                    .heads = 6,
                                    .intermediate = 1536,
                                    .vocab = 30522,
                                    .positions = 512,
                                    .types = 2,
                                    .layer_norm_eps = 1e-12,
                                    .pooling = JC_POOLING_CLS,
                                    .max_tokens = 256};

static void check_round_trip(const char *path)
{
    struct jc_err err;
    struct jc_bert read;
    REQUIRE_OK(jc_bert_file_write(path, &bert, &err));
    REQUIRE_OK(jc_bert_file_read(path, &read, &err));
    CHECK(read.hidden == 384 && read.layers == 12 && read.heads == 6 && read.intermediate == 1536);
    CHECK(read.vocab == 30522 && read.positions == 512 && read.types == 2 && read.max_tokens == 256);
    CHECK(read.layer_norm_eps == 1e-12 && read.pooling == JC_POOLING_CLS);
    CHECK_STR(read.source_sha256, "");
}

/* The file with one piece of its text replaced. */
static void check_changed(const char *path, const char *from, const char *to, const char *problem)
{
    struct jc_err err;
    struct jc_bert read = {.hidden = 1};
    JC_AUTO_BUF struct jc_buf text = {0}, changed = {0};
    REQUIRE_OK(jc_bert_file_write(path, &bert, &err));
    REQUIRE_OK(jc_file_read(path, 1 << 16, &text, &err));
    char *at = strstr(text.data, from);
    REQUIRE(at != NULL);
    jc_buf_put(&changed, text.data, (size_t)(at - text.data));
    jc_buf_puts(&changed, to);
    jc_buf_puts(&changed, at + strlen(from));
    REQUIRE_OK(jc_file_write(path, changed.data, changed.n, &err));
    CHECK_FAILS(jc_bert_file_read(path, &read, &err), JC_E_FORMAT, problem);
    CHECK(strstr(err.text, path) != NULL && read.hidden == 1);
}

/* Writes one tensor of `rank` sizes that hold the n values, and reads it as a calibration. */
static void check_calibration_refused(const char *path, const char *name, size_t rank, const float *values, size_t n,
                                      const char *problem)
{
    struct jc_err err;
    float *read = NULL;
    size_t n_read = 99;
    const struct jc_tensor tensor = {.name = name,
                                     .dtype = JC_DTYPE_F32,
                                     .rank = rank,
                                     .shape = {rank == 2 ? 2 : n, n / 2},
                                     .data = values,
                                     .n_bytes = n * sizeof *values};
    REQUIRE_OK(jc_safetensors_write(path, &tensor, 1, &err));
    CHECK_FAILS(jc_calibration_read(path, &read, &n_read, &err), JC_E_FORMAT, problem);
    CHECK_CONTAINS(err.text, path);
    CHECK(read == NULL && n_read == 99);
}

static void check_calibration(const char *path)
{
    struct jc_err err;
    const float values[] = {0, 1.5F, -3e-30F, 1e30F, 0.1F, 7};
    JC_AUTO_FREE float *read = NULL;
    size_t n = 0;
    CHECK_FAILS(jc_calibration_read(path, &read, &n, &err), JC_E_NOT_FOUND, path);
    REQUIRE_OK(jc_calibration_write(path, values, JC_COUNT(values), &err));
    REQUIRE_OK(jc_calibration_read(path, &read, &n, &err));
    REQUIRE(n == JC_COUNT(values));
    CHECK(memcmp(read, values, sizeof values) == 0);

    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < JC_COUNT(wrong); i++) {
        float changed[JC_COUNT(values)];
        memcpy(changed, values, sizeof values);
        changed[4] = wrong[i];
        check_calibration_refused(path, "calibration", 1, changed, JC_COUNT(values), "value 4 is not finite");
    }
    check_calibration_refused(path, "another", 1, values, JC_COUNT(values), "tensor 'calibration'");
    check_calibration_refused(path, "calibration", 2, values, JC_COUNT(values), "F32 [2, 3], not F32 [2]");
    check_calibration_refused(path, "calibration", 0, values, 1, "F32 []");
    REQUIRE_OK(jc_file_write(path, "short", 5, &err));
    CHECK_FAILS(jc_calibration_read(path, &read, &n, &err), JC_E_FORMAT, path);
    CHECK_FAILS(jc_calibration_write("/nonexistent/x", values, JC_COUNT(values), &err), JC_E_IO, "/nonexistent");
}

int main(void)
{
    struct jc_err err;
    struct jc_bert read;
    char folder[] = "/tmp/jobcode-test-XXXXXX", path[PATH_MAX];
    REQUIRE(mkdtemp(folder) != NULL);
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, "encoder.json", &err));
    CHECK_FAILS(jc_bert_file_read(path, &read, &err), JC_E_NOT_FOUND, path);
    check_round_trip(path);
    check_changed(path, "\"format_version\": 1", "\"format_version\": 2", "/format_version");
    check_changed(path, "384", "0", "/hidden");
    check_changed(path, "384", "-384", "/hidden");
    check_changed(path, "384", "\"384\"", "/hidden");
    check_changed(path, "384", "99999999999", "/hidden");
    check_changed(path, "30522", "30522.5", "/vocab");
    check_changed(path, "e-12", "e+12", "a layer_norm_eps of 1e+12");
    check_changed(path, "\"cls\"", "\"max\"", "/pooling");
    check_changed(path, "\"cls\"", "1", "/pooling");
    check_changed(path, "\"cls\"", "\"cls\", \"precision\": \"int8\"", "unknown");
    check_changed(path, "\"heads\": 6", "\"heads\": 7", "384 is not a multiple of 7 heads");
    check_changed(path, "\"positions\": 512", "\"positions\": 255", "256 tokens does not fit 255 positions");
    check_changed(path, "\"pooling\"", "\"hidden\": 1, \"pooling\"", "duplicate");
    check_changed(path, "{", "[", ":");
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, "calibration.safetensors", &err));
    check_calibration(path);
    jc_dir_remove(folder);
    return check_finish();
}
