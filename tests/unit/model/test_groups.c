/* Groups of categories: the codes of each level, foreign codes, titles, and sums of random ones by brute force. */
#include "model/groups.h"

#include "base/own.h"
#include "base/rng.h"
#include "check.h"

static struct jc_err err;

/* In no order, as a model may have them. */
static const struct jc_category picked[] = {
    {"29-1141.03", "Critical Care Nurses"},
    {"15-1252.00", "Software Developers"},
    {"15-2051.01", "Business Intelligence Analysts"},
    {"29-1141.00", "Registered Nurses"},
    {"31-1131.00", "Nursing Assistants"},
    {"31-2011.00", "Occupational Therapy Assistants"},
    {"31-9092.00", "Medical Assistants"},
    {"51-5111.00", "Prepress Technicians"},
    {"51-6011.00", "Laundry Workers"},
    {"51-4121.00", "Welders"},
    {"29-1000", "Foreign: the code of a group"},
    {"Unclassified", "Foreign: no code"},
    {"29-1141.0", "Foreign: too short"},
    {"29-1141.000", "Foreign: too long"},
    {"99-1234.00", "In no major group that there is"},
    {"29-1000", "Foreign: twice"},
    {"", "Foreign: empty"},
};
enum { N_PICKED = JC_COUNT(picked), N_FOREIGN = 6 };

static void check_codes(const struct jc_groups *groups, enum jc_level level, const char *const *wanted)
{
    for (uint32_t c = 0; c < N_PICKED; c++)
        check_report(strcmp(jc_groups_of(groups, level, c)->code, wanted[c] ? wanted[c] : picked[c].code) == 0,
                     __FILE__, __LINE__, "%s at %s: %s", picked[c].code, jc_level_name(level),
                     jc_groups_of(groups, level, c)->code);
}

/* NULL: the category's own code. */
static void test_codes(const struct jc_groups *groups)
{
    static const char *const major[N_PICKED] = {"29-0000", "15-0000", "15-0000", "29-0000", "31-0000",       "31-0000",
                                                "31-0000", "51-0000", "51-0000", "51-0000", [14] = "99-0000"};
    static const char *const minor[N_PICKED] = {"29-1000", "15-1200", "15-2000", "29-1000", "31-1100",       "31-2000",
                                                "31-9000", "51-5100", "51-6000", "51-4000", [14] = "99-1000"};
    static const char *const broad[N_PICKED] = {"29-1140", "15-1250", "15-2050", "29-1140", "31-1130",       "31-2010",
                                                "31-9090", "51-5110", "51-6010", "51-4120", [14] = "99-1230"};
    static const char *const detailed[N_PICKED] = {"29-1141", "15-1252", "15-2051",       "29-1141",
                                                   "31-1131", "31-2011", "31-9092",       "51-5111",
                                                   "51-6011", "51-4121", [14] = "99-1234"};
    check_codes(groups, JC_LEVEL_MAJOR, major);
    check_codes(groups, JC_LEVEL_MINOR, minor);
    check_codes(groups, JC_LEVEL_BROAD, broad);
    check_codes(groups, JC_LEVEL_DETAILED, detailed);
    CHECK_INT(jc_groups_count(groups, JC_LEVEL_MAJOR), 5 + N_FOREIGN);
    CHECK_INT(jc_groups_count(groups, JC_LEVEL_MINOR), 10 + N_FOREIGN);
    CHECK_INT(jc_groups_count(groups, JC_LEVEL_BROAD), 10 + N_FOREIGN);
    CHECK_INT(jc_groups_count(groups, JC_LEVEL_DETAILED), 10 + N_FOREIGN);
}

/* Foreign categories are alone, also where another has the same code or a group of theirs would have. */
static void test_foreign(const struct jc_groups *groups)
{
    static const uint32_t foreign[] = {10, 11, 12, 13, 15, 16};
    for (enum jc_level level = JC_LEVEL_MAJOR; level < JC_LEVEL_COUNT; level++)
        for (size_t i = 0; i < JC_COUNT(foreign); i++) {
            const struct jc_group *group = jc_groups_of(groups, level, foreign[i]);
            CHECK_STR(group->title, picked[foreign[i]].title);
            for (uint32_t c = 0; c < N_PICKED; c++)
                CHECK((jc_groups_of(groups, level, c) == group) == (c == foreign[i]));
        }
}

static void test_titles(const struct jc_groups *groups)
{
    CHECK_STR(jc_groups_of(groups, JC_LEVEL_MAJOR, 0)->title, "Healthcare Practitioners and Technical");
    CHECK(!jc_groups_of(groups, JC_LEVEL_MAJOR, 14)->title);
    CHECK(!jc_groups_of(groups, JC_LEVEL_MINOR, 0)->title);
    CHECK(!jc_groups_of(groups, JC_LEVEL_BROAD, 1)->title);
    CHECK_STR(jc_groups_of(groups, JC_LEVEL_DETAILED, 0)->title, "Registered Nurses");
    CHECK_STR(jc_groups_of(groups, JC_LEVEL_DETAILED, 3)->title, "Registered Nurses");
    CHECK(!jc_groups_of(groups, JC_LEVEL_DETAILED, 2)->title); /* it has no 15-2051.00 */
}

