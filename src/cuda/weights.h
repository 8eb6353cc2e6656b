/*
 * An encoder's parameters as the device has them: one block of memory, its matrices and embeddings in halves or in
 * float32 (`wide`, half.h), biases and norms in float32. Laid out and filled on the host, then copied as it is.
 */
#ifndef JC_CUDA_WEIGHTS_H
#define JC_CUDA_WEIGHTS_H

#include "base/bert.h"
#include "base/tensor.h"
#include "cuda/row_block.h"

enum { JC_CUDA_MAX_LAYERS = 48 };

/* A layer's four linear layers. */
enum jc_cuda_linear { JC_CUDA_QKV, JC_CUDA_OUT, JC_CUDA_UP, JC_CUDA_DOWN, JC_CUDA_LINEARS };

struct jc_cuda_layer {
    void *matrices[JC_CUDA_LINEARS]; /* [n_out][n_in] */
    float *biases[JC_CUDA_LINEARS];  /* [n_out] */
    struct jc_row_norm norms[2];     /* behind attention, behind the feed-forward part */
};

/* Where they are in a block of memory, which this does not own. */
struct jc_cuda_weights {
    struct jc_bert bert;
    int wide;
    void *words;     /* [vocab][hidden] */
    void *positions; /* [positions][hidden], the type's vector added */
    struct jc_row_norm norm;
    struct jc_cuda_layer layers[JC_CUDA_MAX_LAYERS];
};

/* Rows and columns of a linear layer's matrix. */
struct jc_cuda_shape {
    size_t n_out, n_in;
};
struct jc_cuda_shape jc_cuda_weights_shape(const struct jc_bert *bert, enum jc_cuda_linear linear);

/* Can the kernels run it? Errors: FORMAT (no encoder), UNSUPPORTED, saying why. */
JC_MUST_CHECK jc_code jc_cuda_weights_check(const struct jc_bert *bert, struct jc_err *err);

/* Bytes of the block. `bert` is one that jc_cuda_weights_check accepts, here and below. */
size_t jc_cuda_weights_size(const struct jc_bert *bert, int wide);

/* Points into the block at `base`, of the host or of the device, 256-byte aligned. */
void jc_cuda_weights_place(struct jc_cuda_weights *weights, const struct jc_bert *bert, int wide, void *base);

/* Fills a block of the host from a checkpoint's tensors, named as in dnn.h. Errors: FORMAT (naming the tensor), MODEL
 * (a weight that no half holds). */
JC_MUST_CHECK jc_code jc_cuda_weights_fill(const struct jc_cuda_weights *weights, const struct jc_tensor *tensors,
                                           size_t n_tensors, struct jc_err *err);

#endif
