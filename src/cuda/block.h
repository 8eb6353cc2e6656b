/*
 * What a kernel's header is written in, so that nvcc makes a kernel of it and a C compiler the same algorithm run by
 * one thread. A block's work is a row of steps: inside JC_THREADS, or JC_WARPS and JC_LANES, it is every thread's by
 * itself; between two steps that exchange memory stands JC_BARRIER. On the device the loops run once, as the thread's
 * own turn; on the host they run for all threads, one after another. What a thread keeps from one step to the next is
 * an array with a place for each thread, of which the device has only its own.
 * The sums of a warp are added in the same order on both. Compilers may still contract a * b + c differently, and the
 * exponential is each machine's own.
 */
#ifndef JC_CUDA_BLOCK_H
#define JC_CUDA_BLOCK_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define JC_WARP 32 /* threads of a warp */

#ifdef __CUDACC__

#define JC_KERNEL static __device__ __forceinline__
#define JC_THREADS(t, n) for (unsigned t = threadIdx.x, t##_turn = 1; t##_turn; t##_turn = 0)
#define JC_WARPS(w, n) for (unsigned w = threadIdx.x / JC_WARP, w##_turn = 1; w##_turn; w##_turn = 0)
#define JC_LANES(l) for (unsigned l = threadIdx.x % JC_WARP, l##_turn = 1; l##_turn; l##_turn = 0)
#define JC_BARRIER() __syncthreads()
/* Places that each thread, each warp, each lane of a warp has in an array, and which is one's own. */
#define JC_EACH_THREAD(n) 1
#define JC_EACH_WARP(n) 1
#define JC_EACH_LANE 1
#define JC_OWN(i) 0
#define JC_UNROLL _Pragma("unroll")

JC_KERNEL float jc_warp_sum(const float *parts)
{
    float sum = parts[0];
    JC_UNROLL
    for (unsigned apart = JC_WARP / 2; apart; apart /= 2)
        sum += __shfl_xor_sync(0xffffffffU, sum, (int)apart);
    return sum;
}

JC_KERNEL float jc_warp_max(const float *parts)
{
    float most = parts[0];
    JC_UNROLL
    for (unsigned apart = JC_WARP / 2; apart; apart /= 2)
        most = fmaxf(most, __shfl_xor_sync(0xffffffffU, most, (int)apart));
    return most;
}

/* The value of one lane. */
JC_KERNEL float jc_warp_get(const float *parts, unsigned lane)
{
    return __shfl_sync(0xffffffffU, parts[0], (int)lane);
}

/* *sum += n, by any thread of the block; returns what it was. */
JC_KERNEL uint32_t jc_block_add(uint32_t *sum, uint32_t n)
{
    return atomicAdd(sum, n);
}

/* bins[b]++ of those threads that count; all threads of the warp call it. Threads that have the same bin add as one:
 * where most do, adding one by one takes turns. */
JC_KERNEL void jc_block_count(uint32_t *bins, unsigned b, int counts)
{
    const unsigned mates = __match_any_sync(0xffffffffU, counts ? b : ~0U);
    if (counts && threadIdx.x % JC_WARP == (unsigned)__ffs((int)mates) - 1)
        atomicAdd(&bins[b], (uint32_t)__popc(mates));
}

#else

#define JC_KERNEL static inline __attribute__((always_inline, unused))
/* Threads have no order: a test runs them backwards, too, and what one of them must not see of another in a step shows. */
#ifdef JC_BLOCK_BACKWARDS
#define JC_TURNS(t, n) for (unsigned t = (n); t-- > 0;)
#else
#define JC_TURNS(t, n) for (unsigned t = 0; t < (n); t++)
#endif
#define JC_THREADS(t, n) JC_TURNS(t, n)
#define JC_WARPS(w, n) JC_TURNS(w, n)
#define JC_LANES(l) JC_TURNS(l, JC_WARP)
#define JC_BARRIER() ((void)0)
#define JC_EACH_THREAD(n) (n)
#define JC_EACH_WARP(n) (n)
#define JC_EACH_LANE JC_WARP
#define JC_OWN(i) (i)
#define JC_UNROLL

JC_KERNEL float jc_warp_sum(const float *parts)
{
    float sums[JC_WARP], next[JC_WARP];
    for (unsigned l = 0; l < JC_WARP; l++)
        sums[l] = parts[l];
    for (unsigned apart = JC_WARP / 2; apart; apart /= 2) {
        for (unsigned l = 0; l < JC_WARP; l++)
            next[l] = sums[l] + sums[l ^ apart];
        for (unsigned l = 0; l < JC_WARP; l++)
            sums[l] = next[l];
    }
    return sums[0];
}

JC_KERNEL float jc_warp_max(const float *parts)
{
    float most = parts[0];
    for (unsigned l = 1; l < JC_WARP; l++)
        most = fmaxf(most, parts[l]);
    return most;
}

JC_KERNEL float jc_warp_get(const float *parts, unsigned lane)
{
    return parts[lane];
}

JC_KERNEL uint32_t jc_block_add(uint32_t *sum, uint32_t n)
{
    const uint32_t before = *sum;
    *sum += n;
    return before;
}

JC_KERNEL void jc_block_count(uint32_t *bins, unsigned b, int counts)
{
    if (counts)
        bins[b]++;
}

#endif

#endif
