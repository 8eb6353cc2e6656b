/* The simplex search on functions whose minimum is known. */
#include "trainer/measure/simplex.h"

#include <math.h>
#include <string.h>

#include "check.h"

struct problem {
    size_t n;
    int n_calls;
    double least, at[JC_SIMPLEX_MAX]; /* the least value that was given out, and where */
};

static double note(struct problem *problem, const double *x, double value)
{
    if (problem->n_calls++ == 0 || value < problem->least) {
        problem->least = value;
        memcpy(problem->at, x, problem->n * sizeof(*x));
    }
    return value;
}

/* (i - x[i])^2 with weights 1, 10, 100, ..., and 7 at the minimum. */
static double bowl(void *context, const double *x)
{
    struct problem *problem = context;
    double sum = 7, weight = 1;
    for (size_t i = 0; i < problem->n; i++, weight *= 10)
        sum += weight * (x[i] - (double)i) * (x[i] - (double)i);
    return note(problem, x, sum);
}

/* Rosenbrock's valley: 0 at (1, 1). */
static double valley(void *context, const double *x)
{
    return note(context, x, 100 * pow(x[1] - x[0] * x[0], 2) + pow(1 - x[0], 2));
}

static double flat(void *context, const double *x)
{
    return note(context, x, 3);
}

/* What comes back is the best of what was asked. */
static double run(double (*f)(void *context, const double *x), struct problem *problem, double tolerance, int max_calls,
                  double *x)
{
    double least = jc_simplex_search(f, problem, problem->n, 0.5, tolerance, max_calls, x);
    CHECK(least == problem->least);
    CHECK(memcmp(x, problem->at, problem->n * sizeof(*x)) == 0);
    return least;
}

static void test_bowls(void)
{
    for (size_t n = 1; n <= JC_SIMPLEX_MAX; n++) {
        double x[JC_SIMPLEX_MAX] = {-3, 4, 0.5, 9};
        struct problem problem = {.n = n};
        CHECK_NEAR(run(bowl, &problem, 1e-12, 2000, x), 7, 1e-9);
        for (size_t i = 0; i < n; i++)
            CHECK_NEAR(x[i], (double)i, 1e-4);
        CHECK(problem.n_calls < 1000);
    }
}

static void test_valley(void)
{
    double x[] = {-1.2, 1};
    struct problem problem = {.n = 2};
    CHECK_NEAR(run(valley, &problem, 1e-14, 1000, x), 0, 1e-10);
    CHECK_NEAR(x[0], 1, 1e-4);
    CHECK_NEAR(x[1], 1, 1e-4);
}

/* Ends at once where nothing falls, and soon after max_calls where it would go on. */
static void test_end(void)
{
    double x[] = {5, 6, 7};
    struct problem level = {.n = 3}, cut = {.n = 2};
    CHECK_NEAR(run(flat, &level, 1e-9, 100, x), 3, 0);
    CHECK_INT(level.n_calls, 4);
    run(valley, &cut, 0, 50, x);
    CHECK(cut.n_calls >= 50 && cut.n_calls < 56);
}

int main(void)
{
    test_bowls();
    test_valley();
    test_end();
    return check_finish();
}
