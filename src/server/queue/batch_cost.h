/*
 * What a batch costs, learned from those that ran: T(tokens) = a + b * tokens, of the latest few hundred batches. The
 * fixed part a is what a larger batch saves: launches, copies, the wait for an answer.
 *
 * Least squares with weights that fade, M^age (recursive least squares with a forgetting factor: Ljung, System
 * Identification, 2nd ed., 11.2). With x tokens, y nanoseconds, means and sums weighted:
 *     b = Sxy / Sxx        Sxy = sum of w (x - mean x) (y - mean y), Sxx likewise
 *     a = mean y - b * mean x
 * and, as neither can be negative (Lawson and Hanson, Solving Least Squares Problems, ch. 23), b = 0, a = mean y where
 * b would be, and a = 0, b = sum of w x y / sum of w x x where a would be. Means and sums are kept up to date about the
 * means, which does not lose digits (West, Updating mean and variance estimates, CACM 22(9), 1979).
 * Threads: the caller's lock.
 */
#ifndef JC_SERVER_QUEUE_BATCH_COST_H
#define JC_SERVER_QUEUE_BATCH_COST_H

#include <stddef.h>

/* What a batch still counts, one batch later: half is gone after 177. Long enough that sizes differ among them, and
 * under a second of a busy GPU. */
#define JC_BATCH_COST_MEMORY (255.0 / 256)

/* The fixed part's share of the preferred batch's time: seven eighths of what the largest of batches would do a second
 * is done by then, and more only makes titles wait. */
#define JC_BATCH_COST_FIXED_SHARE (1.0 / 8)

/* All zero: nothing known. */
struct jc_batch_cost {
    double weight;     /* of all batches; the latest has 1 */
    double tokens, ns; /* means */
    double sxx, sxy;   /* about the means, as above */
};

/* n_tokens > 0, ns > 0. */
void jc_batch_cost_add(struct jc_batch_cost *cost, size_t n_tokens, double ns);

/* a and b, both in nanoseconds; 0 and 0 where too few batches have come yet, or all of about one size. */
struct jc_batch_line {
    double fixed_ns, token_ns;
};
struct jc_batch_line jc_batch_cost_line(const struct jc_batch_cost *cost);

/* T(n_tokens); 0 = not known. */
double jc_batch_cost_ns(const struct jc_batch_cost *cost, size_t n_tokens);

/* Tokens of the preferred batch. 0: not known, or there is no fixed part; SIZE_MAX: tokens cost nothing. */
size_t jc_batch_cost_preferred(const struct jc_batch_cost *cost);

#endif
