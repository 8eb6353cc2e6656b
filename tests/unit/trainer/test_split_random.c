/* Properties of every kind of split over random rows, each against a version of the rule that looks at all pairs. */
#include "split_rows.h"

enum { N_ROUNDS = 40 };

static const struct jc_split_config configs[] = {
    {.kind = JC_SPLIT_NONE},
    {.kind = JC_SPLIT_POSTINGS},
    {.kind = JC_SPLIT_STRATIFIED, .test = .2, .rare = 5, .keep_equal = true},
    {.kind = JC_SPLIT_STRATIFIED, .test = .35, .rare = 9, .keep_equal = false},
    {.kind = JC_SPLIT_RANDOM, .test = .3, .keep_equal = true},
    {.kind = JC_SPLIT_RANDOM, .test = .3, .keep_equal = false},
    {.kind = JC_SPLIT_TIME, .test = .2, .keep_equal = true},
    {.kind = JC_SPLIT_TIME, .test = .2, .keep_equal = false},
    {.kind = JC_SPLIT_COLUMN, .keep_equal = true},
    {.kind = JC_SPLIT_COLUMN, .keep_equal = false},
};

static bool keeps_apart(const struct jc_split_config *config)
{
    return config->kind == JC_SPLIT_POSTINGS || (config->kind != JC_SPLIT_NONE && config->keep_equal);
}

static struct mix mix_of(uint64_t round)
{
    return (struct mix){.n_rows = 200 + 7 * round,
                        .n_words = 12 + (uint32_t)round,
                        .n_categories = 4 + (uint32_t)round,
                        .auxiliary = round % 2,
                        .children = round % 3 == 1,
                        .dates = true,
                        .asked = true,
                        .postings = true};
}

/* Does another row of one of `roles` have its title? Rows cut from bodies count where `cut`. */
static bool stands_in(const struct rows *rows, const struct row *row, unsigned roles, bool cut)
{
    for (size_t i = 0; i < rows->n; i++)
        if (&rows->rows[i] != row && (rows->rows[i].role & roles) && (cut || !has_parent(&rows->rows[i])) &&
            is_equal(&rows->rows[i], row))
            return true;
    return false;
}

static void check_counts(const struct rows *rows, const struct jc_split_report *report)
{
    size_t counts[JC_ROLE_ANY + 1] = {0}, n_leaked = 0, n_categories = 0;
    bool tests[64] = {false};
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[i];
        counts[row->role]++;
        if (row->role != JC_ROLE_TEST)
            continue;
        n_leaked += stands_in(rows, row, JC_ROLE_TRAIN | JC_ROLE_VALIDATION, true);
        n_categories += !tests[row->category];
        tests[row->category] = true;
    }
    CHECK_INT(report->n_train, counts[JC_ROLE_TRAIN]);
    CHECK_INT(report->n_validation, counts[JC_ROLE_VALIDATION]);
    CHECK_INT(report->n_test, counts[JC_ROLE_TEST]);
    CHECK_INT(report->n_unused, counts[JC_ROLE_UNUSED]);
    CHECK_INT(report->n_train + report->n_validation + report->n_test + report->n_unused, rows->n);
    CHECK_INT(report->n_leaked, n_leaked);
    CHECK_INT(report->n_test_categories, n_categories);
}

/* A row cut from a body goes where its posting goes, or nowhere. */
static void check_children(const struct rows *rows, bool apart)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[i];
        if (!has_parent(row))
            continue;
        enum jc_role wanted = rows->rows[row->parent].role;
        if (wanted == JC_ROLE_TEST)
            wanted = JC_ROLE_UNUSED;
        if (apart && wanted == JC_ROLE_TRAIN && stands_in(rows, row, JC_ROLE_TEST | JC_ROLE_VALIDATION, false))
            wanted = JC_ROLE_UNUSED;
        if (apart && wanted == JC_ROLE_VALIDATION &&
            (stands_in(rows, row, JC_ROLE_TEST, false) || stands_in(rows, row, JC_ROLE_TRAIN, true)))
            wanted = JC_ROLE_UNUSED;
        CHECK_INT(row->role, wanted);
    }
}

static void check_sides(const struct rows *rows, const struct jc_split_config *config)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[i];
        if (keeps_apart(config) && row->role == JC_ROLE_TEST)
            CHECK(!stands_in(rows, row, JC_ROLE_TRAIN | JC_ROLE_VALIDATION, true));
        if (keeps_apart(config) && row->role == JC_ROLE_VALIDATION)
            CHECK(!stands_in(rows, row, JC_ROLE_TRAIN | JC_ROLE_TEST, true));
        if (!keeps_apart(config) && !has_parent(row))
            CHECK(row->role != JC_ROLE_UNUSED);
        if (row->auxiliary && !has_parent(row) && config->kind != JC_SPLIT_POSTINGS)
            CHECK_INT(row->role, JC_ROLE_TRAIN);
        if (is_drawn(row) && row->role == JC_ROLE_UNUSED)
            CHECK(stands_in(rows, row, JC_ROLE_TRAIN | JC_ROLE_VALIDATION, false));
    }
}

