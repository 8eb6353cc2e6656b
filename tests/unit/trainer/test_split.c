/* The split: how titles are compared, small examples of each kind, its errors, and the rows that calibrate. */
#include "split_rows.h"

static struct jc_err err;

static void check_normalized(const char *title, const char *wanted)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    jc_split_normalize(title, &buf);
    CHECK_STR(buf.n ? buf.data : "", wanted);
}

static void test_normalize(void)
{
    check_normalized("Senior C++ Developer (R&D)", "senior c++ developer r&d");
    check_normalized("C#/.NET -- Engineer 2", "c# net engineer 2");
    check_normalized("  Caf\xc3\xa9\tHost  ", "caf host");
    check_normalized("", "");
    check_normalized("(--)", "(--)");
    check_normalized("\xe7\x9c\x8b\xe8\xad\xb7", "\xe7\x9c\x8b\xe8\xad\xb7");
    check_normalized("A", "a");
}

/* A row as the tables below write it. */
static struct row make_row(const char *title, uint32_t category)
{
    struct row row = {.category = category, .parent = JC_EXAMPLE_NO_PARENT};
    set_title(&row, title);
    return row;
}

static void check_roles(struct rows *rows, const struct jc_split_config *config, const enum jc_role *wanted)
{
    split_rows(rows, config, 0);
    for (size_t i = 0; i < rows->n; i++)
        CHECK_INT(rows->rows[i].role, wanted[i]);
}

static void test_postings(void)
{
    struct rows rows = {.n = 7};
    rows.rows[0] = make_row("Nurse", 0);
    rows.rows[1] = make_row("nurse!", 0); /* also a training title */
    rows.rows[2] = make_row("Night Nurse", 0);
    rows.rows[3] = make_row("Night-Nurse", 0); /* twice in the test set, as the source has it */
    rows.rows[4] = make_row("Nurse", 0);
    rows.rows[5] = make_row("Care for patients", 0);
    rows.rows[6] = make_row("night nurse.", 0);
    for (size_t i = 1; i < 4; i++)
        rows.rows[i].from_postings = rows.rows[i].auxiliary = true;
    rows.rows[5].parent = 2; /* of a test row: does not train */
    rows.rows[6].parent = 4; /* of a training row, but a test title */
    check_roles(&rows, &(struct jc_split_config){.kind = JC_SPLIT_POSTINGS},
                (const enum jc_role[]){JC_ROLE_TRAIN, JC_ROLE_UNUSED, JC_ROLE_TEST, JC_ROLE_TEST, JC_ROLE_TRAIN,
                                       JC_ROLE_UNUSED, JC_ROLE_UNUSED});
    struct jc_split_report report = split_rows(&rows, &(struct jc_split_config){.kind = JC_SPLIT_NONE}, 0);
    CHECK_INT(report.n_train, 7);
}

static void test_column(void)
{
    struct rows rows = {.n = 5};
    static const enum jc_role asked[] = {JC_ROLE_TEST, 0, JC_ROLE_VALIDATION, JC_ROLE_TEST, JC_ROLE_TEST};
    static const char *const titles[] = {"a", "b", "c", "B!", "C"};
    for (size_t i = 0; i < rows.n; i++) {
        rows.rows[i] = make_row(titles[i], 0);
        rows.rows[i].asked = asked[i];
    }
    const struct jc_split_config apart = {.kind = JC_SPLIT_COLUMN, .keep_equal = true};
    check_roles(
        &rows, &apart,
        (const enum jc_role[]){JC_ROLE_TEST, JC_ROLE_TRAIN, JC_ROLE_VALIDATION, JC_ROLE_UNUSED, JC_ROLE_UNUSED});
    const struct jc_split_config leaky = {.kind = JC_SPLIT_COLUMN};
    check_roles(&rows, &leaky,
                (const enum jc_role[]){JC_ROLE_TEST, JC_ROLE_TRAIN, JC_ROLE_VALIDATION, JC_ROLE_TEST, JC_ROLE_TEST});
    CHECK_INT(split_rows(&rows, &leaky, 0).n_leaked, 2);

    size_t order[MAX_ROWS];
    shuffle(&rows, 0, order);
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_dataset(&rows, order);
    struct jc_split_report report;
    REQUIRE_OK(jc_split_dataset(dataset, &apart, &report, &err));
    REQUIRE_OK(jc_split_validation(dataset, 0.5, 1, &err)); /* the column has said which */
    CHECK_INT(jc_dataset_count(dataset, JC_ROLE_VALIDATION), 1);
}

