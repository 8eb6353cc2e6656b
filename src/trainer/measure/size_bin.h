/* Categories by how many training rows they have: the bins of every table by category size. */
#ifndef JC_TRAINER_SIZE_BIN_H
#define JC_TRAINER_SIZE_BIN_H

#include <stddef.h>

enum { JC_SIZE_BINS = 5 };

static inline size_t jc_size_bin_of(size_t n_rows)
{
    return n_rows == 0 ? 0 : n_rows == 1 ? 1 : n_rows <= 4 ? 2 : n_rows <= 9 ? 3 : 4;
}

/* Static storage. */
static inline const char *jc_size_bin_name(size_t bin)
{
    static const char *const names[JC_SIZE_BINS] = {"0", "1", "2-4", "5-9", "10+"};
    return names[bin];
}

#endif
