/* The kernels of every instruction set this processor has, against double precision. */
#include "base/attr.h"
#include "base/rng.h"
#include "check.h"
#include "dnn/kernels.h"

enum { MAX_N = 300, MAX_TOKENS = 40 };

static struct jc_rng rng;

static void fill(float *x, size_t n, double spread)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(spread * (jc_rng_unit(&rng) - 0.5));
}

/* Behind a row nothing may be written: a guard stands there. */
static void check_gelu(const struct jc_dnn_kernels *kernels)
{
    static const float zeros[MAX_N + JC_DNN_SLACK];
    const struct jc_dnn_columns columns = {.bias = zeros};
    double worst = 0;
    for (size_t n = 1; n < 100; n++) {
        for (int round = 0; round < 400; round++) {
            float row[MAX_N + 1], x[MAX_N];
            fill(x, n, round % 4 ? 16 : 200);
            memcpy(row, x, n * sizeof *x);
            row[n] = 77;
            kernels->finish_gelu(row, &columns, NULL, n);
            for (size_t i = 0; i < n; i++)
                worst = fmax(worst, fabs(row[i] - 0.5 * x[i] * (1 + erf(x[i] / sqrt(2)))));
            CHECK(row[n] == 77);
        }
    }
    check_report(worst < 1e-6, __FILE__, __LINE__, "%s: gelu is off by %g", kernels->name, worst);
}

