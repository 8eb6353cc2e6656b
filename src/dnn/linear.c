/* Making a linear layer: outliers, quantising, packing. See linear.h. */
#include "dnn/linear.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static float largest(const float *x, size_t n, size_t stride)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(x[i * stride]));
    return most;
}

/* The channels that reach furthest go into the float32 part and leave the weights of the 8-bit one. */
static void take_outliers(const struct jc_dnn_shape *shape, const float *reach, struct jc_dnn_linear *linear,
                          float *weights, float *factors, float *ret_weights)
{
    for (size_t k = 0; k < shape->n_in; k++)
        factors[k] = 1;
    for (size_t i = 0; reach && i < JC_DNN_OUTLIERS; i++) {
        size_t best = 0;
        for (size_t k = 1; k < shape->n_in; k++)
            if (factors[best] == 0 || (factors[k] != 0 && reach[k] > reach[best]))
                best = k;
        if (factors[best] == 0)
            return; /* a layer of fewer channels */
        factors[best] = 0;
        linear->channels.outliers[i] = (uint32_t)best;
        for (size_t o = 0; o < shape->n_out; o++) {
            ret_weights[i * linear->columns.stride + o] = weights[o * shape->n_in + best];
            weights[o * shape->n_in + best] = 0;
        }
    }
}

/* Without VNNI two products of u8 and s8 have to fit into 16 bits: 2 * 255 * 64 does. */
static void quantize_weights(const struct jc_dnn_shape *shape, const float *weights, const float *means,
                             int8_t *ret_weights, float *ret_scales, float *ret_sums, float *bias)
{
    const float top = jc_dnn_has_vnni() ? 127.0f : 64.0f;
    for (size_t o = 0; o < shape->n_out; o++) {
        const float *row = weights + o * shape->n_in;
        const float most = largest(row, shape->n_in, 1), scale = most > 0 ? most / top : 1;
        int32_t sum = 0;
        float lost = 0;
        for (size_t k = 0; k < shape->n_in; k++) {
            int8_t q = (int8_t)lrintf(row[k] / scale);
            ret_weights[o * shape->n_in + k] = q;
            sum += q;
            lost += means ? (row[k] - (float)q * scale) * means[k] : 0;
        }
        ret_scales[o] = scale;
        ret_sums[o] = (float)sum * scale;
        bias[o] += lost;
    }
}

jc_code jc_dnn_linear_init(struct jc_dnn_linear *linear, const struct jc_dnn_gemms *gemms, size_t gemm,
                           const struct jc_dnn_shape *shape, float *weights, const float *bias,
                           const struct jc_dnn_inputs *inputs, struct jc_err *err)
{
    const size_t n_columns = shape->n_out + JC_DNN_SLACK;
    JC_AUTO_FREE int8_t *bytes = NULL;
    linear->gemm = gemm;
    linear->floats = calloc((2 + JC_DNN_TERMS) * n_columns + shape->n_in, sizeof(float));
    if (!linear->floats)
        return jc_fail(err, JC_E_NOMEM, "no memory for a layer");
    float *scales = linear->floats + n_columns, *terms = scales + n_columns,
          *factors = terms + JC_DNN_TERMS * n_columns;
    memcpy(linear->floats, bias, shape->n_out * sizeof *bias);
    linear->columns = (struct jc_dnn_columns){.bias = linear->floats, .weights = terms, .stride = n_columns};
    if (shape->precision == JC_PRECISION_F32)
        return jc_dnn_matrix_create(gemms, gemm, weights, &linear->matrix, err);

    bytes = malloc(shape->n_in * shape->n_out);
    if (!bytes)
        return jc_fail(err, JC_E_NOMEM, "no memory for a layer");
    linear->columns.scales = scales;
    linear->channels.factors = factors;
    take_outliers(shape, inputs->largest, linear, weights, factors, terms);
    quantize_weights(shape, weights, inputs->means, bytes, scales, terms + JC_DNN_OUTLIERS * n_columns, linear->floats);
    return jc_dnn_matrix_create(gemms, gemm, bytes, &linear->matrix, err);
}

void jc_dnn_linear_finish(struct jc_dnn_linear *linear)
{
    jc_dnn_matrix_destroy(linear->matrix);
    free(linear->floats);
}
