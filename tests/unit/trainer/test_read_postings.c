/*
 * Postings become examples: the sample of tests/data under every policy, with the counts of its README; weights,
 * several sources, limits on bad rows, the split's column; a code's way does not depend on the order of the rows.
 */
#include "data/records.h"
#include "data_files.h"
#include "trainer/data/read.h"

enum { N_ROWS = 406, N_UNCLASSIFIED = 14, N_BAD = 15, N_OF_2019 = 366, N_OF_2010 = 7, N_UNKNOWN = 4 };

static char sample[PATH_MAX], crosswalk[PATH_MAX], categories[PATH_MAX], rejects[PATH_MAX];

/* One run: what is set before, and what came of it. */
struct run {
    struct jc_postings_config sources[2];
    struct jc_train_config config;
    struct jc_conf *conf;
    struct jc_dataset *dataset;
    struct jc_read_report report;
};

static void run_finish(struct run *run)
{
    jc_dataset_destroy(run->dataset);
    jc_conf_destroy(run->conf);
}

#define RUN __attribute__((cleanup(run_finish))) struct run

static struct jc_postings_config source_of(const char *path)
{
    return (struct jc_postings_config){.path = path,
                                       .weight = 1,
                                       .columns.id = "ID",
                                       .columns.posted = "POSTED",
                                       .columns.title = "TITLE_RAW",
                                       .columns.body = "BODY",
                                       .columns.name = "ONET_NAME",
                                       .columns.code = "ONET",
                                       .columns.split = ""};
}

static void run_init(struct run *run, const char *path)
{
    *run = (struct run){.dataset = jc_dataset_create()};
    REQUIRE(run->dataset);
    REQUIRE_OK(jc_train_config_load(NULL, NULL, 0, &run->config, &run->conf, &err));
    run->sources[0] = source_of(path);
    run->config.postings = (struct jc_conf_items){.items = run->sources, .n = 1};
    run->config.max_bad_rows = "100%";
}

static jc_code run_read(struct run *run)
{
    return jc_read(&run->config, run->dataset, &run->report, &err);
}

static void check_counts(const struct run *run, size_t n_examples, size_t n_categories)
{
    CHECK_INT(run->report.n_rows, N_ROWS);
    CHECK_INT(run->report.n_unclassified, N_UNCLASSIFIED);
    CHECK_INT(run->dataset->n_examples, n_examples);
    CHECK_INT(run->dataset->n_categories, n_categories);
    CHECK_INT(run->dataset->n_empty, 0);
}

static uint32_t category_of(const struct run *run, const char *code)
{
    uint32_t category = UINT32_MAX;
    CHECK(jc_dataset_find_category(run->dataset, code, &category));
    return category;
}

static const char *title_of(const struct run *run, const char *code)
{
    return run->dataset->categories[category_of(run, code)].title;
}

static size_t count_of(const struct run *run, const char *code)
{
    size_t n = 0;
    for (size_t i = 0; i < run->dataset->n_examples; i++)
        n += strcmp(run->dataset->categories[run->dataset->examples[i].category].code, code) == 0;
    return n;
}

/* Without a list of categories those of the postings are taken. */
static void test_without_list(void)
{
    RUN plain;
    run_init(&plain, sample);
    REQUIRE_OK(run_read(&plain));
    check_counts(&plain, N_OF_2019 + N_OF_2010 + N_UNKNOWN, 43 + 6 + 3);
    CHECK_INT(plain.report.n_bad, N_BAD);
    CHECK_INT(plain.report.n_unknown + plain.report.n_mapped + plain.report.n_parted, 0);
    CHECK_INT(count_of(&plain, "29-1141.00"), 40);
    CHECK_STR(title_of(&plain, "29-1141.00"), "Registered Nurses");
    CHECK_INT(count_of(&plain, "15-1132.00"), 2);

    RUN mapped;
    run_init(&mapped, sample);
    mapped.config.codes.crosswalk = crosswalk;
    REQUIRE_OK(run_read(&mapped));
    check_counts(&mapped, 375 + N_UNKNOWN, 44 + 3);
    CHECK_INT(mapped.report.n_mapped, N_OF_2010);
    CHECK_INT(mapped.report.n_unknown, 0);
    CHECK_INT(count_of(&mapped, "15-1253.00"), 2);
    CHECK_STR(title_of(&mapped, "15-1253.00"), "Software Quality Assurance Analysts and Testers");
    uint32_t none;
    CHECK(!jc_dataset_find_category(mapped.dataset, "15-1132.00", &none));

    JC_AUTO_BUF struct jc_buf list = {0};
    jc_buf_puts(&list, "code\ttitle\n");
    for (size_t i = 0; i < mapped.dataset->n_categories; i++) {
        const struct jc_category *category = &mapped.dataset->categories[i];
        if (!strstr("15-9999.00 29-0000.00 77-1234.00", category->code))
            jc_buf_printf(&list, "%s\t%s\n", category->code, category->title);
    }
    REQUIRE_OK(jc_file_write(categories, list.data, list.n, &err));
}

