/* Golden-section search: the minimum of a function of one number that falls and then rises (Kiefer 1953). */
#ifndef JC_TRAINER_GOLDEN_H
#define JC_TRAINER_GOLDEN_H

/* Where f(context, x) is least in [low, high], of the places that were tried: two, and one more in each of n_steps,
 * which shrinks the interval to .618 of its length. The ends are not tried. *ret_value: the value there. */
double jc_golden_search(double (*f)(void *context, double x), void *context, double low, double high, int n_steps,
                        double *ret_value);

#endif