static void check_norm(const struct jc_dnn_kernels *kernels, size_t n, double spread, double offset)
{
    float row[MAX_N], x[MAX_N + 1], bias[MAX_N], weight[MAX_N], shift[MAX_N];
    double y[MAX_N], mean = 0, variance = 0;
    fill(row, n, spread);
    fill(x, n, spread);
    fill(bias, n, 1);
    fill(weight, n, 2);
    fill(shift, n, 2);
    for (size_t i = 0; i < n; i++) {
        row[i] += (float)offset;
        mean += (y[i] = (double)row[i] + x[i] + bias[i]) / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        variance += (y[i] - mean) * (y[i] - mean) / (double)n;
    const struct jc_dnn_columns columns = {.bias = bias};
    const struct jc_dnn_norm norm = {.weight = weight, .bias = shift, .eps = 1e-6f};
    x[n] = 77;
    kernels->finish_norm(row, &columns, NULL, &norm, n, x);
    /* What float32 rounds off y is a larger part of differences that are small. */
    const double eps = 1e-6 + (fabs(offset) + spread) * 2e-7 / sqrt(variance + 1e-6);
    for (size_t i = 0; i < n; i++)
        CHECK_NEAR(x[i], (y[i] - mean) / sqrt(variance + 1e-6) * weight[i] + shift[i], eps);
    CHECK(x[n] == 77);
}

static void check_embed(const struct jc_dnn_kernels *kernels, size_t n)
{
    float word[MAX_N], position[MAX_N], weight[MAX_N], shift[MAX_N], x[MAX_N], row[MAX_N] = {0};
    fill(word, n, 2);
    fill(position, n, 2);
    fill(weight, n, 2);
    fill(shift, n, 2);
    const struct jc_dnn_norm norm = {.weight = weight, .bias = shift, .eps = 1e-6f};
    const struct jc_dnn_columns columns = {.bias = position};
    kernels->embed(word, position, &norm, n, x);
    kernels->finish_norm(row, &columns, NULL, &norm, n, word);
    for (size_t i = 0; i < n; i++)
        CHECK_NEAR(x[i], word[i], 1e-6);
}

/* Against the definition, and turned back by its own transpose: the same steps in any order. */
static void check_rotation(const struct jc_dnn_kernels *kernels, size_t n)
{
    float x[MAX_N + 1], y[MAX_N + 1];
    double want[MAX_N];
    fill(x, n, 2);
    for (size_t k = 0; k < n; k++)
        want[k] = (double)x[k];
    float square = 1;
    for (size_t stride = n; stride % 2 == 0 && stride / 2 >= JC_DNN_STRIDE;) {
        stride /= 2;
        square *= 2;
        for (size_t k = 0; k < n; k++) {
            if (k / stride % 2 == 0) {
                const double a = want[k], b = want[k + stride];
                want[k] = a + b;
                want[k + stride] = a - b;
            }
        }
    }
    memcpy(y, x, n * sizeof *y);
    y[n] = 77;
    CHECK(kernels->rotate(y, n) == square);
    for (size_t k = 0; k < n; k++)
        CHECK_NEAR(y[k], want[k], 1e-5);
    CHECK(kernels->rotate(y, n) == square && y[n] == 77);
    for (size_t k = 0; k < n; k++)
        CHECK_NEAR(y[k] / square, x[k], 1e-5);
}

/* A row quantised, multiplied in whole numbers and turned back is the float product within what the steps allow. */
static void check_quantized(const struct jc_dnn_kernels *kernels, size_t n, double spread, double offset)
{
    enum { N_OUT = 21, STRIDE = N_OUT + JC_DNN_SLACK };
    float x[MAX_N], factors[MAX_N], shifts[MAX_N], turned[MAX_N], scratch[MAX_N + 1];
    float bias[STRIDE], scales[STRIDE], terms[JC_DNN_TERMS * STRIDE] = {0}, row[STRIDE];
    int32_t sums[STRIDE];
    float *column_sums = terms + JC_DNN_OUTLIERS * STRIDE;
    int8_t weights[N_OUT][MAX_N];
    uint8_t bytes[MAX_N + 1];
    struct jc_dnn_quantum quantum;
    struct jc_dnn_channels channels = {.factors = factors, .shifts = shifts};
    fill(x, n, spread);
    fill(shifts, n, 1);
    fill(bias, N_OUT, 1);
    fill(scales, N_OUT, 0.1);
    for (size_t k = 0; k < n; k++) {
        x[k] += (float)offset;
        factors[k] = 0.5f + (float)jc_rng_unit(&rng);
    }
    factors[n / 2] = shifts[n / 2] = 0;
    channels.outliers[0] = (uint32_t)(n / 2);
    x[n / 2] = 1e4f;
    float low = 0, high = 0;
    for (size_t k = 0; k < n; k++)
        turned[k] = x[k] * factors[k] - shifts[k];
    kernels->rotate(turned, n);
    for (size_t k = 0; k < n; k++) {
        low = fminf(low, turned[k]);
        high = fmaxf(high, turned[k]);
    }
    bytes[n] = 77;
    scratch[n] = 77;
    kernels->quantize(x, &channels, n, scratch, bytes, &quantum);
    CHECK(bytes[n] == 77 && scratch[n] == 77);
    const double zero = -quantum.factors[JC_DNN_OUTLIERS] / quantum.scale;
    CHECK(quantum.factors[0] == 1e4f && zero >= 0 && zero <= 255.001);
    CHECK_NEAR(quantum.scale, (high - low) / 255, 1e-5 * (high - low));
    for (size_t k = 0; k < n; k++)
        CHECK_NEAR((bytes[k] - zero) * quantum.scale, turned[k], quantum.scale * 1.01);
    for (size_t o = 0; o < N_OUT; o++) {
        sums[o] = 0;
        terms[o] = 0.5f;
        for (size_t k = 0; k < n; k++) {
            weights[o][k] = (int8_t)(jc_rng_next(&rng) % 255 - 127);
            sums[o] += weights[o][k] * bytes[k];
            column_sums[o] += (float)weights[o][k] * scales[o];
        }
    }
    const struct jc_dnn_columns columns = {.bias = bias, .scales = scales, .weights = terms, .stride = STRIDE};
    memcpy(row, sums, sizeof row);
    kernels->finish(row, &columns, &quantum, N_OUT);
    for (size_t o = 0; o < N_OUT; o++) {
        double want = bias[o] + 0.5 * 1e4;
        for (size_t k = 0; k < n; k++)
            want += (bytes[k] - zero) * quantum.scale * weights[o][k] * scales[o];
        CHECK_NEAR(row[o], want, 1e-6 * (5e3 + fabs(want)));
    }
}

static void check_flat_rows(const struct jc_dnn_kernels *kernels)
{
    float x[32] = {0}, factors[32], shifts[32] = {0}, scratch[32];
    uint8_t bytes[32];
    struct jc_dnn_quantum quantum;
    const struct jc_dnn_channels channels = {.factors = factors, .shifts = shifts};
    for (size_t k = 0; k < 32; k++)
        factors[k] = 1;
    kernels->quantize(x, &channels, 32, scratch, bytes, &quantum);
    CHECK(bytes[5] == 0 && quantum.factors[JC_DNN_OUTLIERS] == 0 && quantum.scale > 0);
    for (size_t k = 0; k < 32; k++)
        x[k] = -3;
    kernels->quantize(x, &channels, 32, scratch, bytes, &quantum);
    CHECK_NEAR((float)bytes[31] * quantum.scale + quantum.factors[JC_DNN_OUTLIERS], -3, 1e-6);
}

static void check_attention(const struct jc_dnn_kernels *kernels, size_t n, size_t heads, size_t dim, double spread)
{
    const size_t hidden = heads * dim;
    float *qkv = calloc(n * 3 * hidden, sizeof *qkv), *context = calloc(n * hidden + 1, sizeof *context);
    float *scratch = calloc(jc_dnn_attend_scratch(MAX_TOKENS, dim), sizeof *scratch);
    REQUIRE(qkv && context && scratch);
    fill(qkv, n * 3 * hidden, spread);
    context[n * hidden] = 77;
    kernels->attend(qkv, n, heads, dim, scratch, context);
    CHECK(context[n * hidden] == 77);
    double worst = 0;
    for (size_t h = 0; h < heads; h++) {
        for (size_t i = 0; i < n; i++) {
            const float *q = qkv + i * 3 * hidden + h * dim;
            double weights[MAX_TOKENS], sum = 0;
            for (size_t j = 0; j < n; j++) {
                const float *k = qkv + j * 3 * hidden + hidden + h * dim;
                double score = 0;
                for (size_t d = 0; d < dim; d++)
                    score += (double)q[d] * k[d];
                sum += weights[j] = exp(score);
            }
            for (size_t d = 0; d < dim; d++) {
                double want = 0;
                for (size_t j = 0; j < n; j++)
                    want += weights[j] / sum * qkv[j * 3 * hidden + 2 * hidden + h * dim + d];
                worst = fmax(worst, fabs(context[i * hidden + h * dim + d] - want));
            }
        }
    }
    check_report(worst < 2e-6 * spread, __FILE__, __LINE__, "%s: attention of %zu tokens is off by %g", kernels->name,
                 n, worst);
    free(qkv);
    free(context);
    free(scratch);
}

static size_t count_finite(const float *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += isfinite(x[i]) != 0;
    return count;
}

/* What is not finite stays so, wherever in the row it stands; nothing else of a row that GELU is taken of does. */
static void check_bad_rows(const struct jc_dnn_kernels *kernels, size_t n, float bad)
{
    float row[MAX_N], x[MAX_N], zeros[MAX_N + JC_DNN_SLACK] = {0}, ones[MAX_N], scratch[MAX_N];
    uint8_t bytes[MAX_N];
    for (size_t k = 0; k < n; k++)
        ones[k] = 1;
    const struct jc_dnn_columns columns = {.bias = zeros};
    const struct jc_dnn_norm norm = {.weight = ones, .bias = ones, .eps = 1e-6f};
    const struct jc_dnn_channels channels = {.factors = ones, .shifts = zeros, .outliers = {0, 0, 0, 0}};
    for (size_t at = 0; at < n; at++) {
        fill(row, n, 2);
        fill(x, n, 2);
        row[at] = bad;
        kernels->finish_norm(row, &columns, NULL, &norm, n, x);
        CHECK(count_finite(x, n) == 0);
        fill(row, n, 2);
        row[at] = bad;
        kernels->embed(row, zeros, &norm, n, x);
        CHECK(count_finite(x, n) == 0);
        if (isfinite(bad)) /* far from overflow in what follows */
            continue;
        kernels->finish_gelu(row, &columns, NULL, n);
        CHECK(!isfinite(row[at]) && count_finite(row, n) == n - 1);
        fill(row, n, 2);
        row[at] = bad;
        struct jc_dnn_quantum quantum;
        kernels->quantize(row, &channels, n, scratch, bytes, &quantum);
        CHECK(!isfinite(quantum.scale));
        /* Sums of 0 and column sums of 0 are what hides it best. */
        float sums[JC_DNN_SLACK * 2] = {0}, terms[JC_DNN_TERMS * JC_DNN_SLACK * 2] = {0};
        const struct jc_dnn_columns made = {
            .bias = zeros, .scales = ones, .weights = terms, .stride = JC_DNN_SLACK * 2};
        kernels->finish(sums, &made, &quantum, JC_DNN_SLACK);
        CHECK(count_finite(sums, JC_DNN_SLACK) == 0);
    }
}

/* A query spoils its own row of its head, a key every row, a value its column. */
static void check_bad_attention(const struct jc_dnn_kernels *kernels, size_t n, float bad)
{
    enum { HEADS = 2, DIM = 7, HIDDEN = HEADS * DIM };
    static float qkv[MAX_TOKENS * 3 * HIDDEN], context[MAX_TOKENS * HIDDEN], scratch[MAX_TOKENS * 64];
    REQUIRE(jc_dnn_attend_scratch(MAX_TOKENS, DIM) <= JC_COUNT(scratch));
    for (size_t at = 0; at < n; at++) {
        for (size_t part = 0; part < 3; part++) {
            const size_t want[] = {DIM, n * DIM, n};
            fill(qkv, n * 3 * HIDDEN, 2);
            qkv[at * 3 * HIDDEN + part * HIDDEN + DIM + 3] = bad; /* of the second head */
            kernels->attend(qkv, n, HEADS, DIM, scratch, context);
            CHECK(count_finite(context, n * HIDDEN) == n * HIDDEN - want[part]);
        }
        /* Finite, until multiplied; negative where the largest score does not show it. */
        fill(qkv, n * 3 * HIDDEN, 2);
        qkv[at * 3 * HIDDEN + 3] = 1e30f;
        qkv[at * 3 * HIDDEN + HIDDEN + 3] = bad > 0 ? 1e30f : -1e30f;
        kernels->attend(qkv, n, HEADS, DIM, scratch, context);
        CHECK(count_finite(context, n * HIDDEN) == n * HIDDEN - DIM);
    }
}

static void check_not_finite(const struct jc_dnn_kernels *kernels)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f};
    for (size_t i = 0; i < JC_COUNT(bad); i++) {
        for (size_t n = 2; n < 70; n++)
            check_bad_rows(kernels, n, bad[i]);
        for (size_t n = 1; n <= MAX_TOKENS && !isfinite(bad[i]); n++)
            check_bad_attention(kernels, n, bad[i]);
    }
}

