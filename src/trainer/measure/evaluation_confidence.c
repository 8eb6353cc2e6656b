/* Evaluation: is the confidence a probability, and what does answering only the confident rows gain? */
#include <math.h>

#include "base/own.h"
#include "trainer/measure/evaluation_impl.h"

/* Guo, Pleiss, Sun, Weinberger 2017, On Calibration of Modern Neural Networks: M bins of equal width,
 * ECE = sum over bins of n_bin / n * |accuracy - confidence|. */
static void add_calibration(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation)
{
    double brier = 0;
    for (size_t i = 0; i < input->n; i++) {
        const struct jc_prediction *p = &input->predictions[i];
        double at = ceil((double)p->confidence * JC_CALIBRATION_BINS) - 1;
        size_t bin = at < 0 ? 0 : at >= JC_CALIBRATION_BINS ? JC_CALIBRATION_BINS - 1 : (size_t)at;
        evaluation->bins[bin].n++;
        evaluation->bins[bin].confidence += (double)p->confidence;
        evaluation->bins[bin].accuracy += p->rank == 1;
        brier += (double)p->brier;
    }
    evaluation->brier = brier / (double)input->n;
    for (size_t b = 0; b < JC_CALIBRATION_BINS; b++) {
        struct jc_calibration_bin *bin = &evaluation->bins[b];
        if (bin->n == 0)
            continue;
        evaluation->ece += fabs(bin->accuracy - bin->confidence) / (double)input->n;
        bin->accuracy /= (double)bin->n;
        bin->confidence /= (double)bin->n;
    }
}

struct row {
    float confidence;
    bool right;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return (x->confidence < y->confidence) - (x->confidence > y->confidence);
}

/* Takes a point in: points come with growing coverage, one for each distinct confidence. *n_shown: the last point's
 * coverage in steps. */
static void add_point(struct jc_evaluation *evaluation, const struct jc_coverage_point *point, size_t *n_shown)
{
    size_t i_step = (size_t)floor(point->coverage * JC_COVERAGE_POINTS + 1e-9), half = JC_COVERAGE_POINTS / 2;
    if (i_step >= half && *n_shown < half)
        evaluation->precision_at_half = point->precision;
    if (i_step > *n_shown) {
        evaluation->coverage[evaluation->n_coverage++] = *point;
        *n_shown = i_step;
    }
    for (size_t t = 0; t < JC_THRESHOLDS; t++)
        if (point->precision >= evaluation->thresholds[t].target)
            evaluation->thresholds[t].point = *point;
}

static jc_code add_coverage(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation,
                            struct jc_err *err)
{
    JC_AUTO_FREE struct row *rows = calloc(input->n, sizeof(*rows));
    if (!rows)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", input->n);
    for (size_t i = 0; i < input->n; i++)
        rows[i] = (struct row){input->predictions[i].confidence, input->predictions[i].rank == 1};
    qsort(rows, input->n, sizeof(*rows), compare_rows);

    static const double targets[JC_THRESHOLDS] = {.5, .6, .7, .8, .9};
    for (size_t t = 0; t < JC_THRESHOLDS; t++)
        evaluation->thresholds[t].target = targets[t];
    size_t n_right = 0, n_shown = 0;
    for (size_t i = 0; i < input->n; i++) {
        n_right += rows[i].right;
        if (i + 1 < input->n && rows[i + 1].confidence >= rows[i].confidence)
            continue; /* a tie */
        struct jc_coverage_point point = {.threshold = (double)rows[i].confidence,
                                          .coverage = (double)(i + 1) / (double)input->n,
                                          .precision = (double)n_right / (double)(i + 1)};
        add_point(evaluation, &point, &n_shown);
    }
    return JC_OK;
}

jc_code jc_evaluation_add_confidence(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation,
                                     struct jc_err *err)
{
    add_calibration(input, evaluation);
    return add_coverage(input, evaluation, err);
}
