/* The public benchmark over a real O*NET 30.1 release: as many test rows as its definition says. */
#include "data/onet.h"
#include "split_rows.h"

static struct jc_err err;

static void add_titles(const struct jc_onet *onet, struct jc_dataset *dataset)
{
    size_t n, n_titles;
    const struct jc_onet_occupation *occupations = jc_onet_occupations(onet, &n);
    const struct jc_onet_title *titles = jc_onet_titles(onet, &n_titles);
    for (size_t i = 0; i < n; i++) {
        struct jc_example example = {.parent = JC_EXAMPLE_NO_PARENT, .weight = 1};
        REQUIRE_OK(
            jc_dataset_add_category(dataset, occupations[i].code, occupations[i].title, NULL, &example.category, &err));
        REQUIRE_OK(jc_dataset_add_title(dataset, occupations[i].title, example, &err));
    }
    for (size_t i = 0; i < n_titles; i++) {
        struct jc_example example = {.category = titles[i].occupation, .parent = JC_EXAMPLE_NO_PARENT, .weight = 1};
        example.from_postings = jc_onet_title_has_source(&titles[i], "10");
        REQUIRE_OK(jc_dataset_add_title(dataset, titles[i].title, example, &err));
    }
}

int main(void)
{
    const char *folder = getenv("JOBCODE_ONET_DIR");
    if (!folder || !*folder)
        check_skip("JOBCODE_ONET_DIR names no folder of an O*NET release");
    JC_AUTO(jc_onet) struct jc_onet *onet = NULL;
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    REQUIRE_OK(jc_onet_load(folder, &onet, &err));
    add_titles(onet, dataset);
    REQUIRE(dataset->n_examples == 57521); /* 1,016 names and 56,505 titles: release 30.1 */

    struct jc_split_report report;
    struct jc_split_config config = {.kind = JC_SPLIT_POSTINGS};
    REQUIRE_OK(jc_split_dataset(dataset, &config, &report, &err));
    CHECK_INT(report.n_test, 7612);
    CHECK_INT(report.n_leaked, 0);

    config = (struct jc_split_config){.kind = JC_SPLIT_STRATIFIED, .test = .2, .rare = 5, .seed = 1};
    REQUIRE_OK(jc_split_dataset(dataset, &config, &report, &err));
    CHECK_INT(report.n_test, llround(.2 * (double)(dataset->n_examples - report.n_rare_rows)));
    size_t n_wanted = report.n_test;
    CHECK(report.n_leaked > 0);
    config.keep_equal = true; /* 15 % of the titles are of several categories, which all need room */
    REQUIRE_OK(jc_split_dataset(dataset, &config, &report, &err));
    CHECK_INT(report.n_leaked, 0);
    CHECK(report.n_test <= n_wanted && report.n_test > .95 * (double)n_wanted);
    return check_finish();
}