static void test_levels(void)
{
    enum jc_level level = JC_LEVEL_NONE;
    for (enum jc_level l = JC_LEVEL_MAJOR; l < JC_LEVEL_COUNT; l++) {
        const char *name = jc_level_name(l);
        CHECK(jc_level_parse(name, strlen(name), &level));
        CHECK_INT(level, l);
        CHECK(!jc_level_parse(name, strlen(name) - 1, &level));
        CHECK(!jc_level_parse(name, strlen(name) + 1, &level));
        char quoted[16];
        snprintf(quoted, sizeof(quoted), "\"%s\"", name);
        CHECK_CONTAINS(JC_LEVEL_NAMES, quoted);
    }
    CHECK(!jc_level_parse("", 0, &level));
    CHECK(!jc_level_parse("Major", 5, &level));
    CHECK(!jc_level_parse("maj\0r", 5, &level));
    CHECK_INT(level, JC_LEVEL_DETAILED);
}

/* Whether two O*NET-SOC codes are of one group: by numbers, where the module goes by characters. */
static bool is_together(enum jc_level level, const char *a, const char *b)
{
    static const int divisors[] = {
        [JC_LEVEL_MAJOR] = 10000, [JC_LEVEL_MINOR] = 1000, [JC_LEVEL_BROAD] = 10, [JC_LEVEL_DETAILED] = 1};
    int x = atoi(a) * 10000 + atoi(a + 3), y = atoi(b) * 10000 + atoi(b + 3);
    static const int exceptions[] = {1512, 3111, 5151};
    for (size_t i = 0; level == JC_LEVEL_MINOR && i < JC_COUNT(exceptions); i++)
        if ((x / 100 == exceptions[i]) != (y / 100 == exceptions[i]))
            return false;
    return x / divisors[level] == y / divisors[level];
}

/* Each category's group against all pairs, sums in double over them. */
static void check_sums(const struct jc_groups *groups, const struct jc_category *categories, const float *probabilities,
                       uint32_t n, enum jc_level level)
{
    size_t n_groups = jc_groups_count(groups, level);
    JC_AUTO_FREE float *sums = calloc(n_groups, sizeof(*sums));
    JC_AUTO_FREE uint32_t *bests = calloc(n_groups, sizeof(*bests));
    REQUIRE(sums && bests);
    jc_groups_sum(groups, level, probabilities, sums, bests);
    size_t n_found = 0;
    for (uint32_t c = 0; c < n; c++) {
        double sum = 0;
        uint32_t best = n;
        bool is_first = true;
        for (uint32_t d = 0; d < n; d++) {
            bool together = is_together(level, categories[c].code, categories[d].code);
            CHECK(together == (jc_groups_of(groups, level, c) == jc_groups_of(groups, level, d)));
            if (!together)
                continue;
            is_first &= d >= c;
            sum += (double)probabilities[d];
            if (best == n || probabilities[d] > probabilities[best])
                best = d;
        }
        if (!is_first)
            continue;
        n_found++;
        size_t g = 0;
        while (g < n_groups && jc_groups_of(groups, level, bests[g]) != jc_groups_of(groups, level, c))
            g++;
        REQUIRE(g < n_groups);
        CHECK_NEAR(sums[g], sum, 1e-6);
        CHECK_INT(bests[g], best);
    }
    CHECK_INT(n_groups, n_found);
    for (size_t g = 1; g < n_groups; g++)
        CHECK(strcmp(jc_groups_of(groups, level, bests[g - 1])->code, jc_groups_of(groups, level, bests[g])->code) < 0);
}

/* Random codes with few digits, so that groups are shared; few probabilities, so that many are equal. */
static void test_sums(uint32_t n, uint64_t seed)
{
    static const char *const majors[] = {"15", "31", "51", "11"};
    struct jc_rng rng = jc_rng_seeded(seed);
    JC_AUTO_FREE struct jc_category *categories = calloc(n, sizeof(*categories));
    char(*codes)[32] = calloc(n, sizeof(*codes));
    JC_AUTO_FREE float *probabilities = calloc(n, sizeof(*probabilities));
    REQUIRE(categories && codes && probabilities);
    for (uint32_t c = 0; c < n; c++) {
        uint64_t draw = jc_rng_next(&rng);
        snprintf(codes[c], sizeof(codes[c]), "%s-%u%u%u%u.0%u", majors[draw % 4], (unsigned)(1 + (draw >> 8) % 5),
                 (unsigned)(draw >> 16) % 3, (unsigned)(draw >> 24) % 3, (unsigned)(draw >> 32) % 3,
                 (unsigned)(draw >> 40) % 3);
        categories[c] = (struct jc_category){.code = codes[c], .title = "x"};
        probabilities[c] = (float)(jc_rng_next(&rng) % 16) / 16 / (float)n;
    }
    JC_AUTO(jc_groups) struct jc_groups *groups = NULL;
    REQUIRE_OK(jc_groups_create(categories, n, &groups, &err));
    for (enum jc_level level = JC_LEVEL_MAJOR; level < JC_LEVEL_COUNT; level++)
        check_sums(groups, categories, probabilities, n, level);
    free(codes);
}

int main(void)
{
    JC_AUTO(jc_groups) struct jc_groups *groups = NULL;
    REQUIRE_OK(jc_groups_create(picked, N_PICKED, &groups, &err));
    test_codes(groups);
    test_foreign(groups);
    test_titles(groups);
    test_levels();
    test_sums(1, 1);
    test_sums(40, 2);
    test_sums(700, 3);
    jc_groups_destroy(NULL);
    return check_finish();
}