struct policy {
    unsigned unknown, parted, unclassified;
    bool crosswalk;
    size_t n_examples, n_categories, n_bad, n_unknown, n_mapped, n_parted;
};

/* With the list of the 44 categories that the crosswalk leaves. */
static void test_policies(void)
{
    static const struct policy policies[] = {
        {JC_UNKNOWN_REJECT, JC_PARTED_ALL, JC_UNCLASSIFIED_DROP, true, 375, 44, N_BAD + 4, 0, 7, 0},
        {JC_UNKNOWN_DROP, JC_PARTED_ALL, JC_UNCLASSIFIED_DROP, true, 375, 44, N_BAD, 4, 7, 0},
        {JC_UNKNOWN_KEEP, JC_PARTED_ALL, JC_UNCLASSIFIED_DROP, true, 379, 47, N_BAD, 4, 7, 0},
        {JC_UNKNOWN_REJECT, JC_PARTED_DROP, JC_UNCLASSIFIED_DROP, true, 371, 44, N_BAD + 4, 0, 5, 2},
        {JC_UNKNOWN_KEEP, JC_PARTED_DROP, JC_UNCLASSIFIED_DROP, true, 375, 47, N_BAD, 4, 5, 2},
        {JC_UNKNOWN_DROP, JC_PARTED_ALL, JC_UNCLASSIFIED_KEEP, true, 389, 45, N_BAD, 4, 7, 0},
        {JC_UNKNOWN_REJECT, JC_PARTED_ALL, JC_UNCLASSIFIED_DROP, false, 366, 44, N_BAD + 11, 0, 0, 0},
        {JC_UNKNOWN_DROP, JC_PARTED_ALL, JC_UNCLASSIFIED_DROP, false, 366, 44, N_BAD, 11, 0, 0},
        {JC_UNKNOWN_KEEP, JC_PARTED_ALL, JC_UNCLASSIFIED_KEEP, false, 391, 44 + 9 + 1, N_BAD, 11, 0, 0},
    };
    for (size_t i = 0; i < JC_COUNT(policies); i++) {
        const struct policy *policy = &policies[i];
        RUN run;
        run_init(&run, sample);
        run.config.source.categories = categories;
        run.config.codes.unknown = policy->unknown;
        run.config.codes.parted = policy->parted;
        run.config.codes.unclassified = policy->unclassified;
        run.config.codes.crosswalk = policy->crosswalk ? crosswalk : "";
        REQUIRE_OK(run_read(&run));
        check_counts(&run, policy->n_examples, policy->n_categories);
        CHECK_INT(run.report.n_bad, policy->n_bad);
        CHECK_INT(run.report.n_unknown, policy->n_unknown);
        CHECK_INT(run.report.n_mapped, policy->n_mapped);
        CHECK_INT(run.report.n_parted, policy->n_parted);
        if (policy->unclassified == JC_UNCLASSIFIED_KEEP) {
            CHECK_STR(title_of(&run, "99-9999.00"), "Unclassified");
            CHECK_INT(count_of(&run, "99-9999.00"), N_UNCLASSIFIED);
        }
        if (policy->n_examples == 391) /* all good rows */
            CHECK_INT(run.report.n_undated, 7);
    }
}

static void test_weights(void)
{
    const char *more = write_text("more.tsv", "soc\twhat\n29-1141\tWard nurse\n51-3011.00\tBaker <br>\n");
    RUN run;
    run_init(&run, sample);
    run.sources[0].weight = 2.5;
    run.sources[1] = (struct jc_postings_config){.path = more,
                                                 .weight = 0.5,
                                                 .columns.id = "",
                                                 .columns.posted = "",
                                                 .columns.title = "what",
                                                 .columns.body = "",
                                                 .columns.name = "",
                                                 .columns.code = "soc"};
    run.sources[1].columns.split = "";
    run.config.postings.n = 2;
    run.config.codes.crosswalk = crosswalk;
    REQUIRE_OK(run_read(&run));
    CHECK_INT(run.report.n_rows, N_ROWS + 2);
    REQUIRE(run.dataset->n_examples == 379 + 2);
    double sum = 0;
    for (size_t i = 0; i < 379; i++) {
        const struct jc_example *example = &run.dataset->examples[i];
        const char *code = run.dataset->categories[example->category].code;
        sum += (double)example->weight;
        CHECK(example->parent == JC_EXAMPLE_NO_PARENT && !example->asked);
        CHECK(example->auxiliary == (example->weight < 2.5F)); /* of several codes: it only trains */
        if (strcmp(code, "15-1252.00") != 0 && strcmp(code, "15-1253.00") != 0)
            CHECK_NEAR(example->weight, 2.5, 0);
    }
    CHECK_NEAR(sum, 2.5 * (N_OF_2019 + N_OF_2010 + N_UNKNOWN), 1e-9); /* a parted row weighs what others do */
    CHECK_NEAR(run.dataset->examples[379].weight, 0.5, 0);
    CHECK_STR(jc_dataset_example_text(run.dataset, 380), "Baker");
    CHECK_INT(run.dataset->examples[380].category, category_of(&run, "51-3011.00"));
}

