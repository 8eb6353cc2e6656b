/* Vectors of float32. Sums run in a fixed order, so the same input gives the same bits on every machine of a kind. */
#include <math.h>
#include <string.h>

#include "linalg/linalg.h"

#define LANES 8

float jc_vec_dot(const float *a, const float *b, size_t n)
{
    /* Independent sums that the compiler may keep in vector registers. */
    float sums[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    for (; i < n; i++)
        sums[i % LANES] += a[i] * b[i];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

void jc_vec_add(float *sum, float factor, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += factor * x[i];
}

float jc_vec_normalize(float *x, size_t n)
{
    /* In double: squares of floats neither overflow nor vanish there. */
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)x[i] * (double)x[i];
    double length = sqrt(squares);
    if (length > 0)
        for (size_t i = 0; i < n; i++)
            x[i] = (float)(x[i] / length);
    return (float)length;
}

bool jc_vec_is_finite(const float *x, size_t n)
{
    /* By bits: an exponent of all ones is an infinity or a NaN. Vectorises, and no compiler flag folds it away. */
    const uint32_t exponent = UINT32_C(0x7f800000);
    uint32_t found = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        found |= (bits & exponent) == exponent;
    }
    return !found;
}
