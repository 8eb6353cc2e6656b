/* Vector operations against double arithmetic and at the edges of float. */
#include <float.h>

#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

enum { MAX_N = 400 };

static void test_dot_and_add(void)
{
    struct jc_rng rng = jc_rng_seeded(2);
    float a[MAX_N] = {0}, b[MAX_N] = {0}, sum[MAX_N] = {0};
    for (size_t n = 0; n < MAX_N; n++) {
        double want = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = (float)(jc_rng_unit(&rng) * 2 - 1);
            b[i] = (float)(jc_rng_unit(&rng) * 2 - 1);
            sum[i] = b[i];
            want += (double)a[i] * (double)b[i];
        }
        CHECK_NEAR((double)jc_vec_dot(a, b, n), want, 2e-5);
        jc_vec_add(sum, 0.5f, a, n);
        for (size_t i = 0; i < n; i++)
            CHECK_NEAR((double)sum[i], (double)b[i] + 0.5 * (double)a[i], 1e-6);
    }
}

static void test_normalize(void)
{
    float x[] = {3, 0, -4};
    CHECK_NEAR((double)jc_vec_normalize(x, 3), 5, 1e-6);
    CHECK_NEAR((double)x[0], 0.6, 1e-7);
    CHECK_NEAR((double)x[2], -0.8, 1e-7);

    float zero[] = {0, 0};
    CHECK(jc_vec_normalize(zero, 2) == 0 && zero[0] == 0 && zero[1] == 0);
    CHECK(jc_vec_normalize(NULL, 0) == 0);

    /* The squares of these leave the range of float. */
    float large[] = {FLT_MAX / 2, -FLT_MAX / 2}, tiny[] = {FLT_TRUE_MIN, 0};
    jc_vec_normalize(large, 2);
    CHECK_NEAR((double)large[0], sqrt(0.5), 1e-6);
    CHECK_NEAR((double)large[1], -sqrt(0.5), 1e-6);
    CHECK(jc_vec_normalize(tiny, 2) == FLT_TRUE_MIN && tiny[0] == 1.0f);

    float bad[] = {1, INFINITY};
    jc_vec_normalize(bad, 2);
    CHECK(!jc_vec_is_finite(bad, 2));
}

static void test_is_finite(void)
{
    static const float wrong[] = {INFINITY, -INFINITY, NAN, -NAN};
    float x[MAX_N];
    for (size_t i = 0; i < MAX_N; i++)
        x[i] = i % 3 == 0 ? FLT_MAX : i % 3 == 1 ? -FLT_TRUE_MIN : -0.0f;
    CHECK(jc_vec_is_finite(x, 0));
    CHECK(jc_vec_is_finite(x, MAX_N));
    for (size_t i = 0; i < MAX_N; i++) {
        float kept = x[i];
        x[i] = wrong[i % JC_COUNT(wrong)];
        CHECK(!jc_vec_is_finite(x, MAX_N));
        CHECK(jc_vec_is_finite(x, i));
        x[i] = kept;
    }
}

int main(void)
{
    test_dot_and_add();
    test_normalize();
    test_is_finite();
    return check_finish();
}
