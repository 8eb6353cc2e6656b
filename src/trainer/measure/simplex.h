/* The downhill simplex: the minimum of a function of a few numbers, from its values alone (Nelder, Mead 1965;
 * coefficients 1, 2, 1/2 and 1/2). */
#ifndef JC_TRAINER_SIMPLEX_H
#define JC_TRAINER_SIMPLEX_H

#include <stddef.h>

enum { JC_SIMPLEX_MAX = 4 };

/*
 * x [n], n at most JC_SIMPLEX_MAX: in, the start; out, the point with the least value seen, which is returned. The
 * first simplex has corners `step` away on each axis. Ends when the values at its corners are within `tolerance` of
 * each other, and after about max_calls calls of f.
 */
double jc_simplex_search(double (*f)(void *context, const double *x), void *context, size_t n, double step,
                         double tolerance, int max_calls, double *x);

#endif
