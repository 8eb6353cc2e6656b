/* McNemar's exact test against SciPy, paired differences by hand, the verdict at its edges. */
#include "trainer/measure/compare.h"

#include "base/own.h"
#include "check.h"

static struct jc_err err;

/* scipy.stats.binomtest(min(b, c), b + c, .5).pvalue of SciPy 1 */
static void test_mcnemar(void)
{
    static const struct {
        size_t b, c;
        double p;
    } recorded[] = {{0, 0, 1},
                    {1, 0, 1},
                    {0, 6, 0.03125},
                    {10, 25, 0.0166738478001},
                    {121, 59, 4.43444926376e-06},
                    {5, 5, 1},
                    {400, 470, 0.0192670528486},
                    {3000, 3200, 0.0114882537709}};
    for (size_t i = 0; i < JC_COUNT(recorded); i++) {
        CHECK_NEAR(jc_mcnemar_exact(recorded[i].b, recorded[i].c), recorded[i].p, 1e-9 * recorded[i].p + 1e-15);
        CHECK_NEAR(jc_mcnemar_exact(recorded[i].c, recorded[i].b), recorded[i].p, 1e-9 * recorded[i].p + 1e-15);
    }
}

/* Ranks of a and b by turns: 1/1, 1/2, 4/1, 6/3, 1/1. */
static void make_rows(struct jc_prediction *a, struct jc_prediction *b, size_t n)
{
    static const uint32_t ranks[][2] = {{1, 1}, {1, 2}, {4, 1}, {6, 3}, {1, 1}};
    for (uint32_t i = 0; i < n; i++) {
        a[i] = (struct jc_prediction){.example = i, .category = i % 3, .rank = ranks[i % 5][0]};
        b[i] = (struct jc_prediction){.example = i, .category = i % 3, .rank = ranks[i % 5][1]};
    }
}

static void test_differences(void)
{
    enum { N = 5000 };
    JC_AUTO_FREE struct jc_prediction *a = calloc(N, sizeof(*a)), *b = calloc(N, sizeof(*b));
    REQUIRE(a && b);
    make_rows(a, b, N);
    struct jc_comparison c, again, same;
    REQUIRE_OK(jc_comparison_compute(a, b, N, 5, &c, &err));
    REQUIRE_OK(jc_comparison_compute(a, b, N, 5, &again, &err));
    CHECK(memcmp(&c, &again, sizeof(c)) == 0);
    CHECK_INT(c.n, N);
    CHECK_NEAR(c.top_1.value, 0, 1e-12);
    CHECK_NEAR(c.top_3.value, 2.0 / 5, 1e-12);
    CHECK_NEAR(c.top_5.value, 1.0 / 5, 1e-12);
    CHECK_NEAR(c.mrr.value, (-.5 + .75 + 1.0 / 6) / 5, 1e-7);
    CHECK_INT(c.n_only_a, N / 5);
    CHECK_INT(c.n_only_b, N / 5);
    CHECK_NEAR(c.p_value, 1, 1e-9);
    /* A row's difference is -1, 0 or 1 with variance 2/5: the pairing is what makes this interval. */
    double error = sqrt(2.0 / 5 / N);
    CHECK_NEAR(c.top_1.low, -1.960 * error, .2 * error);
    CHECK_NEAR(c.top_1.high, 1.960 * error, .2 * error);

    REQUIRE_OK(jc_comparison_compute(a, a, N, 5, &same, &err));
    CHECK_NEAR(same.top_1.low, 0, 0);
    CHECK_NEAR(same.top_1.high, 0, 0);
    CHECK_NEAR(same.p_value, 1, 0);
    CHECK_INT(jc_comparison_judge(&same.top_1, 0), JC_VERDICT_NOT_WORSE);
}

static void test_judge(void)
{
    static const struct {
        double lower, upper, margin;
        enum jc_verdict want;
    } cases[] = {
        {-.005, .010, .01, JC_VERDICT_NOT_WORSE},    {-.010, .010, .01, JC_VERDICT_NOT_WORSE},
        {-.020, .000, .01, JC_VERDICT_INCONCLUSIVE}, {-.020, -.010, .01, JC_VERDICT_INCONCLUSIVE},
        {-.030, -.011, .01, JC_VERDICT_WORSE},       {.020, .030, 0, JC_VERDICT_NOT_WORSE},
        {-.002, -.001, 0, JC_VERDICT_WORSE},
    };
    for (size_t i = 0; i < JC_COUNT(cases); i++) {
        struct jc_estimate difference = {.lower = cases[i].lower, .upper = cases[i].upper};
        CHECK_INT(jc_comparison_judge(&difference, cases[i].margin), cases[i].want);
    }
    CHECK_STR(jc_verdict_name(JC_VERDICT_WORSE), "worse");
    CHECK_STR(jc_verdict_name(JC_VERDICT_NOT_WORSE), "not worse");
}

static void test_refused(void)
{
    struct jc_prediction a[5], b[5];
    struct jc_comparison c;
    make_rows(a, b, 5);
    CHECK_FAILS(jc_comparison_compute(a, b, 0, 1, &c, &err), JC_E_INVALID, "no rows");
    b[3].example = 9;
    CHECK_FAILS(jc_comparison_compute(a, b, 5, 1, &c, &err), JC_E_INVALID, "prediction 3");
    b[3] = a[3];
    b[4].category++;
    CHECK_FAILS(jc_comparison_compute(a, b, 5, 1, &c, &err), JC_E_INVALID, "prediction 4");
}

int main(void)
{
    test_mcnemar();
    test_differences();
    test_judge();
    test_refused();
    return check_finish();
}
