/* Scratch arrays: memory that grows to the most that was asked for and keeps no content. Threads: those of its owner. */
#ifndef JC_BASE_SCRATCH_H
#define JC_BASE_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* Room for n elements of `size` bytes in place of *array, a pointer of any type; NULL where there is no memory. Free it
 * with free. */
JC_MUST_CHECK bool jc_scratch_remake(void *array, size_t n, size_t size);

/* The same where *cap elements are too few; 0 of them are left where there is no memory. */
JC_MUST_CHECK bool jc_scratch_reserve(void *array, size_t *cap, size_t n, size_t size);

#endif