/* Ten rows of days 1, 2, 2, 2, 3, 3, 3, 3, 3, 4: the share is taken to the nearest day. */
static void test_time(void)
{
    static const int days[] = {1, 2, 2, 2, 3, 3, 3, 3, 3, 4};
    struct rows rows = {.n = 10};
    for (size_t i = 0; i < rows.n; i++) {
        char title[N_TITLE];
        snprintf(title, sizeof(title), "t%zu", i);
        rows.rows[i] = make_row(title, 0);
        rows.rows[i].posted_s = 86400 * days[i];
    }
    struct jc_split_config config = {.kind = JC_SPLIT_TIME, .test = .1};
    static const struct {
        double test;
        size_t n_test;
    } cases[] = {{.01, 1}, {.1, 1}, {.3, 1}, {.4, 6}, {.6, 6}, {.7, 6}, {.8, 9}, {.899, 9}};
    for (size_t i = 0; i < JC_COUNT(cases); i++) {
        config.test = cases[i].test;
        struct jc_split_report report = split_rows(&rows, &config, 0);
        CHECK_INT(report.n_test, cases[i].n_test);
        CHECK_INT(report.test_from_s, 86400 * days[rows.n - cases[i].n_test]);
    }
}

/* Two categories of 10 and one of 5: the rare one trains. Each title of 10 rows is over the share, and so trains. */
static void test_stratified(void)
{
    struct rows rows = {.n = 25};
    for (size_t i = 0; i < rows.n; i++) {
        char title[N_TITLE];
        snprintf(title, sizeof(title), i < 10 ? "title" : "title %zu", i);
        rows.rows[i] = make_row(title, i < 20 ? (uint32_t)i / 10 : 2);
    }
    struct jc_split_config config = {.kind = JC_SPLIT_STRATIFIED, .test = .2, .rare = 5, .keep_equal = true};
    struct jc_split_report report = split_rows(&rows, &config, 0);
    CHECK_INT(report.n_test, 2);
    CHECK_INT(report.n_test_categories, 1);
    CHECK_INT(report.n_rare_categories, 1);
    CHECK_INT(report.n_rare_rows, 5);
    config.keep_equal = false;
    report = split_rows(&rows, &config, 0);
    CHECK_INT(report.n_test, 4);
    CHECK_INT(report.n_test_categories, 2);
    CHECK_INT(report.n_leaked, 2);
    config.rare = 4;
    CHECK_INT(split_rows(&rows, &config, 0).n_test, 5);
    config.rare = 0;
    config.test = .9; /* no category tests with all of its rows */
    report = split_rows(&rows, &config, 0);
    CHECK_INT(report.n_test, 22);
    CHECK_INT(report.n_train, 3);
}

/* Categories of 11, 12 and 13 rows have shares of 2.2, 2.4 and 2.6, together 7: the third gets the one over. */
static void test_remainders(void)
{
    struct rows rows = {.n = 36};
    for (size_t i = 0; i < rows.n; i++) {
        char title[N_TITLE];
        snprintf(title, sizeof(title), "title %zu", i);
        rows.rows[i] = make_row(title, i < 11 ? 0 : i < 23 ? 1 : 2);
    }
    for (uint64_t seed = 0; seed < 6; seed++) {
        size_t counts[3] = {0};
        const struct jc_split_config config = {
            .kind = JC_SPLIT_STRATIFIED, .test = .2, .rare = 5, .keep_equal = seed % 2, .seed = seed};
        split_rows(&rows, &config, seed);
        for (size_t i = 0; i < rows.n; i++)
            counts[rows.rows[i].category] += rows.rows[i].role == JC_ROLE_TEST;
        CHECK(counts[0] == 2 && counts[1] == 2 && counts[2] == 3);
    }
}

/* Rows that say the same are drawn one by one where equal titles need not stay together. */
static void test_alike(void)
{
    static struct rows rows;
    rows.n = 400;
    for (size_t i = 0; i < rows.n; i++)
        rows.rows[i] = make_row(i ? "title" : "another", 0);
    const struct jc_split_config config = {.kind = JC_SPLIT_RANDOM, .test = .3};
    struct jc_split_report report = split_rows(&rows, &config, 0);
    CHECK_NEAR((double)report.n_test / 400, .3, 4 * sqrt(.3 * .7 / 400));
}

static jc_code split(struct jc_dataset *dataset, enum jc_split_kind kind, double test)
{
    struct jc_split_report report;
    const struct jc_split_config config = {.kind = kind, .test = test, .rare = 5, .keep_equal = true};
    return jc_split_dataset(dataset, &config, &report, &err);
}