static void check_rules_by_row(const struct rows *rows, const struct jc_split_config *config)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[i];
        bool tests = config->kind == JC_SPLIT_POSTINGS ? row->from_postings && !has_parent(row)
                     : config->kind == JC_SPLIT_COLUMN ? is_drawn(row) && row->asked == JC_ROLE_TEST
                                                       : false;
        bool validates = config->kind == JC_SPLIT_COLUMN && is_drawn(row) && row->asked == JC_ROLE_VALIDATION;
        if (has_parent(row))
            continue;
        enum jc_role wanted = tests ? JC_ROLE_TEST : validates ? JC_ROLE_VALIDATION : JC_ROLE_TRAIN;
        if (row->role != wanted)
            CHECK((tests || validates) && keeps_apart(config) && row->role == JC_ROLE_UNUSED);
    }
}

/* Rows of a category that count in shares, and those of them that were held out. */
static size_t count_category(const struct rows *rows, uint32_t category, bool held)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++)
        n += is_drawn(&rows->rows[i]) && rows->rows[i].category == category &&
             (!held || rows->rows[i].role != JC_ROLE_TRAIN);
    return n;
}

/* Whoever trains with all its titles had no room: its title in some category would have exceeded the share. */
static bool has_room(const struct rows *rows, const struct row *title, const struct jc_split_config *config)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[i];
        if (!is_drawn(row) || (config->keep_equal ? !is_equal(row, title) : row != title))
            continue;
        size_t n_of_title = 0, n = count_category(rows, row->category, false);
        for (size_t j = 0; j < rows->n; j++)
            n_of_title += is_drawn(&rows->rows[j]) && rows->rows[j].category == row->category &&
                          (config->keep_equal ? is_equal(&rows->rows[j], title) : &rows->rows[j] == title);
        if (n <= config->rare ||
            count_category(rows, row->category, true) + n_of_title > floor(config->test * (double)n))
            return false;
    }
    return true;
}

static void check_stratified(const struct rows *rows, const struct jc_split_config *config,
                             const struct jc_split_report *report, uint32_t n_categories)
{
    size_t n_rare = 0, n_rare_rows = 0, n_rows = 0, n_held = 0;
    for (uint32_t c = 0; c < n_categories; c++) {
        size_t n = count_category(rows, c, false), held = count_category(rows, c, true);
        if (n <= config->rare) {
            CHECK_INT(held, 0);
            n_rare += n > 0;
            n_rare_rows += n;
            continue;
        }
        n_rows += n;
        n_held += held;
        CHECK((double)held < config->test * (double)n + 1);
        if (!config->keep_equal)
            CHECK((double)held > config->test * (double)n - 1);
    }
    CHECK_INT(report->n_rare_categories, n_rare);
    CHECK_INT(report->n_rare_rows, n_rare_rows);
    if (!config->keep_equal)
        CHECK_INT(n_held, llround(config->test * (double)n_rows));
    for (size_t i = 0; i < rows->n; i++)
        if (is_drawn(&rows->rows[i]) && rows->rows[i].role == JC_ROLE_TRAIN)
            CHECK(!has_room(rows, &rows->rows[i], config));
}

/* How far from the share it would be to test from instant s on; infinite where nothing older were left. */
static double miss(const struct rows *rows, double share, int64_t s)
{
    size_t n = 0, n_test = 0;
    for (size_t i = 0; i < rows->n; i++) {
        bool dated = is_drawn(&rows->rows[i]) && rows->rows[i].posted_s;
        n += dated;
        n_test += dated && rows->rows[i].posted_s >= s;
    }
    return n_test == n ? INFINITY : fabs((double)n_test - (double)llround(share * (double)n));
}

static void check_time(const struct rows *rows, const struct jc_split_config *config,
                       const struct jc_split_report *report)
{
    size_t n_undated = 0;
    double least = INFINITY;
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[i];
        if (!is_drawn(row))
            continue;
        n_undated += row->posted_s == 0;
        bool tests = row->posted_s && row->posted_s >= report->test_from_s;
        CHECK(tests == (row->role != JC_ROLE_TRAIN));
        if (row->posted_s)
            least = fmin(least, miss(rows, config->test, row->posted_s));
    }
    CHECK_INT(report->n_undated, n_undated);
    CHECK(isfinite(least) && miss(rows, config->test, report->test_from_s) == least);
}

