/* The table of methods. */
#include "trainer/report.h"

void jc_report_print(const struct jc_result *results, size_t n_results, double encode_seconds, size_t n_texts,
                     FILE *out)
{
    fprintf(out, "%-12s %7s %7s %7s %7s %8s %8s\n", "method", "top-1", "top-3", "top-5", "MRR", "n", "fit s");
    for (size_t i = 0; i < n_results; i++) {
        const struct jc_metrics *m = &results[i].metrics;
        fprintf(out, "%-12s %7.4f %7.4f %7.4f %7.4f %8zu %8.3f\n", results[i].method->name, m->top_1, m->top_3,
                m->top_5, m->mrr, m->n, results[i].fit_seconds);
    }
    fprintf(out, "encoding: %zu texts in %.1f s\n", n_texts, encode_seconds);
}
