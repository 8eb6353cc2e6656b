/* Golden-section search: the place of known minima to the promised accuracy, and the number of calls. */
#include "trainer/measure/golden.h"

#include "check.h"

struct curve {
    double at;
    int n_calls;
    double least;
};

static double record(struct curve *curve, double x, double value)
{
    CHECK(x > -1 && x < 3); /* the ends are not tried */
    curve->n_calls++;
    curve->least = fmin(curve->least, value);
    return value;
}

static double measure_square(void *context, double x)
{
    struct curve *curve = context;
    return record(curve, x, 7 + (x - curve->at) * (x - curve->at));
}

static double measure_edge(void *context, double x)
{
    struct curve *curve = context;
    return record(curve, x, fabs(x - curve->at));
}

static double measure_flat(void *context, double x)
{
    struct curve *curve = context;
    return record(curve, x, 3 + 0 * x);
}

static void check_search(double (*f)(void *context, double x), double at, int n_steps)
{
    struct curve curve = {.at = at, .least = INFINITY};
    double value, x = jc_golden_search(f, &curve, -1, 3, n_steps, &value);
    CHECK_INT(curve.n_calls, n_steps + 2);
    CHECK_NEAR(value, curve.least, 0);
    CHECK_NEAR(f(&curve, x), value, 0);
    CHECK_NEAR(x, at, 4 * pow(0.6180339888, n_steps + 1) + 1e-7);
}

int main(void)
{
    static const double places[] = {-1, -0.9, 0, 0.3, 0.528, 1, 1.7, 2.999, 3};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        for (int n_steps = 0; n_steps <= 30; n_steps += 5) {
            check_search(measure_square, places[i], n_steps);
            check_search(measure_edge, places[i], n_steps);
        }
    struct curve flat = {.least = INFINITY};
    double value, x = jc_golden_search(measure_flat, &flat, -1, 3, 10, &value);
    CHECK(x > -1 && x < 3 && value == 3);
    return check_finish();
}
