/*
 * Two models on the same rows: is the difference real, and is the second one worse than the first by more than a
 * margin? All differences are B - A. Threads: any.
 */
#ifndef JC_TRAINER_COMPARE_H
#define JC_TRAINER_COMPARE_H

#include "trainer/measure/bootstrap.h"
#include "trainer/measure/prediction.h"

struct jc_comparison {
    size_t n;
    struct jc_estimate top_1, top_3, top_5, mrr; /* differences of the means, with the paired bootstrap's interval */
    size_t n_only_a, n_only_b;                   /* rows that only one of them has right (top-1) */
    double p_value;                              /* McNemar's exact test on these, two-sided */
};

enum jc_verdict {
    JC_VERDICT_NOT_WORSE,    /* with 95 % confidence not worse by more than the margin */
    JC_VERDICT_INCONCLUSIVE, /* the rows are too few to tell */
    JC_VERDICT_WORSE,        /* with 95 % confidence worse by more than the margin */
};

/* Errors: INVALID (no rows, or not the same ones in the same order), NOMEM. */
JC_MUST_CHECK jc_code jc_comparison_compute(const struct jc_prediction *a, const struct jc_prediction *b, size_t n,
                                            uint64_t seed, struct jc_comparison *ret_comparison, struct jc_err *err);

/* B against A by a difference with its one-sided bounds; margin >= 0, in the unit of the difference (.01 = 1 point). */
enum jc_verdict jc_comparison_judge(const struct jc_estimate *difference, double margin);

/* "not worse", "inconclusive", "worse". Static storage. */
const char *jc_verdict_name(enum jc_verdict verdict);

/* The two-sided p-value for b and c discordant rows: 2 * sum_{i <= min(b, c)} C(b + c, i) / 2^(b + c), at most 1: the
 * exact conditional test (McNemar 1947; Fagerland, Lydersen, Laake 2013, The McNemar test for binary matched-pairs
 * data, eq. 3). */
double jc_mcnemar_exact(size_t b, size_t c);

#endif
