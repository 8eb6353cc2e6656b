/* OpenBLAS's buffers, taken early. See jc_linalg_reserve in linalg.h. */
#include <stdlib.h>

#include "base/attr.h"
#include "linalg/linalg.h"

/* OpenBLAS exports them and has no header for them. A buffer given back stays in its table for the next call. */
void *blas_memory_alloc(int purpose);
void blas_memory_free(void *buffer);

enum {
    MOST = 48,                          /* its table has at least 50 rows, and its own threads take one each */
    BUFFER_BYTES = (128 << 20) + 65536, /* of the largest build: address space, touched as far as it is used */
};

jc_code jc_linalg_reserve(size_t n_threads, struct jc_err *err)
{
    void *buffers[MOST];
    size_t n = 0, wanted = n_threads < MOST ? n_threads : MOST;
    while (n < wanted) {
        void *probe = malloc(BUFFER_BYTES);
        if (!probe)
            break;
        free(probe);
        buffers[n++] = blas_memory_alloc(0);
    }
    for (size_t i = n; i-- > 0;)
        blas_memory_free(buffers[i]);
    return n == wanted ? JC_OK
                       : jc_fail(err, JC_E_NOMEM, "no memory for BLAS on %zu threads, %d MiB of address space each",
                                 n_threads, BUFFER_BYTES >> 20);
}
