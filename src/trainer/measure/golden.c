/* Golden-section search. See golden.h. */
#include "trainer/measure/golden.h"

#include <math.h>

#define RATIO 0.6180339887498949 /* (sqrt(5) - 1) / 2: one of the two points of a step serves in the next */

double jc_golden_search(double (*f)(void *context, double x), void *context, double low, double high, int n_steps,
                        double *ret_value)
{
    double left = high - RATIO * (high - low), right = low + RATIO * (high - low);
    double at_left = f(context, left), at_right = f(context, right);
    for (int i = 0; i < n_steps; i++) {
        if (at_left < at_right) {
            high = right, right = left, at_right = at_left;
            left = high - RATIO * (high - low);
            at_left = f(context, left);
        } else {
            low = left, left = right, at_left = at_right;
            right = low + RATIO * (high - low);
            at_right = f(context, right);
        }
    }
    *ret_value = fmin(at_left, at_right);
    return at_left < at_right ? left : right;
}