/* The lines that rejects.csv names, with blanks between them. */
static void check_rejects(const char *want)
{
    static const char *const columns[] = {"line", "reason"};
    JC_AUTO(jc_records) struct jc_records *records = NULL;
    JC_AUTO_BUF struct jc_buf lines = {0};
    REQUIRE_OK(jc_records_open(rejects, JC_RECORDS_CSV, &records, &err));
    REQUIRE_OK(jc_records_select(records, columns, 2, &err));
    for (bool more;;) {
        struct jc_record record;
        REQUIRE_OK(jc_records_next(records, &more, &record, &err));
        if (!more)
            break;
        CHECK(!record.bad && record.fields[1].n > 0);
        jc_buf_printf(&lines, "%s%s", lines.n ? " " : "", record.fields[0].text);
    }
    CHECK_STR(lines.n ? lines.data : "", want);
    unlink(rejects);
}

#define ALL_LINES "126 224 230 231 808 833 883 894 950 1042 1047 1060 1178 1253 1277"

/* Too many bad rows end the run, and the file of them is there all the same. */
static void test_limits(void)
{
    static const struct {
        const char *limit, *lines;
        bool ok;
    } limits[] = {{"15", ALL_LINES, true},   {"14", ALL_LINES, false}, {"2", "126 224 230", false}, /* at once */
                  {"0", "126", false},       {"4%", ALL_LINES, true}, /* 15 of 406 are 3.7 % */
                  {"3.6%", ALL_LINES, false}};
    for (size_t i = 0; i < JC_COUNT(limits); i++) {
        RUN run;
        run_init(&run, sample);
        run.config.rejects = rejects;
        run.config.max_bad_rows = limits[i].limit;
        if (limits[i].ok)
            REQUIRE_OK(run_read(&run));
        else
            CHECK_FAILS(run_read(&run), JC_E_FORMAT, "bad");
        check_rejects(limits[i].lines);
    }
    RUN run;
    run_init(&run, sample);
    run.config.rejects = rejects;
    run.config.max_bad_rows = "many";
    CHECK_FAILS(run_read(&run), JC_E_INVALID, "max_bad_rows");
    run.config.max_bad_rows = "1%";
    run.config.codes.crosswalk = path_of("none.csv");
    CHECK_FAILS(run_read(&run), JC_E_NOT_FOUND, "none.csv");
    CHECK(!jc_file_exists(rejects)); /* nothing was read */
}

static void test_split_column(void)
{
    const char *path = write_text("split.csv", "TITLE_RAW,ONET,part\n"
                                               "a,11-1011.00,train\nb,11-1011.00, \nc,11-1011.00,TEST\n"
                                               "d,11-1011.00,dev\ne,11-1011.00,val\nf,11-1011.00,valid\n"
                                               "g,11-1011.00,validation\nh,11-1011.00,\n");
    static const enum jc_role want[] = {
        JC_ROLE_TRAIN, JC_ROLE_TEST, JC_ROLE_VALIDATION, JC_ROLE_VALIDATION, JC_ROLE_VALIDATION, JC_ROLE_VALIDATION, 0};
    RUN run;
    run_init(&run, path);
    run.sources[0].columns.split = "part";
    run.config.rejects = rejects;
    REQUIRE_OK(run_read(&run));
    check_rejects("3"); /* a blank is no part */
    REQUIRE(run.dataset->n_examples == JC_COUNT(want));
    for (size_t i = 0; i < JC_COUNT(want); i++)
        CHECK_INT(run.dataset->examples[i].asked, want[i]);
}

