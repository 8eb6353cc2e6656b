/* The whole run on a release of four occupations with the fake encoder: what is published loads, answers, and is the
 * same when made again; a portable bundle lists its vocabulary; what cannot work says so. */
#include "trainer/pipeline.h"

#include <limits.h>

#include "base/file.h"
#include "check.h"
#include "model/classifier.h"
#include "small_model.h"

static struct jc_err err;
static char folder[] = "/tmp/test_pipeline.XXXXXX";

static const char occupations[] = "O*NET-SOC Code\tTitle\tDescription\n"
                                  "11-1.00\tw1 w2\tw1 w2 w3.\n"
                                  "11-2.00\tw4 w5\tw4 w5 w6.\n"
                                  "13-1.00\tw7 w8\tw7 w8 w9.\n"
                                  "15-1.00\tw10 w11\tw10 w11 w12.\n";

static const char titles[] = "O*NET-SOC Code\tAlternate Title\tSource(s)\n"
                             "11-1.00\tw1 w3\t02,08\n"
                             "11-2.00\tw4 w6\t08\n"
                             "13-1.00\tw7 w20\t02\n"
                             "13-1.00\tw7 w21\t10\n" /* tests */
                             "15-1.00\tw10 w22\t08\n"
                             "15-1.00\tW10-w22\t08,10\n" /* unused: a training title */
                             "15-1.00\tw1 w2 w3\t10\n";  /* tests, and looks like 11-1.00 */

static void in_folder(char ret_path[PATH_MAX], const char *name)
{
    REQUIRE_OK(jc_path_join(ret_path, PATH_MAX, folder, name, &err));
}

static jc_code run(enum jc_run_kind kind, const char *const *sets, size_t n_sets)
{
    static char settings[4][PATH_MAX + 32];
    const char *all[16] = {settings[0], settings[1], settings[2], "encoder.kind=fake", "split.kind=postings", "cache="};
    char output[PATH_MAX];
    in_folder(output, "model");
    snprintf(settings[0], sizeof(settings[0]), "source.onet_dir=%s", folder);
    snprintf(settings[1], sizeof(settings[1]), "encoder.weights=%s", folder);
    snprintf(settings[2], sizeof(settings[2]), "output=%s", output);
    for (size_t i = 0; i < n_sets; i++)
        all[6 + i] = sets[i];

    struct jc_train_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    jc_code code = jc_train_config_load(NULL, all, 6 + n_sets, &config, &conf, &err);
    struct jc_run_request request = {.kind = kind, .config = &config};
    enum jc_verdict verdict;
    return code ? code : jc_run_execute(&request, &verdict, &err);
}

static double find_metric(const struct jc_manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->n_metrics; i++)
        if (strcmp(manifest->metrics[i].name, name) == 0)
            return manifest->metrics[i].value;
    return -1;
}

static void test_fit(void)
{
    char path[PATH_MAX];
    in_folder(path, "model");
    REQUIRE_OK(run(JC_RUN_FIT, NULL, 0));
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    REQUIRE_OK(jc_classifier_load(path, NULL, &classifier, &err));
    const struct jc_manifest *manifest = jc_bundle_manifest(jc_classifier_bundle(classifier));
    CHECK_INT(manifest->n_categories, 4);
    CHECK_STR(manifest->method, "average");
    CHECK(manifest->n_canaries > 3);
    CHECK_NEAR(find_metric(manifest, "n_test"), 2, 0);
    CHECK_NEAR(find_metric(manifest, "top_1"), 0.5, 0);

    char version[128];
    snprintf(version, sizeof(version), "%s", manifest->version);
    REQUIRE_OK(run(JC_RUN_FIT, (const char *[]){"threads=3"}, 1));
    JC_AUTO(jc_bundle) struct jc_bundle *again = NULL;
    REQUIRE_OK(jc_bundle_load(path, JC_BUNDLE_COMPLETE, &again, &err));
    CHECK_STR(jc_bundle_manifest(again)->version, version);
    jc_dir_remove(path);
}

