/*
 * Rows of floats in one address range: the first lie in a file and stay page cache, those behind them are anonymous
 * memory that costs nothing until it is written. Owner: who made it.
 */
#ifndef JC_TRAINER_VECTOR_MAP_H
#define JC_TRAINER_VECTOR_MAP_H

#include <stddef.h>

#include "base/err.h"

/* Bytes before the first row, in the file and in memory: rows are aligned as their length allows. */
#define JC_VECTOR_MAP_HEADER 128

struct jc_vector_map {
    float *rows; /* NULL: none */
    void *start;
    size_t n_bytes;
};

/* Room for n_rows of `dim` floats; the first n_file, read-only, are those of the file. The file must not become shorter
 * than these while it is mapped. Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_vector_map_make(int fd, size_t n_file, size_t n_rows, size_t dim,
                                         struct jc_vector_map *ret_map, struct jc_err *err);
void jc_vector_map_finish(struct jc_vector_map *map);

#endif
