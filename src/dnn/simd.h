/*
 * Vectors of floats for the kernels: AVX-512, AVX2 or plain C, by what the file that includes this is compiled for.
 * + - * / work on `vec` itself. The last, shorter part of a row goes through v_load_n and v_store_n: n < V floats, of
 * which no other is touched; the missing lanes are 0.
 */
#ifndef JC_DNN_SIMD_H
#define JC_DNN_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#include <immintrin.h>

enum { V = 16 };
typedef __m512 vec;

static inline __mmask16 mask_n(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}
static inline vec v_set(float x)
{
    return _mm512_set1_ps(x);
}
static inline vec v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
static inline vec v_load_n(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps(mask_n(n), p);
}
static inline void v_store(float *p, vec x)
{
    _mm512_storeu_ps(p, x);
}
static inline void v_store_n(float *p, vec x, size_t n)
{
    _mm512_mask_storeu_ps(p, mask_n(n), x);
}
/* The first n lanes of x, `other` in the rest. */
static inline vec v_keep_n(vec x, size_t n, float other)
{
    return _mm512_mask_blend_ps(mask_n(n), _mm512_set1_ps(other), x);
}
static inline vec v_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
static inline vec v_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}
static inline vec v_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}
static inline vec v_abs(vec x)
{
    return _mm512_abs_ps(x);
}
static inline vec v_round(vec x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* x * 2^n, n a whole number. */
static inline vec v_scale(vec x, vec n)
{
    return _mm512_scalef_ps(x, n);
}
/* Whole numbers as floats. */
static inline vec v_load_i32(const int32_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_loadu_si512(p));
}
/* Whole numbers in 0..255. */
static inline void v_store_u8(uint8_t *p, vec x)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(x)));
}
static inline float v_sum(vec x)
{
    return _mm512_reduce_add_ps(x);
}
static inline float v_largest(vec x)
{
    return _mm512_reduce_max_ps(x);
}

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

enum { V = 8 };
typedef __m256 vec;

static inline __m256i mask_n(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vec v_set(float x)
{
    return _mm256_set1_ps(x);
}
static inline vec v_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
static inline vec v_load_n(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, mask_n(n));
}
static inline void v_store(float *p, vec x)
{
    _mm256_storeu_ps(p, x);
}
static inline void v_store_n(float *p, vec x, size_t n)
{
    _mm256_maskstore_ps(p, mask_n(n), x);
}
static inline vec v_keep_n(vec x, size_t n, float other)
{
    return _mm256_blendv_ps(_mm256_set1_ps(other), x, _mm256_castsi256_ps(mask_n(n)));
}
static inline vec v_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}
static inline vec v_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}
static inline vec v_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}
static inline vec v_abs(vec x)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}
static inline vec v_round(vec x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline vec v_scale(vec x, vec n)
{
    __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}
static inline vec v_load_i32(const int32_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
static inline void v_store_u8(uint8_t *p, vec x)
{
    __m256i whole = _mm256_cvtps_epi32(x);
    __m128i halves = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packus_epi16(halves, halves));
}
static inline float v_sum(vec x)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
static inline float v_largest(vec x)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

#else

/* gcc and clang compute on these lane by lane, in whatever registers there are. A comparison gives -1 or 0. */
enum { V = 4 };
typedef float vec __attribute__((vector_size(16)));
typedef int32_t lanes __attribute__((vector_size(16)));

static inline vec v_set(float x)
{
    return (vec){x, x, x, x};
}
static inline vec v_load(const float *p)
{
    vec x;
    memcpy(&x, p, sizeof x);
    return x;
}
static inline vec v_load_n(const float *p, size_t n)
{
    vec x = {0};
    memcpy(&x, p, n * sizeof *p);
    return x;
}
static inline void v_store(float *p, vec x)
{
    memcpy(p, &x, sizeof x);
}
static inline void v_store_n(float *p, vec x, size_t n)
{
    memcpy(p, &x, n * sizeof *p);
}
static inline vec v_select(lanes mask, vec a, vec b)
{
    return (vec)((mask & (lanes)a) | (~mask & (lanes)b));
}
static inline vec v_keep_n(vec x, size_t n, float other)
{
    const lanes index = {0, 1, 2, 3}, count = {(int)n, (int)n, (int)n, (int)n};
    return v_select((lanes)(index < count), x, v_set(other));
}
static inline vec v_fma(vec a, vec b, vec c)
{
    return a * b + c;
}
static inline vec v_max(vec a, vec b)
{
    return v_select((lanes)(a > b), a, b);
}
static inline vec v_min(vec a, vec b)
{
    return v_select((lanes)(a < b), a, b);
}
static inline vec v_abs(vec x)
{
    return (vec)((lanes)x & (lanes){INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX});
}
/* For |x| < 2^22: to the even one of two equally near. */
static inline vec v_round(vec x)
{
    vec moved = x + v_set(12582912.0f);
    return moved - v_set(12582912.0f);
}
static inline vec v_scale(vec x, vec n)
{
    lanes exponent = __builtin_convertvector(n, lanes) + (lanes){127, 127, 127, 127};
    return x * (vec)(exponent << 23);
}
static inline vec v_load_i32(const int32_t *p)
{
    lanes x;
    memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, vec);
}
static inline void v_store_u8(uint8_t *p, vec x)
{
    for (size_t i = 0; i < V; i++)
        p[i] = (uint8_t)x[i];
}
static inline float v_sum(vec x)
{
    return (x[0] + x[2]) + (x[1] + x[3]);
}
static inline float v_largest(vec x)
{
    x = v_max(x, (vec){x[2], x[3], x[0], x[1]});
    return x[0] > x[1] ? x[0] : x[1];
}
#endif

/* Lanes of a row of n that the vector at i holds: V but at the end. */
static inline size_t v_lanes(size_t n, size_t i)
{
    return n - i < V ? n - i : V;
}
static inline vec v_load_part(const float *p, size_t n)
{
    return n == V ? v_load(p) : v_load_n(p, n);
}
static inline void v_store_part(float *p, vec x, size_t n)
{
    if (n == V)
        v_store(p, x);
    else
        v_store_n(p, x, n);
}

#endif
