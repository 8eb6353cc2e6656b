/* A named, typed, row-major array that someone else owns: what the safetensors reader gives and the encoder takes. */
#ifndef JC_BASE_TENSOR_H
#define JC_BASE_TENSOR_H

#include <stddef.h>

#define JC_TENSOR_MAX_RANK 4

enum jc_dtype { JC_DTYPE_F32, JC_DTYPE_F16, JC_DTYPE_BF16, JC_DTYPE_I64, JC_DTYPE_I32, JC_DTYPE_U8 };

struct jc_tensor {
    const char *name; /* NUL-terminated UTF-8 */
    enum jc_dtype dtype;
    size_t rank;
    size_t shape[JC_TENSOR_MAX_RANK];
    const void *data;
    size_t n_bytes;
};

#endif
