/* The trainer's configuration: the files of config/ load and say what they are meant to, and onet.yaml, the manual,
 * names every key of the table. */
#include "trainer/config.h"

#include <limits.h>

#include "base/file.h"
#include "check.h"
#include "model/encoder.h"

static struct jc_err err;

static void find_config(const char *name, char ret_path[PATH_MAX])
{
    const char *root = getenv("JOBCODE_SOURCE_ROOT");
    if (!root)
        check_skip("JOBCODE_SOURCE_ROOT is not set");
    snprintf(ret_path, PATH_MAX, "%s/config/%s", root, name);
}

static void test_onet(void)
{
    char path[PATH_MAX];
    find_config("onet.yaml", path);
    struct jc_train_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    REQUIRE_OK(jc_train_config_load(path, NULL, 0, &config, &conf, &err));
    CHECK_STR(config.name, "onet-30.1");
    CHECK_STR(config.method, "softmax");
    CHECK_CONTAINS(config.attribution, "used under the CC BY 4.0 license. O*NET is a trademark of USDOL/ETA.");
    CHECK_INT(config.split.kind, JC_SPLIT_POSTINGS);
    CHECK_INT(config.source.exclude_sources.n, 0);
    CHECK(config.source.names && config.source.alternate_titles && config.source.descriptions);
    CHECK(config.portable);
}

static void test_benchmark(void)
{
    char path[PATH_MAX];
    find_config("benchmark.yaml", path);
    struct jc_train_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    const char *sets[] = {"methods=average", "direct.text=name_description"};
    REQUIRE_OK(jc_train_config_load(path, sets, 2, &config, &conf, &err));
    CHECK_INT(config.split.kind, JC_SPLIT_POSTINGS);
    REQUIRE(config.methods.n == 1);
    CHECK_STR(config.methods.items[0], "average");
    CHECK_INT(config.direct_text, JC_DIRECT_NAME_DESCRIPTION);
}

static void test_postings(void)
{
    char path[PATH_MAX];
    find_config("postings.yaml", path);
    struct jc_train_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    const char *sets[] = {"postings.0.columns.code=SOC", "postings.1.path=more.jsonl"};
    REQUIRE_OK(jc_train_config_load(path, sets, 2, &config, &conf, &err));
    CHECK_INT(config.split.kind, JC_SPLIT_RANDOM);
    REQUIRE(config.postings.n == 2);
    const struct jc_postings_config *postings = config.postings.items;
    CHECK_STR(postings[0].path, "tests/data/postings.csv");
    CHECK_STR(postings[0].columns.code, "SOC");
    CHECK_STR(postings[0].columns.title, "TITLE_RAW");
    CHECK_STR(postings[1].path, "more.jsonl");
    CHECK_STR(postings[1].columns.code, "ONET");
}

/* Each key of --help-config: its last part stands in one of the two manuals as a member. */
static void test_manual_is_complete(void)
{
    char path[PATH_MAX], *help = NULL;
    size_t n_help = 0, n_keys = 0;
    JC_AUTO_BUF struct jc_buf text = {0};
    find_config("onet.yaml", path);
    REQUIRE_OK(jc_file_read(path, 1 << 20, &text, &err));
    find_config("postings.yaml", path);
    REQUIRE_OK(jc_file_read(path, 1 << 20, &text, &err));
    FILE *out = open_memstream(&help, &n_help);
    REQUIRE(out);
    jc_train_config_print_help(out);
    fclose(out);
    for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line == ' ')
            continue;
        line[strcspn(line, " ")] = '\0';
        const char *dot = strrchr(line, '.');
        char member[64];
        snprintf(member, sizeof(member), "%s%s:", dot ? " " : "\n", dot ? dot + 1 : line);
        CHECK_CONTAINS(text.data, member);
        n_keys++;
    }
    CHECK(n_keys > 60);
    free(help);
}

static void test_errors(void)
{
    struct jc_train_config config;
    struct jc_conf *conf = NULL;
    const char *set = "encoder.wights=x";
    CHECK_FAILS(jc_train_config_load(NULL, &set, 1, &config, &conf, &err), JC_E_INVALID, "encoder.weights");
    set = "split.kind=randm";
    CHECK_FAILS(jc_train_config_load(NULL, &set, 1, &config, &conf, &err), JC_E_INVALID, "random");
    set = "encoder.max_tokens=513";
    CHECK_FAILS(jc_train_config_load(NULL, &set, 1, &config, &conf, &err), JC_E_INVALID, "512");
    static const char *const wrong[] = {"encoder.pooling=max", "encoder.backend=tpu", "encoder.precision=f64",
                                        "encoder.buckets=64 100"};
    static const char *const parts[] = {"checkpoint", "onednn", "int8", "multiples of 16"};
    for (size_t i = 0; i < JC_COUNT(wrong); i++)
        CHECK_FAILS(jc_train_config_load(NULL, &wrong[i], 1, &config, &conf, &err), JC_E_INVALID, parts[i]);
    CHECK(!conf);
}

/* The choices are enums of other headers: their names stand in the same order. */
static void test_encoder(void)
{
    struct jc_train_config config;
    JC_AUTO(jc_conf) struct jc_conf *plain = NULL, *other = NULL;
    REQUIRE_OK(jc_train_config_load(NULL, NULL, 0, &config, &plain, &err));
    CHECK_STR(config.encoder.kind, JC_ENCODER_BERT);
    CHECK_STR(config.encoder.prefix, "");
    CHECK_INT(config.encoder.pooling, JC_POOLING_FROM_CHECKPOINT);
    CHECK_INT(config.encoder.backend, JC_BACKEND_ONEDNN);
    CHECK_INT(config.encoder.precision, JC_PRECISION_F32);
    const char *const sets[] = {"encoder.pooling=cls",      "encoder.backend=torch", "encoder.precision=int8",
                                "encoder.prefix='query: '", "encoder.weights=w",     "encoder.buckets=64,256"};
    REQUIRE_OK(jc_train_config_load(NULL, sets, JC_COUNT(sets), &config, &other, &err));
    CHECK_INT(config.encoder.pooling, JC_POOLING_CHOSEN_CLS);
    CHECK_INT(config.encoder.backend, JC_BACKEND_TORCH);
    CHECK_INT(config.encoder.precision, JC_PRECISION_INT8);
    CHECK_CONTAINS(config.encoder.prefix, "query: ");
    CHECK_STR(config.encoder.weights, "w");
    CHECK_INT(config.encoder.buckets.n, 2);
}

int main(void)
{
    test_onet();
    test_benchmark();
    test_postings();
    test_manual_is_complete();
    test_errors();
    test_encoder();
    return check_finish();
}
