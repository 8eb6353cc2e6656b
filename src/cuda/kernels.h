/*
 * Launching the kernels: kernels.cu makes them of the headers *_block.h. Each call queues one launch, of as many blocks
 * as `rows` can keep busy; the true counts are read from the batch, on the device, so that a recorded launch serves
 * every batch of its bucket. All pointers are the device's.
 */
#ifndef JC_CUDA_KERNELS_H
#define JC_CUDA_KERNELS_H

#include <cuda_runtime_api.h>

#include "base/attr.h"
#include "cuda/batch.h"
#include "cuda/rank_block.h"
#include "cuda/vote_block.h"

JC_C_BEGIN

/* Where, and how wide. */
struct jc_cuda_launch {
    cudaStream_t stream;
    unsigned n_processors; /* of the device */
    unsigned rows;         /* of the bucket: no batch of it has more */
    int wide;              /* half.h */
    const struct jc_cuda_batch *batch;
};

struct jc_cuda_embed {
    const void *words, *positions;
    struct jc_row_norm norm;
    unsigned hidden;
    void *x;
};
cudaError_t jc_cuda_launch_embed(const struct jc_cuda_launch *launch, const struct jc_cuda_embed *embed);

struct jc_cuda_attend {
    const void *qkv;
    const float *bias;
    void *context;
    unsigned hidden, heads;
};
cudaError_t jc_cuda_launch_attend(const struct jc_cuda_launch *launch, const struct jc_cuda_attend *attend);

struct jc_cuda_add {
    const void *sums;
    const float *bias;
    struct jc_row_norm norm;
    unsigned hidden;
    void *x;
};
cudaError_t jc_cuda_launch_add(const struct jc_cuda_launch *launch, const struct jc_cuda_add *add);

struct jc_cuda_gelu {
    void *inner;
    const float *bias;
    unsigned n; /* columns */
};
cudaError_t jc_cuda_launch_gelu(const struct jc_cuda_launch *launch, const struct jc_cuda_gelu *gelu);

struct jc_cuda_pool {
    const void *x;
    unsigned hidden;
    int is_mean;
    float *vectors;
    uint32_t *finite;
};
cudaError_t jc_cuda_launch_pool(const struct jc_cuda_launch *launch, const struct jc_cuda_pool *pool);

/* queries [n][dim + n_words], stored as `wide` says, of vectors [n][dim] and words [n][n_words]. */
struct jc_cuda_query {
    const float *vectors, *words;
    void *queries;
    unsigned n, dim, n_words;
};
cudaError_t jc_cuda_launch_query(cudaStream_t stream, int wide, const struct jc_cuda_query *query);

/* The k best of each row. */
cudaError_t jc_cuda_launch_topk(cudaStream_t stream, const struct jc_rows *rows);

/* The neighbours' vote, added to the scores. */
cudaError_t jc_cuda_launch_vote(cudaStream_t stream, const struct jc_vote_rows *rows);

/* The k best of each row, and its norm. */
cudaError_t jc_cuda_launch_rank(cudaStream_t stream, const struct jc_rank *rank);

JC_C_END

#endif
