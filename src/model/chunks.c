/* Chunks of long texts. */
#include "model/chunks.h"

#include <string.h>

#include "linalg/linalg.h"

size_t jc_chunks_count(const int32_t *ids, size_t n_ids)
{
    size_t n_chunks = 0;
    for (size_t i = 0; i < n_ids; i++)
        n_chunks += ids[i] == ids[0];
    return n_chunks;
}

size_t jc_chunks_split(const int32_t *ids, size_t n_ids, uint32_t *ret_n_tokens)
{
    size_t n_chunks = 0;
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] == ids[0])
            ret_n_tokens[n_chunks++] = 0;
        ret_n_tokens[n_chunks - 1]++;
    }
    return n_chunks;
}

void jc_chunks_reduce(const float *chunks, size_t n_chunks, size_t dim, float *ret_vector)
{
    memmove(ret_vector, chunks, dim * sizeof(*chunks));
    if (n_chunks == 1)
        return;
    for (size_t i = 1; i < n_chunks; i++)
        jc_vec_add(ret_vector, 1, chunks + i * dim, dim);
    jc_vec_normalize(ret_vector, dim);
}