static void test_rules(void)
{
    for (size_t c = 0; c < JC_COUNT(configs); c++)
        for (uint64_t round = 0; round < N_ROUNDS; round++) {
            struct jc_split_config config = configs[c];
            struct mix mix = mix_of(round);
            JC_AUTO_FREE struct rows *rows = make_rows(&mix, round);
            config.seed = round;
            struct jc_split_report report = split_rows(rows, &config, round % 4);
            check_counts(rows, &report);
            check_children(rows, keeps_apart(&config));
            check_sides(rows, &config);
            if (config.kind == JC_SPLIT_NONE || config.kind == JC_SPLIT_POSTINGS || config.kind == JC_SPLIT_COLUMN)
                check_rules_by_row(rows, &config);
            if (config.kind == JC_SPLIT_STRATIFIED)
                check_stratified(rows, &config, &report, mix.n_categories);
            if (config.kind == JC_SPLIT_TIME)
                check_time(rows, &config, &report);
        }
}

/* Rows that say the same as row i, with its role. */
static size_t count_alike(const struct rows *rows, size_t i, const enum jc_role *roles)
{
    const struct row *row = &rows->rows[i];
    size_t n = 0;
    for (size_t j = 0; j < rows->n; j++) {
        const struct row *other = &rows->rows[j];
        n += !has_parent(other) && other->auxiliary == row->auxiliary && other->posted_s == row->posted_s &&
             other->category == row->category && strcmp(other->title, row->title) == 0 && roles[j] == roles[i];
    }
    return n;
}

/* Rows that say the same may stand for each other where rows are drawn one by one. */
static void test_order(void)
{
    for (size_t c = 0; c < JC_COUNT(configs); c++)
        for (uint64_t round = 0; round < 8; round++) {
            struct mix mix = mix_of(round);
            JC_AUTO_FREE struct rows *rows = make_rows(&mix, 100 + round);
            enum jc_role first[MAX_ROWS], second[MAX_ROWS];
            bool alike = !configs[c].keep_equal &&
                         (configs[c].kind == JC_SPLIT_STRATIFIED || configs[c].kind == JC_SPLIT_RANDOM);
            split_rows(rows, &configs[c], 0);
            for (size_t i = 0; i < rows->n; i++)
                first[i] = rows->rows[i].role;
            split_rows(rows, &configs[c], 1 + round);
            for (size_t i = 0; i < rows->n; i++)
                second[i] = rows->rows[i].role;
            for (size_t i = 0; i < rows->n; i++)
                if (!alike)
                    CHECK_INT(second[i], first[i]);
                else if (!has_parent(&rows->rows[i]))
                    CHECK(count_alike(rows, i, first) > 0 &&
                          (first[i] != second[i] || count_alike(rows, i, first) == count_alike(rows, i, second)));
        }
}

static void test_seed(void)
{
    for (size_t c = 0; c < JC_COUNT(configs); c++) {
        struct jc_split_config config = configs[c];
        struct mix mix = mix_of(9);
        JC_AUTO_FREE struct rows *rows = make_rows(&mix, 9);
        JC_AUTO_FREE struct rows *others = make_rows(&mix, 9);
        size_t n_moved = 0;
        split_rows(rows, &config, 0);
        config.seed = 2;
        split_rows(others, &config, 0);
        for (size_t i = 0; i < rows->n; i++)
            n_moved += rows->rows[i].role != others->rows[i].role;
        bool drawn = config.kind == JC_SPLIT_STRATIFIED || config.kind == JC_SPLIT_RANDOM;
        CHECK(drawn ? n_moved > rows->n / 10 : n_moved == 0);
    }
}

/* A random split leaves a row where it is when rows are added behind it. */
static void test_growth(void)
{
    for (unsigned keep_equal = 0; keep_equal < 2; keep_equal++)
        for (uint64_t round = 0; round < 8; round++) {
            const struct jc_split_config config = {
                .kind = JC_SPLIT_RANDOM, .test = .2, .keep_equal = keep_equal, .seed = round};
            const struct mix mix = {.n_rows = 400, .n_words = 12, .n_categories = 6, .dates = true};
            JC_AUTO_FREE struct rows *rows = make_rows(&mix, round);
            enum jc_role all[MAX_ROWS];
            split_rows(rows, &config, 0);
            for (size_t i = 0; i < rows->n; i++)
                all[i] = rows->rows[i].role;
            rows->n = 250;
            split_rows(rows, &config, 0);
            for (size_t i = 0; i < rows->n; i++)
                CHECK_INT(rows->rows[i].role, all[i]);
        }
}

int main(void)
{
    test_rules();
    test_order();
    test_seed();
    test_growth();
    return check_finish();
}
