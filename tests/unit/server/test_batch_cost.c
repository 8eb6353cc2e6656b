/* What a batch costs: the line through exact, noisy, faded and impossible times, against what the formulas give when
 * worked out in full; the preferred batch. */
#include "server/queue/batch_cost.h"

#include <stdint.h>

#include "base/rng.h"
#include "check.h"

enum { N = 1500 };

struct point {
    size_t n_tokens;
    double ns;
};

static struct jc_batch_cost learn(const struct point *points, size_t n)
{
    struct jc_batch_cost cost = {0};
    for (size_t i = 0; i < n; i++)
        jc_batch_cost_add(&cost, points[i].n_tokens, points[i].ns);
    return cost;
}

/* Sizes from 1 to 2000 about the line. */
static void draw(struct point points[N], double fixed_ns, double token_ns, double noise_ns)
{
    struct jc_rng rng = jc_rng_seeded(7);
    for (size_t i = 0; i < N; i++) {
        points[i].n_tokens = 1 + jc_rng_next(&rng) % 2000;
        points[i].ns = fixed_ns + token_ns * (double)points[i].n_tokens + noise_ns * (jc_rng_unit(&rng) - .5);
    }
}

/* The sum of what each batch still counts times how far the line is from it, squared. */
static double misfit(const struct point *points, size_t n, struct jc_batch_line line)
{
    double sum = 0, weight = 1;
    for (size_t i = n; i-- > 0; weight *= JC_BATCH_COST_MEMORY) {
        double off = line.fixed_ns + line.token_ns * (double)points[i].n_tokens - points[i].ns;
        sum += weight * off * off;
    }
    return sum;
}

static void test_exact(void)
{
    struct point points[N];
    draw(points, 300e3, 2e3, 0);
    struct jc_batch_cost cost = learn(points, N);
    struct jc_batch_line line = jc_batch_cost_line(&cost);
    CHECK_NEAR(line.fixed_ns, 300e3, 1e-3);
    CHECK_NEAR(line.token_ns, 2e3, 1e-6);
    CHECK_NEAR(jc_batch_cost_ns(&cost, 1000), 2300e3, 1e-3);
    /* 300 us are an eighth of 300 us + 1050 * 2 us. */
    size_t preferred = jc_batch_cost_preferred(&cost);
    CHECK(preferred == 1049 || preferred == 1050);
    CHECK_NEAR(300e3 / jc_batch_cost_ns(&cost, 1050), JC_BATCH_COST_FIXED_SHARE, 1e-9);
}

/* The normal equations with all weights written out. */
static void test_noise(void)
{
    struct point points[N];
    draw(points, 300e3, 2e3, 400e3);
    double w = 1, s = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t i = N; i-- > 0; w *= JC_BATCH_COST_MEMORY) {
        double x = (double)points[i].n_tokens, y = points[i].ns;
        s += w;
        sx += w * x;
        sy += w * y;
        sxx += w * x * x;
        sxy += w * x * y;
    }
    double slope = (s * sxy - sx * sy) / (s * sxx - sx * sx), fixed = (sy - slope * sx) / s;
    struct jc_batch_cost cost = learn(points, N);
    struct jc_batch_line line = jc_batch_cost_line(&cost);
    CHECK_NEAR(line.token_ns, slope, 1e-6 * slope);
    CHECK_NEAR(line.fixed_ns, fixed, 1e-6 * fixed);
    CHECK(fabs(line.fixed_ns - 300e3) > 1); /* there was noise */
}

/* No line near it, of those without negative parts, fits better. */
static void check_best(const struct point *points, size_t n)
{
    struct jc_batch_cost cost = learn(points, n);
    struct jc_batch_line line = jc_batch_cost_line(&cost);
    double least = misfit(points, n, line);
    CHECK(line.fixed_ns >= 0 && line.token_ns >= 0 && line.fixed_ns + line.token_ns > 0);
    for (int i = -20; i <= 20; i++)
        for (int j = -20; j <= 20; j++) {
            struct jc_batch_line other = {.fixed_ns = line.fixed_ns + i * 5e3, .token_ns = line.token_ns + j * 20};
            if (other.fixed_ns >= 0 && other.token_ns >= 0)
                check_report(misfit(points, n, other) >= least * (1 - 1e-9), __FILE__, __LINE__,
                             "%g + %g x fits better than %g + %g x", other.fixed_ns, other.token_ns, line.fixed_ns,
                             line.token_ns);
        }
}

static void test_no_negative_parts(void)
{
    struct point points[N];
    draw(points, 300e3, 2e3, 400e3);
    check_best(points, N);

    draw(points, 5000e3, -2e3, 400e3); /* larger ones faster: tokens cost nothing */
    check_best(points, N);
    struct jc_batch_cost cost = learn(points, N);
    CHECK_NEAR(jc_batch_cost_line(&cost).token_ns, 0, 0);
    CHECK(jc_batch_cost_preferred(&cost) == SIZE_MAX);

    draw(points, -100e3, 2e3, 10e3); /* nothing is fixed: no size is better than another */
    for (size_t i = 0; i < N; i++)
        points[i].ns = points[i].ns > 1 ? points[i].ns : 1;
    check_best(points, N);
    cost = learn(points, N);
    CHECK_NEAR(jc_batch_cost_line(&cost).fixed_ns, 0, 0);
    CHECK_INT(jc_batch_cost_preferred(&cost), 0);
}

/* Nothing is claimed before there is something to know it by. */
static void test_not_known(void)
{
    struct jc_batch_cost cost = {0};
    CHECK_NEAR(jc_batch_cost_ns(&cost, 100), 0, 0);
    CHECK_INT(jc_batch_cost_preferred(&cost), 0);
    for (int i = 0; i < 16; i++)
        jc_batch_cost_add(&cost, i % 2 == 0 ? 1000 : 10, 1e6);
    CHECK_NEAR(jc_batch_cost_ns(&cost, 100), 0, 0); /* the first of them have faded a little */
    jc_batch_cost_add(&cost, 10, 1e6);
    CHECK_NEAR(jc_batch_cost_ns(&cost, 100), 1e6, 1e-3);

    cost = (struct jc_batch_cost){0};
    for (size_t i = 0; i < N; i++)
        jc_batch_cost_add(&cost, 100 + i % 20, 1e6 + (double)(i % 3)); /* all of a size */
    CHECK_NEAR(jc_batch_cost_ns(&cost, 100), 0, 0);
    CHECK_INT(jc_batch_cost_preferred(&cost), 0);
}

/* Another device, or a slower one: after some memories' time only that counts. */
static void test_fades(void)
{
    struct point points[N];
    draw(points, 9000e3, 90e3, 0);
    struct jc_batch_cost cost = learn(points, N);
    draw(points, 300e3, 2e3, 0);
    for (int round = 0; round < 6; round++)
        for (size_t i = 0; i < N; i++)
            jc_batch_cost_add(&cost, points[i].n_tokens, points[i].ns);
    CHECK_NEAR(jc_batch_cost_line(&cost).fixed_ns, 300e3, 1);
    CHECK_NEAR(jc_batch_cost_line(&cost).token_ns, 2e3, 1e-3);
}

int main(void)
{
    test_exact();
    test_noise();
    test_no_negative_parts();
    test_not_known();
    test_fades();
    return check_finish();
}