static void test_errors(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    CHECK_FAILS(split(dataset, JC_SPLIT_NONE, .2), JC_E_INVALID, "no row is left to train");
    struct jc_example example = {.parent = JC_EXAMPLE_NO_PARENT, .weight = 1};
    REQUIRE_OK(jc_dataset_add_category(dataset, "c", "c", NULL, &example.category, &err));
    REQUIRE_OK(jc_dataset_add_title(dataset, "a", example, &err));
    CHECK_FAILS(split(dataset, JC_SPLIT_POSTINGS, .2), JC_E_INVALID, "known from employers' postings alone");
    CHECK_FAILS(split(dataset, JC_SPLIT_TIME, .2), JC_E_INVALID, "no row has a date");
    CHECK_FAILS(split(dataset, JC_SPLIT_COLUMN, .2), JC_E_INVALID, "no row asks for test");
    CHECK_FAILS(split(dataset, JC_SPLIT_STRATIFIED, .2), JC_E_INVALID, "no row is left to test with");
    CHECK_FAILS(split(dataset, JC_SPLIT_RANDOM, 0), JC_E_INVALID, "split.test is 0");
    CHECK_FAILS(split(dataset, JC_SPLIT_RANDOM, 1), JC_E_INVALID, "split.test is 1");
    CHECK_FAILS(split(dataset, JC_SPLIT_RANDOM, (double)NAN), JC_E_INVALID, "split.test is");
    CHECK_FAILS(split(dataset, JC_SPLIT_COLUMN + 1, .2), JC_E_INVALID, "there is no such split");
    dataset->examples[0].posted_s = 86400;
    CHECK_FAILS(split(dataset, JC_SPLIT_TIME, .9), JC_E_INVALID, "all 1 dated rows have the same date");
    dataset->examples[0].from_postings = true;
    CHECK_FAILS(split(dataset, JC_SPLIT_POSTINGS, .2), JC_E_INVALID, "no row is left to train");
    REQUIRE_OK(jc_dataset_add_title(dataset, "A", example, &err));
    CHECK_FAILS(split(dataset, JC_SPLIT_POSTINGS, .2), JC_E_INVALID, "known from employers' postings alone");
    dataset->examples[0].asked = JC_ROLE_TEST;
    CHECK_FAILS(split(dataset, JC_SPLIT_COLUMN, .2), JC_E_INVALID, "every test title also trains");
    dataset->examples[1].parent = 1;
    CHECK_FAILS(split(dataset, JC_SPLIT_NONE, .2), JC_E_INTERNAL, "row 1 was cut from row 1");
}

/* Three categories of texts "t0" .. : many rows, JC_SPLIT_RARE rows, and two texts of the first once more, rare. */
enum { N_COMMON = 4000, N_RARE = JC_SPLIT_RARE, N_SHARED = 2, N_ROWS = N_COMMON + N_RARE + N_SHARED };

/* Row `i` of the order is row (i * step + 1) mod N_ROWS of the plain one; step has no divisor in common with N_ROWS. */
static struct jc_dataset *make_common(size_t step, uint32_t first_shared, size_t ret_rows[N_ROWS])
{
    static const char *const codes[] = {"common", "rare", "shared"};
    struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    for (size_t i = 0; i < N_ROWS; i++) {
        size_t row = ret_rows[i] = (i * step + 1) % N_ROWS;
        bool is_common = row < N_COMMON, is_rare = !is_common && row < N_COMMON + N_RARE;
        const char *code = codes[is_common ? 0 : is_rare ? 1 : 2];
        char title[32];
        snprintf(title, sizeof(title), "t%zu", is_common || is_rare ? row : first_shared + (row - N_COMMON - N_RARE));
        struct jc_example example = {.parent = JC_EXAMPLE_NO_PARENT, .weight = 1, .role = JC_ROLE_TRAIN};
        REQUIRE_OK(jc_dataset_add_category(dataset, code, code, NULL, &example.category, &err));
        REQUIRE_OK(jc_dataset_add_title(dataset, title, example, &err));
    }
    return dataset;
}

/* Fills the role of each plain row and returns how many rows validate. */
static size_t split_common(size_t step, uint32_t first_shared, double share, uint64_t seed,
                           enum jc_role ret_roles[N_ROWS])
{
    static size_t rows[N_ROWS];
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_common(step, first_shared, rows);
    REQUIRE_OK(jc_split_validation(dataset, share, seed, &err));
    for (size_t i = 0; i < N_ROWS; i++)
        ret_roles[rows[i]] = dataset->examples[i].role;
    return jc_dataset_count(dataset, JC_ROLE_VALIDATION);
}

