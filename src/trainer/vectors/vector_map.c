/* Rows in a file and rows in memory, one after another. */
#include "trainer/vectors/vector_map.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"

/* Puts the file's first n_bytes in place of the memory at `start`. The page that they end in is a private copy and
 * stays writable: the rows in memory begin in it. */
static jc_code overlay(int fd, size_t n_bytes, unsigned char *start, struct jc_err *err)
{
    size_t n_page = (size_t)sysconf(_SC_PAGESIZE), n_whole = n_bytes / n_page * n_page;
    if (mmap(start, n_bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED ||
        (n_bytes > n_whole && mprotect(start + n_whole, n_page, PROT_READ | PROT_WRITE)))
        return jc_fail_errno(err, JC_E_IO, "map %zu bytes of a file", n_bytes);
    return JC_OK;
}

jc_code jc_vector_map_make(int fd, size_t n_file, size_t n_rows, size_t dim, struct jc_vector_map *ret_map,
                           struct jc_err *err)
{
    if (n_rows == 0) {
        *ret_map = (struct jc_vector_map){0};
        return JC_OK;
    }
    if (n_rows > (SIZE_MAX / 2 - JC_VECTOR_MAP_HEADER) / sizeof(float) / dim)
        return jc_fail(err, JC_E_NOMEM, "no room for %zu vectors of %zu", n_rows, dim);
    size_t n_bytes = JC_VECTOR_MAP_HEADER + n_rows * dim * sizeof(float);
    bool all_file = n_file == n_rows;
    void *start = all_file
                      ? mmap(NULL, n_bytes, PROT_READ, MAP_PRIVATE, fd, 0)
                      : mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return jc_fail_errno(err, JC_E_NOMEM, "map %zu vectors of %zu", n_rows, dim);
    JC_AUTO_FINISH(jc_vector_map)
    struct jc_vector_map map = {
        .rows = (float *)((unsigned char *)start + JC_VECTOR_MAP_HEADER), .start = start, .n_bytes = n_bytes};
    if (n_file && !all_file) {
        jc_code code = overlay(fd, JC_VECTOR_MAP_HEADER + n_file * dim * sizeof(float), start, err);
        if (code)
            return code;
    }
    *ret_map = map;
    map = (struct jc_vector_map){0};
    return JC_OK;
}

void jc_vector_map_finish(struct jc_vector_map *map)
{
    if (map->start)
        munmap(map->start, map->n_bytes);
    *map = (struct jc_vector_map){0};
}
