/* The pair of files under a vector cache: opened, locked, checked, cut to the rows that both have, appended to. See
 * vector_cache.h. Inside of it. */
#ifndef JC_TRAINER_VECTOR_FILES_H
#define JC_TRAINER_VECTOR_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "trainer/vectors/vector_cache.h"

/* A row of the file of keys. */
struct jc_vector_record {
    struct jc_vector_key key;
    uint64_t checksum; /* of key and vector: files that do not belong together are noticed too */
};

struct jc_vector_files {
    int keys_fd, vectors_fd; /* -1: none */
    bool writes;             /* this process holds the lock */
    size_t n, dim;           /* rows that count */
    char note[PATH_MAX + 128];
    char keys_path[PATH_MAX], vectors_path[PATH_MAX];
};

/* Errors: FORMAT, IO, TOO_LARGE. After a failure too: jc_vector_files_finish. */
JC_MUST_CHECK jc_code jc_vector_files_open(struct jc_vector_files *files, const char *folder,
                                           const struct jc_encoder_info *encoder, struct jc_err *err);
void jc_vector_files_finish(struct jc_vector_files *files);

/* Reads the n records. Errors: IO. */
JC_MUST_CHECK jc_code jc_vector_files_read(const struct jc_vector_files *files, struct jc_vector_record *ret_records,
                                           struct jc_err *err);

/* False, with a note and `writes` off, where the disk refuses them. */
bool jc_vector_files_append(struct jc_vector_files *files, const struct jc_vector_record *records, const float *vectors,
                            size_t n);

#endif
