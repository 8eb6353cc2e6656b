/*
 * A linear layer, y = W x + b, ready to run: float32, or 8 bits.
 *
 * 8 bits: weights symmetric with a scale for each output channel, activations asymmetric with a scale for each row. What
 * is rounded on both sides is not W and x but, with R a rotation, D a factor for each input channel and m its mean,
 *     W x + b = (W D^-1 R^-1) (R D (x - m)) + (b + W m)
 * where the first bracket is made once, the second for each row, and the third is the bias:
 *  - The factors. Rounding a row costs the product, in squares, the row's squared range times the sum of |w_k|^2 / d_k^2
 *    (w_k: column k of W); rounding the weights costs |W D^-1|^2 times the sum of d_k^2 var(x_k). Both are least at
 *    d_k^2 = |w_k| / sd(x_k) (Cauchy and Schwarz), which needs no setting (SmoothQuant's migration, Xiao et al. 2023, by
 *    second moments in the place of maxima).
 *  - The rotation (JC_DNN_STRIDE, kernels.h) is of sums and differences alone, a Hadamard matrix over channels that stand
 *    far apart (QuaRot, Ashkboos et al. 2024). Sums of many channels are nearly normal: the range of a row, and of a
 *    row of weights, is then a smaller multiple of its standard deviation. It matters most behind GELU.
 *  - The mean takes no part of the range, and what rounding the weights would take from it is lost no longer.
 *  - The few input channels that weigh most even so, |w_k| sd(x_k), are left out and added in float32 (LLM.int8(),
 *    Dettmers et al. 2022).
 *  - Where a layer's weights are `fine` they have 5 bits more, by a second 8-bit product.
 * Means and mean squares are measured on texts beforehand.
 *
 * What it gives, as 1 - cosine to the vectors of float32 in millionths, all-MiniLM-L6-v2 over 20,000 alternate titles of
 * O*NET 30.1 that the 1,000 measured are not among: 226 with eight outliers chosen by their maxima and nothing else, 110
 * with the rotation, factors and means, 116 with four outliers, 98 with fine weights in the last layer's first two. (The
 * rotation alone: 141, simulated on 3,000.) A title's best category changes about in proportion to the root: for .59 %
 * of the titles at 226, for .41 % at 98.
 */
#ifndef JC_DNN_LINEAR_H
#define JC_DNN_LINEAR_H

#include "dnn/gemm.h"
#include "dnn/kernels.h"

struct jc_dnn_linear {
    size_t gemm;
    struct jc_dnn_matrix *matrix, *low; /* low: NULL, or the weights are matrix * JC_DNN_FINE + low */
    struct jc_dnn_columns columns;      /* scales: NULL in float32 */
    struct jc_dnn_channels channels;
    float *floats; /* what the pointers above point into */
};

/* What rounding may cost a layer. Of its inputs, [n_in] each; NULL: not known, then factors of 1 and no outliers. */
struct jc_dnn_inputs {
    const float *means, *squares; /* squares: the means of the squares */
    bool fine;                    /* not used above JC_DNN_FINE_MAX inputs */
};

/* Steps of a fine weight to one of a coarse one; int32 sums hold 255 * 127 * JC_DNN_FINE of so many inputs. */
#define JC_DNN_FINE 32
#define JC_DNN_FINE_MAX 2000

/* What layers run on. */
struct jc_dnn_machine {
    const struct jc_dnn_gemms *gemms;
    const struct jc_dnn_kernels *kernels;
};

/* weights [n_out][n_in], used up; bias [n_out]; inputs are not used in float32. shape: of product `gemm`.
 * Errors: FORMAT (inputs that no texts have), NOMEM. */
JC_MUST_CHECK jc_code jc_dnn_linear_init(struct jc_dnn_linear *linear, const struct jc_dnn_machine *machine,
                                         size_t gemm, const struct jc_dnn_shape *shape, float *weights,
                                         const float *bias, const struct jc_dnn_inputs *inputs, struct jc_err *err);
void jc_dnn_linear_finish(struct jc_dnn_linear *linear);

#endif
