/* encoder.json: what is written reads back, and what is wrong is named. */
#include "artifact/bert_file.h"

#include <limits.h>

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
    enum jc_precision precision = JC_PRECISION_F32;
    REQUIRE_OK(jc_bert_file_write(path, &bert, JC_PRECISION_INT8, &err));
    REQUIRE_OK(jc_bert_file_read(path, &read, &precision, &err));
    CHECK(read.hidden == 384 && read.layers == 12 && read.heads == 6 && read.intermediate == 1536);
    CHECK(read.vocab == 30522 && read.positions == 512 && read.types == 2 && read.max_tokens == 256);
    CHECK(read.layer_norm_eps == 1e-12 && read.pooling == JC_POOLING_CLS && precision == JC_PRECISION_INT8);
    CHECK_STR(read.source_sha256, "");
}

/* The file with one piece of its text replaced. */
static void check_changed(const char *path, const char *from, const char *to, const char *problem)
{
    struct jc_err err;
    struct jc_bert read = {.hidden = 1};
    enum jc_precision precision;
    JC_AUTO_BUF struct jc_buf text = {0}, changed = {0};
    REQUIRE_OK(jc_bert_file_write(path, &bert, JC_PRECISION_F32, &err));
    REQUIRE_OK(jc_file_read(path, 1 << 16, &text, &err));
    char *at = strstr(text.data, from);
    REQUIRE(at != NULL);
    jc_buf_put(&changed, text.data, (size_t)(at - text.data));
    jc_buf_puts(&changed, to);
    jc_buf_puts(&changed, at + strlen(from));
    REQUIRE_OK(jc_file_write(path, changed.data, changed.n, &err));
    CHECK_FAILS(jc_bert_file_read(path, &read, &precision, &err), JC_E_FORMAT, problem);
    CHECK(strstr(err.text, path) != NULL && read.hidden == 1);
}

int main(void)
{
    struct jc_err err;
    struct jc_bert read;
    enum jc_precision precision;
    char folder[] = "/tmp/jobcode-test-XXXXXX", path[PATH_MAX];
    REQUIRE(mkdtemp(folder) != NULL);
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, JC_BERT_FILE, &err));
    CHECK_FAILS(jc_bert_file_read(path, &read, &precision, &err), JC_E_NOT_FOUND, path);
    check_round_trip(path);
    check_changed(path, "\"format_version\": 1", "\"format_version\": 2", "/format_version");
    check_changed(path, "384", "0", "/hidden");
    check_changed(path, "384", "-384", "/hidden");
    check_changed(path, "384", "\"384\"", "/hidden");
    check_changed(path, "384", "99999999999", "/hidden");
    check_changed(path, "30522", "30522.5", "/vocab");
    check_changed(path, "e-12", "e+12", "/layer_norm_eps");
    check_changed(path, "\"cls\"", "\"max\"", "/pooling");
    check_changed(path, "\"f32\"", "\"f16\"", "/precision");
    check_changed(path, "\"f32\"", "32", "/precision");
    check_changed(path, "\"f32\"", "\"f32\", \"more\": 1", "unknown");
    check_changed(path, "\"pooling\"", "\"hidden\": 1, \"pooling\"", "duplicate");
    check_changed(path, "{", "[", ":");
    jc_dir_remove(folder);
    return check_finish();
}
