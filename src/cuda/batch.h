/*
 * Texts on their way to the device: a head, the pieces of the attention's work and the token ids, one block that is
 * copied at once. The products run over as many rows as the batch's bucket has (buckets.h); kernels take the true
 * counts from the head.
 */
#ifndef JC_CUDA_BATCH_H
#define JC_CUDA_BATCH_H

#include "cuda/row_block.h"

/* The beginning of the block. */
struct jc_cuda_batch {
    uint32_t n_rows, n_texts, n_pieces;
    uint32_t ids_at; /* words of 4 bytes from the head's start */
};

/* Bytes that `capacity` rows need at most. */
size_t jc_cuda_batch_size(size_t capacity);

/* Packs the first texts, as many as have at most `capacity` rows in all; the first has. Returns how many texts.
 * ret_size: bytes that are used. */
size_t jc_cuda_batch_pack(const int32_t *ids, const uint32_t *n_tokens, size_t n_texts, size_t capacity, void *block,
                          size_t *ret_size);

/* Parts of a block. */
JC_KERNEL const struct jc_piece *jc_cuda_batch_pieces(const struct jc_cuda_batch *batch)
{
    return (const struct jc_piece *)(const void *)(batch + 1);
}
JC_KERNEL const int32_t *jc_cuda_batch_ids(const struct jc_cuda_batch *batch)
{
    return (const int32_t *)(const void *)batch + batch->ids_at;
}

#endif
