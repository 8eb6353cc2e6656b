/* Matrix products against a plain loop: every row count, exact sums of 8-bit extremes, rows that are not aligned. */
#include "base/rng.h"
#include "check.h"
#include "dnn/gemm.h"

enum { MAX_IN = 1536, MAX_OUT = 193 };

static struct jc_rng rng;

/* One of `n` values. */
static int pick(const int *values, size_t n)
{
    return values[jc_rng_next(&rng) % n];
}

static void create(const struct jc_dnn_shape *shape, const void *weights, struct jc_dnn_gemms **ret_gemms,
                   struct jc_dnn_matrix **ret_matrix, struct jc_dnn_queue **ret_queue)
{
    struct jc_err err;
    REQUIRE_OK(jc_dnn_gemms_create(shape, 1, ret_gemms, &err));
    REQUIRE_OK(jc_dnn_matrix_create(*ret_gemms, 0, weights, ret_matrix, &err));
    REQUIRE_OK(jc_dnn_queue_create(*ret_gemms, ret_queue, &err));
}

/* The first columns of W are all largest, all least, and zero; the first rows of A all largest and zero. */
static void check_int8(size_t n_in, size_t n_out)
{
    static int8_t weights[MAX_OUT * MAX_IN];
    static uint8_t memory[JC_DNN_CHUNK * MAX_IN + 1];
    static int32_t sums[JC_DNN_CHUNK * MAX_OUT + 2];
    uint8_t *a = memory + 1;
    int32_t *c = sums + 1;
    const int top = jc_dnn_has_vnni() ? 127 : 64;
    const int extremes[] = {-top, top, -1, 1, 0}, inputs[] = {0, 255, 1, 254};
    struct jc_err err;
    for (size_t i = 0; i < n_in * n_out; i++)
        weights[i] = (int8_t)(i / n_in == 0   ? top
                              : i / n_in == 1 ? -top
                              : i / n_in == 2 ? 0
                                              : pick(extremes, JC_COUNT(extremes)));
    for (size_t i = 0; i < JC_DNN_CHUNK * n_in; i++)
        a[i] = (uint8_t)(i / n_in == 0 ? 255 : i / n_in == 1 ? 0 : pick(inputs, JC_COUNT(inputs)));
    const struct jc_dnn_shape shape = {JC_PRECISION_INT8, n_in, n_out};
    JC_AUTO(jc_dnn_gemms) struct jc_dnn_gemms *gemms = NULL;
    JC_AUTO(jc_dnn_matrix) struct jc_dnn_matrix *matrix = NULL;
    JC_AUTO(jc_dnn_queue) struct jc_dnn_queue *queue = NULL;
    create(&shape, weights, &gemms, &matrix, &queue);
    static int32_t want[JC_DNN_CHUNK * MAX_OUT];
    memset(want, 0, sizeof want);
    for (size_t i = 0; i < JC_DNN_CHUNK; i++)
        for (size_t o = 0; o < n_out; o++)
            for (size_t k = 0; k < n_in; k++)
                want[i * n_out + o] += a[i * n_in + k] * weights[o * n_in + k];
    CHECK_INT(want[0], (int)n_in * 255 * top);
    for (size_t rows = 1; rows <= JC_DNN_CHUNK; rows++) {
        const size_t touched = jc_dnn_gemms_rows(rows);
        CHECK(touched >= rows && touched <= JC_DNN_CHUNK);
        memset(sums, 0x5a, sizeof sums);
        REQUIRE_OK(jc_dnn_queue_run(queue, 0, matrix, a, rows, c, &err));
        check_report(memcmp(c, want, rows * n_out * sizeof *c) == 0, __FILE__, __LINE__,
                     "%zu rows of %zu by %zu are not exact", rows, n_in, n_out);
        CHECK(sums[0] == 0x5a5a5a5a && c[touched * n_out] == 0x5a5a5a5a);
    }
}

static void check_float32(size_t n_in, size_t n_out)
{
    static float weights[MAX_OUT * MAX_IN], memory[JC_DNN_CHUNK * MAX_IN + 1], sums[JC_DNN_CHUNK * MAX_OUT + 2];
    float *a = memory + 1, *c = sums + 1;
    struct jc_err err;
    for (size_t i = 0; i < n_in * n_out; i++)
        weights[i] = (float)(jc_rng_unit(&rng) - 0.5);
    for (size_t i = 0; i < JC_DNN_CHUNK * n_in; i++)
        a[i] = (float)(jc_rng_unit(&rng) - 0.5);
    const struct jc_dnn_shape shape = {JC_PRECISION_F32, n_in, n_out};
    JC_AUTO(jc_dnn_gemms) struct jc_dnn_gemms *gemms = NULL;
    JC_AUTO(jc_dnn_matrix) struct jc_dnn_matrix *matrix = NULL;
    JC_AUTO(jc_dnn_queue) struct jc_dnn_queue *queue = NULL;
    create(&shape, weights, &gemms, &matrix, &queue);
    for (size_t rows = 1; rows <= JC_DNN_CHUNK; rows++) {
        sums[0] = c[jc_dnn_gemms_rows(rows) * n_out] = 77;
        REQUIRE_OK(jc_dnn_queue_run(queue, 0, matrix, a, rows, c, &err));
        double worst = 0;
        for (size_t o = 0; o < n_out; o++) {
            double want = 0;
            for (size_t k = 0; k < n_in; k++)
                want += (double)a[(rows - 1) * n_in + k] * (double)weights[o * n_in + k];
            worst = fmax(worst, fabs((double)c[(rows - 1) * n_out + o] - want));
        }
        /* bfloat16 products, where the processor has them for this, would be off by 1e-3 and more. */
        check_report(worst <= 4e-5, __FILE__, __LINE__, "row %zu of %zu by %zu is off by %g", rows, n_in, n_out, worst);
        CHECK(sums[0] == 77 && c[jc_dnn_gemms_rows(rows) * n_out] == 77);
    }
}

int main(void)
{
    static const size_t shapes[][2] = {{1536, 64}, {384, 193}, {21, 63}, {50, 21}, {7, 5}};
    setenv("ONEDNN_DEFAULT_FPMATH_MODE", "bf16", 1);
    rng = jc_rng_seeded(9);
    jc_dnn_single_thread();
    for (size_t i = 0; i < JC_COUNT(shapes); i++) {
        check_int8(shapes[i][0], shapes[i][1]);
        check_float32(shapes[i][0], shapes[i][1]);
    }
    return check_finish();
}