/* The way of an old code is the same whether a row of the new one stands before it or behind it. */
static void test_order(void)
{
    static const char *const orders[] = {"TITLE_RAW,ONET_NAME,ONET\nx,Old name,15-1142.00\ny,New name,15-1244.00\n",
                                         "TITLE_RAW,ONET_NAME,ONET\ny,New name,15-1244.00\nx,Old name,15-1142.00\n"};
    for (size_t i = 0; i < JC_COUNT(orders); i++) {
        RUN run;
        run_init(&run, write_text("order.csv", orders[i]));
        run.config.codes.crosswalk = crosswalk;
        REQUIRE_OK(run_read(&run));
        CHECK_INT(run.dataset->n_categories, 1);
        CHECK_INT(count_of(&run, "15-1244.00"), 2);
        CHECK_INT(run.report.n_mapped, 1);
        CHECK_STR(run.dataset->categories[0].title, i ? "New name" : "Network and Computer Systems Administrators");
    }
}

/* A name that is none, a row that has no text and would have made a category; a date. */
static void test_rows(void)
{
    RUN run;
    run_init(&run, write_text("rows.csv", "ID,POSTED,TITLE_RAW,BODY,ONET_NAME,ONET\n"
                                          "1,2024-02-29,Cook,Body,***,35-2014.00\n"
                                          "2,,***,<p></p>,Actors,27-2011.00\n"
                                          "3,soon,,<p>Sing &amp; dance</p>,\x01 Singer,27-2042.00\n"));
    REQUIRE_OK(run_read(&run));
    CHECK_INT(run.report.n_bad, 1);
    CHECK_INT(run.report.n_undated, 1);
    REQUIRE(run.dataset->n_categories == 2 && run.dataset->n_examples == 2);
    CHECK_STR(title_of(&run, "35-2014.00"), "35-2014.00");
    CHECK_STR(title_of(&run, "27-2042.00"), "27-2042.00");
    CHECK_INT(run.dataset->examples[0].posted_s, 1709164800);
    CHECK_STR(jc_dataset_example_text(run.dataset, 0), "Cook");
    CHECK_STR(jc_dataset_example_text(run.dataset, 1), "Sing & dance");

    RUN body;
    run_init(&body, path_of("rows.csv"));
    body.config.part = JC_POSTING_TITLE_BODY;
    REQUIRE_OK(run_read(&body));
    CHECK_STR(jc_dataset_example_text(body.dataset, 0), "Cook. Body");
}

static void test_augmented(void)
{
    RUN run;
    run_init(&run, sample);
    run.config.augment.rows = 5;
    run.config.augment.sentences = 2;
    REQUIRE_OK(run_read(&run));
    size_t n = N_OF_2019 + N_OF_2010 + N_UNKNOWN;
    CHECK(run.report.n_sentences > 0);
    REQUIRE(run.dataset->n_examples == n + run.report.n_sentences);
    for (size_t i = n; i < run.dataset->n_examples; i++) {
        const struct jc_example *example = &run.dataset->examples[i];
        REQUIRE(example->parent < n);
        CHECK_INT(example->category, run.dataset->examples[example->parent].category);
    }
}

static void test_errors(void)
{
    RUN run;
    run_init(&run, path_of("nothing.csv"));
    CHECK_FAILS(run_read(&run), JC_E_NOT_FOUND, "nothing.csv");
    run.sources[0].path = write_text("empty.csv", "TITLE_RAW,ONET\n");
    CHECK_FAILS(run_read(&run), JC_E_INVALID, "no row that trains");
    run.sources[0].path = sample;
    run.config.source.categories = write_text("list.tsv", "code\ttitle\n11-1011.00\tChiefs\nbad code\tx\n");
    CHECK_FAILS(run_read(&run), JC_E_FORMAT, "list.tsv:3: category 'bad code'");
    run.config.source.categories = write_text("list.tsv", "code\ttitle\n11-1021.00\t***\n");
    CHECK_FAILS(run_read(&run), JC_E_FORMAT, "no letter or digit");
}

int main(void)
{
    const char *root = getenv("JOBCODE_SOURCE_ROOT");
    REQUIRE(root && mkdtemp(folder));
    unsetenv("JOBCODE_ONET_DIR");
    snprintf(sample, sizeof(sample), "%s/tests/data/postings.csv", root);
    snprintf(crosswalk, sizeof(crosswalk), "%s/tests/data/crosswalk.csv", root);
    snprintf(categories, sizeof(categories), "%s", path_of("categories.tsv"));
    snprintf(rejects, sizeof(rejects), "%s", path_of("rejects.csv"));
    test_without_list();
    test_policies();
    test_weights();
    test_limits();
    test_split_column();
    test_order();
    test_rows();
    test_augmented();
    test_errors();
    jc_dir_remove(folder);
    return check_finish();
}
