/*
 * The forward pass of BERT as a row of operations, whoever runs them: kernels and cuBLAS on a stream of the device
 * (lane.c), or the tests' emulation of both on the host. Memory is the runner's.
 */
#ifndef JC_CUDA_FORWARD_H
#define JC_CUDA_FORWARD_H

#include "cuda/batch.h"
#include "cuda/weights.h"

/* Activations are stored as the weights are; rows behind the batch's n_rows hold anything. */
struct jc_cuda_buffers {
    const struct jc_cuda_batch *batch; /* with pieces and ids behind it */
    void *x;                           /* [rows][hidden]: the residual stream */
    void *qkv;                         /* [rows][3][hidden] */
    void *context;                     /* [rows][hidden] */
    void *sums;                        /* [rows][hidden]: of OUT and DOWN */
    void *inner;                       /* [rows][intermediate] */
    float *vectors;                    /* [texts][hidden]: what it comes to */
    uint32_t *finite;                  /* [texts]: 1, or 0 where the vector is not */
};

/* Bytes of the activations of `rows` rows, and, into memory of that size, where they lie. */
size_t jc_cuda_buffers_size(const struct jc_bert *bert, int wide, size_t rows);
void jc_cuda_buffers_place(struct jc_cuda_buffers *buffers, const struct jc_bert *bert, int wide, size_t rows,
                           void *base);

/* x = norm(x + sums + bias) */
struct jc_cuda_residual {
    const float *bias;
    const struct jc_row_norm *norm;
};

/* c [rows][n_out] = a [rows][n_in] . matrix^T */
struct jc_cuda_product {
    const void *matrix;
    struct jc_cuda_shape shape;
    const void *a;
    void *c;
};

/* `self` is the runner's. Operations may be queued; what fails later is told where the runner waits. */
struct jc_cuda_runner {
    void *self;
    jc_code (*embed)(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_buffers *buffers,
                     struct jc_err *err);
    jc_code (*multiply)(void *self, const struct jc_cuda_product *product, struct jc_err *err);
    jc_code (*attend)(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_layer *layer,
                      const struct jc_cuda_buffers *buffers, struct jc_err *err);
    jc_code (*add)(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_residual *residual,
                   const struct jc_cuda_buffers *buffers, struct jc_err *err);
    jc_code (*gelu)(void *self, const struct jc_cuda_weights *weights, const float *bias,
                    const struct jc_cuda_buffers *buffers, struct jc_err *err);
    jc_code (*pool)(void *self, const struct jc_cuda_weights *weights, const struct jc_cuda_buffers *buffers,
                    struct jc_err *err);
};

/* From the batch's ids to vectors and finite. Errors: the runner's. */
JC_MUST_CHECK jc_code jc_cuda_forward(const struct jc_cuda_runner *runner, const struct jc_cuda_weights *weights,
                                      const struct jc_cuda_buffers *buffers, struct jc_err *err);

#endif
