/* Models set against each other: compare and its verdicts; a fit that refuses to publish what is worse, and what it
 * leaves as it was; versions that are kept; what all_rows adds. */
#include "model/classifier.h"
#include "tiny_run.h"
#include "trainer/publish/versions.h"

enum { VERSION_SIZE = 128 };

static char good[PATH_MAX], bad[PATH_MAX], better[PATH_MAX];

static enum jc_verdict fit(struct tiny *tiny)
{
    const struct jc_run_request request = {.kind = JC_RUN_FIT, .config = &tiny->config};
    enum jc_verdict verdict;
    REQUIRE_OK(jc_run_execute(&request, &verdict, &err));
    return verdict;
}

static enum jc_verdict fit_to(const char *path, const char *output, uint64_t keep, const char *refuse_worse)
{
    TINY tiny;
    tiny_init(&tiny, path, output);
    tiny.config.keep = keep;
    tiny.config.refuse_worse = refuse_worse;
    return fit(&tiny);
}

static jc_code compare(struct tiny *tiny, const char *a, const char *b, double margin, enum jc_verdict *ret_verdict)
{
    char a_path[PATH_MAX];
    snprintf(a_path, sizeof(a_path), "%s", path_of(a));
    const struct jc_run_request request = {
        .kind = JC_RUN_COMPARE, .config = &tiny->config, .a = a_path, .b = path_of(b), .margin = margin};
    return jc_run_execute(&request, ret_verdict, &err);
}

static void check_verdict(const char *a, const char *b, double margin, enum jc_verdict want)
{
    TINY tiny;
    enum jc_verdict verdict;
    tiny_init(&tiny, good, "none");
    REQUIRE_OK(compare(&tiny, a, b, margin, &verdict));
    check_report(verdict == want, __FILE__, __LINE__, "%s against %s: %s, not %s", b, a, jc_verdict_name(verdict),
                 jc_verdict_name(want));
    CHECK(!jc_file_exists(path_of("none")));
}

static void test_compare(void)
{
    CHECK_INT(fit_to(good, "good", 0, ""), JC_VERDICT_NOT_WORSE);
    CHECK_INT(fit_to(bad, "bad", 0, ""), JC_VERDICT_NOT_WORSE);
    check_verdict("good", "bad", 0.01, JC_VERDICT_WORSE);
    check_verdict("bad", "good", 0.01, JC_VERDICT_NOT_WORSE);
    check_verdict("good", "good", 0.01, JC_VERDICT_NOT_WORSE);
    check_verdict("good", "bad", 1, JC_VERDICT_NOT_WORSE);

    TINY tiny;
    enum jc_verdict verdict = JC_VERDICT_WORSE;
    tiny_init(&tiny, good, "none");
    CHECK_FAILS(compare(&tiny, "good", "missing", 0, &verdict), JC_E_NOT_FOUND, "compare: ");
    tiny.config.split.kind = JC_SPLIT_NONE;
    CHECK_FAILS(compare(&tiny, "good", "bad", 0, &verdict), JC_E_INVALID, "split.kind");
    CHECK_INT(verdict, JC_VERDICT_WORSE);
}

/* The version that is in place. */
static void read_version(const char *folder_name, char ret_version[VERSION_SIZE])
{
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    REQUIRE_OK(jc_bundle_load(path_of(folder_name), JC_BUNDLE_COMPLETE, &bundle, &err));
    snprintf(ret_version, VERSION_SIZE, "%s", jc_bundle_manifest(bundle)->version);
}

static void check_versions(const char *root, size_t want)
{
    __attribute__((cleanup(jc_versions_finish))) struct jc_versions versions = {0};
    REQUIRE_OK(jc_versions_list(path_of(root), &versions, &err));
    CHECK_INT(versions.n, want);
}

static void test_refuse(void)
{
    char before[VERSION_SIZE], after[VERSION_SIZE];
    CHECK_INT(fit_to(good, "one", 0, "0.01"), JC_VERDICT_NOT_WORSE); /* there is none to compare with */
    read_version("one", before);
    CHECK_INT(fit_to(bad, "one", 0, "0.01"), JC_VERDICT_WORSE);
    read_version("one", after);
    CHECK_STR(after, before);
    CHECK_INT(fit_to(bad, "one", 0, "1"), JC_VERDICT_NOT_WORSE); /* any loss is tolerated */
    read_version("one", after);
    CHECK(strcmp(after, before) != 0);
    CHECK_INT(fit_to(good, "one", 0, "0.01"), JC_VERDICT_NOT_WORSE);
    read_version("one", after);
    CHECK_STR(after, before);
}

