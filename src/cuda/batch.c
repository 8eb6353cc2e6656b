/* Packing texts for the device. See batch.h. */
#include "cuda/batch.h"

#include "cuda/attend_block.h"

_Static_assert(sizeof(struct jc_piece) % 4 == 0 && sizeof(struct jc_cuda_batch) % 4 == 0, "a block is of words");

size_t jc_cuda_batch_size(size_t capacity)
{
    return sizeof(struct jc_cuda_batch) + capacity * (sizeof(struct jc_piece) + sizeof(int32_t));
}

size_t jc_cuda_batch_pack(const int32_t *ids, const uint32_t *n_tokens, size_t n_texts, size_t capacity, void *block,
                          size_t *ret_size)
{
    struct jc_cuda_batch *batch = block;
    struct jc_piece *pieces = (struct jc_piece *)(void *)(batch + 1);
    uint32_t n_rows = 0, n_pieces = 0, n = 0;
    for (; n < n_texts && n_rows + n_tokens[n] <= capacity; n_rows += n_tokens[n++])
        for (uint32_t query = 0; query < n_tokens[n]; query += JC_ATTEND_QUERIES)
            pieces[n_pieces++] = (struct jc_piece){
                .row = n_rows, .text = n, .n_tokens = (uint16_t)n_tokens[n], .first_query = (uint16_t)query};
    *batch = (struct jc_cuda_batch){.n_rows = n_rows, .n_texts = n, .n_pieces = n_pieces};
    batch->ids_at = (uint32_t)((sizeof *batch + n_pieces * sizeof *pieces) / sizeof(int32_t));
    memcpy((int32_t *)block + batch->ids_at, ids, n_rows * sizeof *ids);
    *ret_size = (batch->ids_at + (size_t)n_rows) * sizeof(int32_t);
    return n;
}
