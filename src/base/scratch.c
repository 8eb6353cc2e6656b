/* Scratch arrays. See scratch.h. */
#include "base/scratch.h"

#include <stdlib.h>

bool jc_scratch_remake(void *array, size_t n, size_t size)
{
    void **place = array;
    free(*place);
    *place = reallocarray(NULL, n, size);
    return *place != NULL;
}

bool jc_scratch_reserve(void *array, size_t *cap, size_t n, size_t size)
{
    if (n <= *cap)
        return true;
    *cap = 0;
    if (!jc_scratch_remake(array, n, size))
        return false;
    *cap = n;
    return true;
}
