/*
 * A long text is encoded in chunks. Its ids are those of its chunks, one after another; each chunk begins with the same
 * id ([CLS]), which stands nowhere else. A text of one chunk is the usual case. Threads: any.
 */
#ifndef JC_MODEL_CHUNKS_H
#define JC_MODEL_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

/* How many chunks a text's ids are: 0 for none. */
size_t jc_chunks_count(const int32_t *ids, size_t n_ids);

/* The same, and the length of each into ret_n_tokens [jc_chunks_count]: they add up to n_ids. */
size_t jc_chunks_split(const int32_t *ids, size_t n_ids, uint32_t *ret_n_tokens);

/* The vector of a text from the unit vectors of its chunks [n_chunks][dim]: their mean at length 1. The vector of a
 * single chunk is not touched, to the bit. ret_vector [dim] may be the first chunk's or overlap none. */
void jc_chunks_reduce(const float *chunks, size_t n_chunks, size_t dim, float *ret_vector);

#endif
