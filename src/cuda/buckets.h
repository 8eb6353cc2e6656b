/*
 * Buckets: the numbers of tokens that a GPU's batches are rounded up to, so that what is launched depends on the bucket
 * alone and is recorded once for each. The largest is the most tokens of a batch. Threads: any.
 */
#ifndef JC_CUDA_BUCKETS_H
#define JC_CUDA_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { JC_CUDA_MAX_BUCKETS = 32, JC_CUDA_MAX_ROWS = 1 << 16, JC_CUDA_ROW_STEP = 16 };

#define JC_CUDA_BUCKETS_FORMS "auto, or ascending token counts such as 64 256 1024 8192"

/* rows[n]: ascending multiples of JC_CUDA_ROW_STEP, at most JC_CUDA_MAX_ROWS. n = 0: they are chosen. */
struct jc_cuda_buckets {
    size_t n, rows[JC_CUDA_MAX_BUCKETS];
};

/* "auto" (n = 0), or token counts, one or more an item with blanks between. Errors: INVALID, with what is wrong. */
JC_MUST_CHECK jc_code jc_cuda_buckets_parse(const char *const *items, size_t n_items,
                                            struct jc_cuda_buckets *ret_buckets, struct jc_err *err);

/* 16, 32, 48, 64, 96, 128, ... and at the end `capacity`: a multiple of JC_CUDA_ROW_STEP, at most JC_CUDA_MAX_ROWS. */
struct jc_cuda_buckets jc_cuda_buckets_up_to(size_t capacity);

/* What was wanted (NULL or n = 0: up to 8192), with room for a text of max_tokens. Errors: INVALID (none has). */
JC_MUST_CHECK jc_code jc_cuda_buckets_settle(const struct jc_cuda_buckets *wanted, size_t max_tokens,
                                             struct jc_cuda_buckets *ret_buckets, struct jc_err *err);

/* The most tokens of a batch. */
size_t jc_cuda_buckets_last(const struct jc_cuda_buckets *buckets);

/* Takes the largest away, or makes it smaller where none would be left for a text of max_tokens. Returns false, and
 * changes nothing, where no smaller one is possible. */
bool jc_cuda_buckets_shrink(struct jc_cuda_buckets *buckets, size_t max_tokens);

#endif
