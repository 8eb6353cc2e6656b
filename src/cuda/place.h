/* Laying out a block of the device's memory. Addresses as numbers: without a block, from 0, this counts its bytes. */
#ifndef JC_CUDA_PLACE_H
#define JC_CUDA_PLACE_H

#include <stddef.h>
#include <stdint.h>

enum { JC_CUDA_ALIGNMENT = 256 };

/* The next n bytes; *at comes to stand behind them, aligned. */
static inline uintptr_t jc_cuda_place(uintptr_t *at, size_t n)
{
    const uintptr_t here = *at;
    *at += (n + JC_CUDA_ALIGNMENT - 1) / JC_CUDA_ALIGNMENT * JC_CUDA_ALIGNMENT;
    return here;
}

#endif