static void test_versions(void)
{
    char before[VERSION_SIZE], after[VERSION_SIZE];
    CHECK_INT(fit_to(bad, "root", 2, "0.01"), JC_VERDICT_NOT_WORSE);
    check_versions("root", 1);
    CHECK_INT(fit_to(good, "root", 2, "0.01"), JC_VERDICT_NOT_WORSE);
    check_versions("root", 2);
    read_version("root/current", before);
    CHECK_INT(fit_to(bad, "root", 2, "0.01"), JC_VERDICT_WORSE);
    check_versions("root", 2);
    read_version("root/current", after);
    CHECK_STR(after, before);
    CHECK_INT(fit_to(better, "root", 2, "0.5"), JC_VERDICT_NOT_WORSE);
    check_versions("root", 2); /* the first is gone */
    read_version("root/current", after);
    CHECK(strcmp(after, before) != 0);
}

/* The score of the category that has a test row and no other. */
static float score_tested(const char *folder_name, const char *title)
{
    JC_AUTO(jc_classifier) struct jc_classifier *classifier = NULL;
    JC_AUTO(jc_session) struct jc_session *session = NULL;
    struct jc_hit hits[TINY_CATEGORIES + 1];
    struct jc_input input = {.top_n = TINY_CATEGORIES + 1, .hits = hits}, *inputs = &input;
    struct jc_run_stats stats;
    const struct jc_posting posting = {.title = title, .n_title = strlen(title)};
    REQUIRE_OK(jc_classifier_load(path_of(folder_name), NULL, &classifier, &err));
    REQUIRE_OK(jc_session_create(classifier, &session, &err));
    REQUIRE_OK(jc_classifier_prepare(classifier, &posting, &input, &err));
    REQUIRE_OK(jc_session_run(session, &inputs, 1, &stats, &err));
    jc_input_finish(&input);
    size_t n;
    const struct jc_category *categories = jc_bundle_categories(jc_classifier_bundle(classifier), &n);
    for (size_t i = 0; i < input.n_hits; i++)
        if (strcmp(categories[hits[i].index].code, "29-0000.00") == 0)
            return hits[i].score;
    CHECK(false);
    return 0;
}

static void test_all_rows(void)
{
    TINY tiny;
    tiny_init(&tiny, good, "unseen");
    fit(&tiny);
    tiny_finish(&tiny);
    tiny_init(&tiny, good, "all");
    tiny.config.all_rows = true;
    fit(&tiny);
    CHECK_NEAR(score_tested("all", "z"), 1, 1e-5);
    CHECK(score_tested("unseen", "z") < 0.5F); /* its name stands for it */
    CHECK_NEAR(score_tested("unseen", "Only tested"), 1, 1e-5);
}

static void check_refused(struct tiny *tiny, jc_code want, const char *part)
{
    const struct jc_run_request request = {.kind = JC_RUN_FIT, .config = &tiny->config};
    enum jc_verdict verdict;
    CHECK_FAILS(jc_run_execute(&request, &verdict, &err), want, part);
}

static void test_errors(void)
{
    static const char *const wrong[] = {"-0.01", "1.01", "some", "nan"};
    TINY tiny;
    tiny_init(&tiny, good, "good");
    for (size_t i = 0; i < JC_COUNT(wrong); i++) {
        tiny.config.refuse_worse = wrong[i];
        check_refused(&tiny, JC_E_INVALID, "refuse_worse");
    }
    tiny.config.refuse_worse = "0.1";
    tiny.config.encoder.max_tokens = 7; /* the present model takes 512 */
    check_refused(&tiny, JC_E_INVALID, "another encoder");
    tiny.config.split.kind = JC_SPLIT_NONE;
    check_refused(&tiny, JC_E_INVALID, "refuse_worse needs test rows");
}

int main(void)
{
    REQUIRE(mkdtemp(folder));
    snprintf(good, sizeof(good), "%s", tiny_write("good.csv", 0, TINY_TRAIN));
    snprintf(bad, sizeof(bad), "%s", tiny_write("bad.csv", 1, TINY_TRAIN));
    snprintf(better, sizeof(better), "%s", tiny_write("better.csv", 0, TINY_TRAIN - 2));
    test_compare();
    test_refuse();
    test_versions();
    test_all_rows();
    test_errors();
    jc_dir_remove(folder);
    return check_finish();
}
