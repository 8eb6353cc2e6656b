/*
 * Half precision, and numbers that are stored in it or in float32. On the device by its instructions, on the host by
 * bits; both round to nearest, ties to even, and overflow to infinity. In src/cuda a matrix is `void *` with a `wide`
 * beside it: 1, float; 0, jc_half. A kernel is made for each, so that `wide` is a constant there.
 */
#ifndef JC_CUDA_HALF_H
#define JC_CUDA_HALF_H

#include <string.h>

#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

#include "cuda/block.h"

typedef uint16_t jc_half; /* its bits */

#define JC_STORED_SIZE(wide) ((wide) ? sizeof(float) : sizeof(jc_half))

struct jc_pair {
    float first, second;
};

#ifdef __CUDACC__

JC_KERNEL struct jc_pair jc_load_pair(const void *from, size_t i, int wide)
{
    struct jc_pair pair;
    if (wide) {
        const float2 both = *(const float2 *)((const float *)from + i);
        pair.first = both.x;
        pair.second = both.y;
    } else {
        const float2 both = __half22float2(*(const __half2 *)((const __half *)from + i));
        pair.first = both.x;
        pair.second = both.y;
    }
    return pair;
}

JC_KERNEL void jc_store_pair(void *to, size_t i, struct jc_pair pair, int wide)
{
    if (wide)
        *(float2 *)((float *)to + i) = make_float2(pair.first, pair.second);
    else
        *(__half2 *)((__half *)to + i) = __floats2half2_rn(pair.first, pair.second);
}

JC_KERNEL void jc_store(void *to, size_t i, float x, int wide)
{
    if (wide)
        ((float *)to)[i] = x;
    else
        ((__half *)to)[i] = __float2half_rn(x);
}

#else

static inline jc_half jc_half_from(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000)
        return (jc_half)(sign | 0x7e00); /* NaN */
    if (size >= 0x477ff000)
        return (jc_half)(sign | 0x7c00); /* 65520 and more */
    if (size < 0x38800000) {             /* under 2^-14: steps of 2^-24, which adding 0.5 rounds to */
        float part, half = 0.5f;
        memcpy(&part, &size, sizeof part);
        part += half;
        uint32_t sum;
        memcpy(&sum, &part, sizeof sum);
        return (jc_half)(sign | (sum - 0x3f000000));
    }
    const uint32_t odd = size >> 13 & 1;
    return (jc_half)(sign | ((size - 0x38000000 + 0xfff + odd) >> 13));
}

static inline float jc_half_to(jc_half half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, size = half & 0x7fff;
    uint32_t bits;
    float x;
    if (size < 0x400) { /* steps of 2^-24 */
        x = (float)size * 0x1p-24f;
        memcpy(&bits, &x, sizeof bits);
        bits |= sign;
    } else {
        bits = sign | ((size << 13) + (size < 0x7c00 ? 0x38000000 : 0x70000000));
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}

JC_KERNEL float jc_load(const void *from, size_t i, int wide)
{
    return wide ? ((const float *)from)[i] : jc_half_to(((const jc_half *)from)[i]);
}

JC_KERNEL void jc_store(void *to, size_t i, float x, int wide)
{
    if (wide)
        ((float *)to)[i] = x;
    else
        ((jc_half *)to)[i] = jc_half_from(x);
}

JC_KERNEL struct jc_pair jc_load_pair(const void *from, size_t i, int wide)
{
    const struct jc_pair pair = {jc_load(from, i, wide), jc_load(from, i + 1, wide)};
    return pair;
}

JC_KERNEL void jc_store_pair(void *to, size_t i, struct jc_pair pair, int wide)
{
    jc_store(to, i, pair.first, wide);
    jc_store(to, i + 1, pair.second, wide);
}

#endif

#endif
