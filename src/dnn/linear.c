/* Making a linear layer: outliers, factors, rotating, quantising, packing. See linear.h. */
#include "dnn/linear.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A layer on its way to 8 bits. */
struct plan {
    const struct jc_dnn_shape *shape;
    float *weights;          /* [n_out][n_in] */
    float *bias;             /* [n_out] */
    float *factors, *shifts; /* [n_in] */
    float *spreads;          /* [n_in]: standard deviations of the inputs */
    float *norms;            /* [n_in]: lengths of the weights' columns */
};

/* A channel whose deviation, or whose weights, are under this part of the average is taken to have that much: what the
 * texts measured hardly showed may still come. */
static const float least_part = 0.05f;

static float largest(const float *x, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(x[i]));
    return most;
}

static float average(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    return (float)(sum / (double)n);
}

static jc_code measure_spreads(const struct jc_dnn_inputs *inputs, size_t n, float *ret_spreads, struct jc_err *err)
{
    for (size_t k = 0; k < n; k++) {
        const double mean = (double)inputs->means[k], square = (double)inputs->squares[k];
        /* The negated comparison refuses NaN; of a constant channel the two are rounded apart. */
        if (!(square >= mean * mean * 0.99) || isinf(square))
            return jc_fail(err, JC_E_FORMAT, "the calibration is none: channel %zu has mean %g and mean square %g", k,
                           mean, square);
        /* What the square is rounded by costs the deviation 1 % where it is a 600th of the mean. */
        ret_spreads[k] = (float)sqrt(fmax(square - mean * mean, 0));
    }
    return JC_OK;
}

static void measure_norms(const struct plan *plan)
{
    const size_t n_in = plan->shape->n_in;
    for (size_t o = 0; o < plan->shape->n_out; o++)
        for (size_t k = 0; k < n_in; k++)
            plan->norms[k] += plan->weights[o * n_in + k] * plan->weights[o * n_in + k];
    for (size_t k = 0; k < n_in; k++)
        plan->norms[k] = sqrtf(plan->norms[k]);
}

static void choose_factors(const struct plan *plan)
{
    const size_t n = plan->shape->n_in;
    const float least_spread = least_part * average(plan->spreads, n),
                least_norm = least_part * average(plan->norms, n);
    for (size_t k = 0; k < n; k++) {
        const float factor = sqrtf(fmaxf(plan->norms[k], least_norm) / fmaxf(plan->spreads[k], least_spread));
        plan->factors[k] = factor > 0 && isfinite(factor) ? factor : 1; /* a layer of zeros, or never used */
    }
}

/* The channels that weigh most go into the float32 part and leave the 8-bit one. */
static void take_outliers(const struct plan *plan, struct jc_dnn_linear *linear, float *ret_weights)
{
    const size_t n_in = plan->shape->n_in;
    for (size_t i = 0; i < JC_DNN_OUTLIERS && i < n_in; i++) {
        size_t best = n_in;
        for (size_t k = 0; k < n_in; k++)
            if (plan->factors[k] != 0 &&
                (best == n_in || plan->spreads[k] * plan->norms[k] > plan->spreads[best] * plan->norms[best]))
                best = k;
        plan->factors[best] = 0;
        linear->channels.outliers[i] = (uint32_t)best;
        for (size_t o = 0; o < plan->shape->n_out; o++) {
            ret_weights[i * linear->columns.stride + o] = plan->weights[o * n_in + best];
            plan->weights[o * n_in + best] = 0;
        }
    }
}

/* The means go to the bias, the factors' inverses and the rotation into the weights. */
static void turn_weights(const struct plan *plan, const struct jc_dnn_kernels *kernels, const float *means)
{
    const size_t n_in = plan->shape->n_in;
    for (size_t k = 0; k < n_in; k++)
        plan->shifts[k] = means ? means[k] * plan->factors[k] : 0;
    for (size_t o = 0; o < plan->shape->n_out; o++) {
        float *row = plan->weights + o * n_in;
        double moved = 0;
        for (size_t k = 0; k < n_in; k++) {
            moved += means ? (double)row[k] * (double)means[k] : 0;
            row[k] = plan->factors[k] != 0 ? row[k] / plan->factors[k] : 0;
        }
        plan->bias[o] += (float)moved;
        const float square = kernels->rotate(row, n_in);
        for (size_t k = 0; k < n_in; k++)
            row[k] /= square;
    }
}