static void test_validation(void)
{
    static enum jc_role roles[N_ROWS], again[N_ROWS];
    CHECK_INT(split_common(1, 0, 0, 1, roles), 0);
    size_t n = split_common(1, 0, 0.1, 1, roles);
    CHECK_NEAR((double)n / N_COMMON, 0.1, 4 * sqrt(0.1 * 0.9 / N_COMMON)); /* four standard deviations */
    for (size_t i = N_COMMON; i < N_ROWS; i++)
        CHECK_INT(roles[i], JC_ROLE_TRAIN);

    CHECK_INT(split_common(2003, 0, 0.1, 1, again), n);
    CHECK(memcmp(roles, again, sizeof(roles)) == 0);
    split_common(1, 0, 0.1, 2, again);
    CHECK(memcmp(roles, again, sizeof(roles)) != 0);
    size_t n_more = split_common(1, 0, 0.2, 1, again); /* a larger share holds the smaller */
    CHECK(n_more > n);
    for (size_t i = 0; i < N_ROWS; i++)
        CHECK(roles[i] != JC_ROLE_VALIDATION || again[i] == JC_ROLE_VALIDATION);

    uint32_t drawn = 0;
    while (drawn < N_COMMON - 1 && roles[drawn] != JC_ROLE_VALIDATION)
        drawn++;
    REQUIRE(roles[drawn] == JC_ROLE_VALIDATION);
    split_common(1, drawn, 0.1, 1, again); /* also a rare category's text: trains in both */
    CHECK_INT(again[drawn], JC_ROLE_TRAIN);
    CHECK_INT(again[N_COMMON + N_RARE], JC_ROLE_TRAIN);
}

/* The study's shares with one seed: 64 % train, 16 % validate, 20 % test. */
static void test_validation_after_random(void)
{
    static size_t rows[N_ROWS];
    const struct jc_split_config config = {.kind = JC_SPLIT_RANDOM, .test = .2, .keep_equal = true, .seed = 1};
    struct jc_split_report report;
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_common(1, 0, rows);
    REQUIRE_OK(jc_split_dataset(dataset, &config, &report, &err));
    REQUIRE_OK(jc_split_validation(dataset, 0.2, 1, &err));
    jc_split_count_roles(dataset, &report);
    CHECK_NEAR((double)report.n_test / N_ROWS, .2, 4 * sqrt(.2 * .8 / N_ROWS));
    CHECK_NEAR((double)report.n_validation / N_ROWS, .16, 4 * sqrt(.16 * .84 / N_ROWS));
    CHECK_INT(report.n_train + report.n_validation + report.n_test, N_ROWS);
}

/* Rows of one title have one role, auxiliary ones train, others follow their postings; test rows stay. */
static void test_validation_titles(void)
{
    static struct rows rows;
    static size_t order[MAX_ROWS];
    rows.n = 400;
    for (size_t i = 0; i < rows.n; i++) {
        char title[N_TITLE];
        snprintf(title, sizeof(title), "%s %zu", i % 2 ? "Title" : "title:", i % 300 / 2);
        rows.rows[i] = make_row(title, i % 2);
        rows.rows[i].auxiliary = i < 40;
        if (i >= 350)
            rows.rows[i].parent = (uint32_t)i - 200;
    }
    shuffle(&rows, 0, order);
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_dataset(&rows, order);
    for (size_t i = 0; i < rows.n; i++)
        dataset->examples[i].role = i % 300 / 2 % 4 == 3 ? JC_ROLE_TEST : JC_ROLE_TRAIN;
    REQUIRE_OK(jc_split_validation(dataset, 0.5, 1, &err));
    size_t n_following = 0;
    for (size_t i = 0; i < rows.n; i++) {
        enum jc_role role = rows.rows[i].role = dataset->examples[i].role;
        CHECK((i % 300 / 2 % 4 == 3) == (role == JC_ROLE_TEST));
        for (size_t j = 0; j < i; j++)
            if (is_equal(&rows.rows[i], &rows.rows[j]) && !has_parent(&rows.rows[i]))
                CHECK_INT(role, rows.rows[j].role);
        if (i % 300 < 40 && !has_parent(&rows.rows[i]))
            CHECK(role != JC_ROLE_VALIDATION);
        if (has_parent(&rows.rows[i]) && role == JC_ROLE_VALIDATION)
            n_following += (size_t)CHECK(rows.rows[rows.rows[i].parent].role == JC_ROLE_VALIDATION);
    }
    CHECK(jc_dataset_count(dataset, JC_ROLE_VALIDATION) > n_following);
    CHECK(n_following > 0);
}

int main(void)
{
    test_normalize();
    test_postings();
    test_column();
    test_time();
    test_stratified();
    test_remainders();
    test_alike();
    test_errors();
    test_validation();
    test_validation_after_random();
    test_validation_titles();
    return check_finish();
}
