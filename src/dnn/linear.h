/*
 * A linear layer, y = W x + b, ready to run: float32, or 8 bits.
 *
 * 8 bits: weights symmetric with a scale for each output channel, activations asymmetric with a scale for each row. A
 * few input channels reach many times as far as the rest (in all-MiniLM-L6-v2 one channel of 384 reaches 28 where half
 * of them stay under 2) and would set the step of all others: these are left out of the 8-bit product and added in
 * float32 (as LLM.int8() does, Dettmers et al. 2022). Which they are is measured on texts beforehand.
 */
#ifndef JC_DNN_LINEAR_H
#define JC_DNN_LINEAR_H

#include "dnn/gemm.h"
#include "dnn/kernels.h"

struct jc_dnn_linear {
    size_t gemm;
    struct jc_dnn_matrix *matrix;
    struct jc_dnn_columns columns; /* scales: NULL in float32 */
    struct jc_dnn_channels channels;
    float *floats; /* what the pointers above point into */
};

/* What is expected of a layer's inputs, [n_in] each; NULL: not known, no outliers and no correction. */
struct jc_dnn_inputs {
    const float *largest, *means;
};

/* weights [n_out][n_in], used up; bias [n_out]; inputs may be NULL in float32. shape: of product `gemm`.
 * What rounding the weights takes from a mean input goes to the bias: it is the same for every row.
 * Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_dnn_linear_init(struct jc_dnn_linear *linear, const struct jc_dnn_gemms *gemms, size_t gemm,
                                         const struct jc_dnn_shape *shape, float *weights, const float *bias,
                                         const struct jc_dnn_inputs *inputs, struct jc_err *err);
void jc_dnn_linear_finish(struct jc_dnn_linear *linear);

#endif