/* Without VNNI two products of u8 and s8 have to fit into 16 bits: 2 * 255 * 64 does. */
static void quantize_weights(const struct plan *plan, int8_t *ret_weights, int8_t *ret_low, float *ret_scales,
                             float *ret_sums)
{
    const long parts = ret_low ? JC_DNN_FINE : 1;
    const float top = (jc_dnn_has_vnni() ? 127.0f : 64.0f) * (float)parts;
    const size_t n_in = plan->shape->n_in;
    for (size_t o = 0; o < plan->shape->n_out; o++) {
        const float *row = plan->weights + o * n_in;
        const float most = largest(row, n_in), scale = most > 0 ? most / top : 1;
        int32_t sum = 0;
        for (size_t k = 0; k < n_in; k++) {
            const long q = lrintf(row[k] / scale), high = lrint((double)q / (double)parts);
            ret_weights[o * n_in + k] = (int8_t)high;
            if (ret_low)
                ret_low[o * n_in + k] = (int8_t)(q - high * parts);
            sum += (int32_t)q;
        }
        ret_scales[o] = scale;
        ret_sums[o] = (float)sum * scale;
    }
}

/* weights of the 8-bit product, terms and scales of linear->columns. */
static jc_code make_bytes(struct plan *plan, const struct jc_dnn_kernels *kernels, const struct jc_dnn_inputs *inputs,
                          struct jc_dnn_linear *linear, float *scales, float *terms, int8_t *ret_bytes, int8_t *ret_low,
                          struct jc_err *err)
{
    const size_t n_in = plan->shape->n_in;
    JC_AUTO_FREE float *measured = calloc(2 * n_in, sizeof *measured);
    if (!measured)
        return jc_fail(err, JC_E_NOMEM, "no memory for a layer");
    plan->spreads = measured;
    plan->norms = measured + n_in;
    for (size_t k = 0; k < n_in; k++)
        plan->factors[k] = 1;
    if (inputs->means) {
        jc_code code = measure_spreads(inputs, n_in, plan->spreads, err);
        if (code)
            return code;
        measure_norms(plan);
        choose_factors(plan);
        take_outliers(plan, linear, terms);
    }
    turn_weights(plan, kernels, inputs->means);
    quantize_weights(plan, ret_bytes, ret_low, scales, terms + JC_DNN_OUTLIERS * linear->columns.stride);
    return JC_OK;
}

jc_code jc_dnn_linear_init(struct jc_dnn_linear *linear, const struct jc_dnn_machine *machine, size_t gemm,
                           const struct jc_dnn_shape *shape, float *weights, const float *bias,
                           const struct jc_dnn_inputs *inputs, struct jc_err *err)
{
    const size_t n_columns = shape->n_out + JC_DNN_SLACK;
    linear->gemm = gemm;
    linear->floats = calloc((2 + JC_DNN_TERMS) * n_columns + 2 * shape->n_in, sizeof(float));
    if (!linear->floats)
        return jc_fail(err, JC_E_NOMEM, "no memory for a layer");
    float *scales = linear->floats + n_columns, *terms = scales + n_columns,
          *factors = terms + JC_DNN_TERMS * n_columns;
    memcpy(linear->floats, bias, shape->n_out * sizeof *bias);
    linear->columns = (struct jc_dnn_columns){.bias = linear->floats, .weights = terms, .stride = n_columns};
    if (shape->precision == JC_PRECISION_F32)
        return jc_dnn_matrix_create(machine->gemms, gemm, weights, &linear->matrix, err);

    const bool fine = inputs->fine && shape->n_in <= JC_DNN_FINE_MAX;
    const size_t n_weights = shape->n_in * shape->n_out;
    JC_AUTO_FREE int8_t *bytes = malloc(2 * n_weights);
    if (!bytes)
        return jc_fail(err, JC_E_NOMEM, "no memory for a layer");
    linear->columns.scales = scales;
    linear->channels.factors = factors;
    linear->channels.shifts = factors + shape->n_in;
    struct plan plan = {.shape = shape,
                        .weights = weights,
                        .bias = linear->floats,
                        .factors = factors,
                        .shifts = factors + shape->n_in};
    int8_t *low = fine ? bytes + n_weights : NULL;
    jc_code code = make_bytes(&plan, machine->kernels, inputs, linear, scales, terms, bytes, low, err);
    if (!code)
        code = jc_dnn_matrix_create(machine->gemms, gemm, bytes, &linear->matrix, err);
    if (!code && fine)
        code = jc_dnn_matrix_create(machine->gemms, gemm, low, &linear->low, err);
    return code;
}

void jc_dnn_linear_finish(struct jc_dnn_linear *linear)
{
    jc_dnn_matrix_destroy(linear->matrix);
    jc_dnn_matrix_destroy(linear->low);
    free(linear->floats);
}