/* A trained head: published with its lexicon, and the same when made again on as many threads. */
static void test_fit_softmax(void)
{
    char path[PATH_MAX], versions[2][128];
    in_folder(path, "model");
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(run(JC_RUN_FIT, (const char *[]){"method=softmax", "softmax.epochs=100", "threads=2"}, 3));
        JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
        REQUIRE_OK(jc_classifier_load(path, NULL, &classifier, &err));
        const struct jc_manifest *manifest = jc_bundle_manifest(jc_classifier_bundle(classifier));
        CHECK_STR(manifest->method, "softmax");
        CHECK(manifest->n_canaries > 3);
        CHECK(jc_bundle_head(jc_classifier_bundle(classifier))->n_features > 0);
        snprintf(versions[i], sizeof(versions[i]), "%s", manifest->version);
        jc_dir_remove(path);
    }
    CHECK_STR(versions[1], versions[0]);
}

static void test_portable(void)
{
    char path[PATH_MAX];
    in_folder(path, "model");
    REQUIRE_OK(run(JC_RUN_FIT, (const char *[]){"portable=true", "split.kind=none", "method=direct"}, 3));
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    REQUIRE_OK(jc_bundle_load(path, JC_BUNDLE_PORTABLE, &bundle, &err));
    const struct jc_manifest *manifest = jc_bundle_manifest(bundle);
    CHECK_STR(manifest->method, "direct");
    CHECK_INT(manifest->n_metrics, 0);
    CHECK(jc_manifest_find_file(manifest, JC_BUNDLE_VOCAB) != NULL);
    struct jc_bundle *complete = NULL;
    CHECK(jc_bundle_load(path, JC_BUNDLE_COMPLETE, &complete, &err) != JC_OK);
    jc_dir_remove(path);
}

static void test_errors(void)
{
    CHECK_FAILS(run(JC_RUN_EVALUATE, (const char *[]){"split.kind=none"}, 1), JC_E_INVALID, "split.kind: none");
    CHECK_FAILS(run(JC_RUN_EVALUATE, (const char *[]){"methods=average,magic"}, 1), JC_E_INVALID, "'magic'");
    CHECK_FAILS(run(JC_RUN_EVALUATE, (const char *[]){"source.exclude_sources=10"}, 1), JC_E_INVALID,
                "split: no title is known from employers' postings alone");
    CHECK_FAILS(run(JC_RUN_FIT, (const char *[]){"source.onet_dir=/nonexistent"}, 1), JC_E_NOT_FOUND, "read: ");
    CHECK_FAILS(run(JC_RUN_FIT, (const char *[]){"encoder.kind=other"}, 1), JC_E_UNSUPPORTED, "open: ");
    CHECK_FAILS(run(JC_RUN_FIT, (const char *[]){"encoder.max_tokens=1000"}, 1), JC_E_INVALID, "encoder.max_tokens");
    unsetenv("JOBCODE_ONET_DIR");
    CHECK_FAILS(run(JC_RUN_FIT, (const char *[]){"source.onet_dir="}, 1), JC_E_NOT_FOUND, "JOBCODE_ONET_DIR");
}

int main(void)
{
    char path[PATH_MAX];
    REQUIRE(mkdtemp(folder));
    in_folder(path, "Occupation Data.txt");
    REQUIRE_OK(jc_file_write(path, occupations, strlen(occupations), &err));
    in_folder(path, "Alternate Titles.txt");
    REQUIRE_OK(jc_file_write(path, titles, strlen(titles), &err));
    in_folder(path, "vocab.txt");
    small_model_write_vocab(path);
    REQUIRE_OK(run(JC_RUN_EVALUATE, NULL, 0));
    test_fit();
    test_fit_softmax();
    test_portable();
    test_errors();
    jc_dir_remove(folder);
    return check_finish();
}