static void check_kernels(const struct jc_dnn_kernels *kernels)
{
    check_gelu(kernels);
    for (size_t n = 1; n <= MAX_N; n++)
        check_rotation(kernels, n);
    for (size_t n = 1; n < MAX_N; n += n < 100 ? 1 : 4) {
        check_norm(kernels, n, 4, 0);
        check_norm(kernels, n, 4, 30);
        check_embed(kernels, n);
        if (n > 1) {
            check_quantized(kernels, n, 3, 0);
            check_quantized(kernels, n, 3, 2.5);
            check_quantized(kernels, n, 3, -9);
        }
    }
    check_flat_rows(kernels);
    for (size_t n = 1; n <= MAX_TOKENS; n++) {
        check_attention(kernels, n, 3, 32, 1);
        check_attention(kernels, n, 2, 7, 5);
    }
    check_not_finite(kernels);
}

int main(void)
{
    static const char *const names[] = {"generic", "avx2", "avx512"};
    rng = jc_rng_seeded(5);
    for (size_t i = 0; i < JC_COUNT(names); i++) {
        const struct jc_dnn_kernels *kernels = jc_dnn_kernels_get(names[i]);
        if (kernels)
            check_kernels(kernels);
        fprintf(stderr, "%s: %s\n", names[i], kernels ? "checked" : "not on this processor");
    }
    CHECK(jc_dnn_kernels_get("generic") != NULL && jc_dnn_kernels_get("other") == NULL);
    CHECK(jc_dnn_kernels_find() != NULL);
    return check_finish();
}
