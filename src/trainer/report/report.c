/* The table of methods. */
#include "trainer/report/report.h"

#include <stdlib.h>

void jc_result_finish(struct jc_result *result)
{
    free(result->predictions);
    jc_head_finish(&result->head);
    jc_head_finish(&result->measured);
    jc_curve_finish(&result->curve);
    jc_evaluation_finish(&result->validation);
    jc_evaluation_finish(&result->evaluation);
    *result = (struct jc_result){0};
}

void jc_report_print(const struct jc_result *results, size_t n_results, FILE *out)
{
    fprintf(out, "%-21s %7s %15s %7s %7s %7s %7s %7s %7s %8s\n", "method", "top-1", "95 % interval", "top-3", "top-5",
            "MRR", "ECE", "P@50%", "n", "fit s");
    for (size_t i = 0; i < n_results; i++) {
        const struct jc_evaluation *e = &results[i].evaluation;
        fprintf(out, "%-21s %7.4f %7.4f %7.4f %7.4f %7.4f %7.4f %7.4f %7.4f %7zu %8.3f\n", results[i].method->name,
                e->top_1.value, e->top_1.low, e->top_1.high, e->top_3.value, e->top_5.value, e->mrr.value, e->ece,
                e->precision_at_half, e->n, results[i].fit_seconds);
    }
}
