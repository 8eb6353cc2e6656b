/*
 * safetensors files: a JSON header and raw tensors. The reader maps the file and trusts nothing: header length, JSON,
 * types, shapes, offsets (in range, aligned, matching the shape, neither overlapping nor leaving gaps) are checked, and
 * an error names the tensor. A file must not shrink while it is open: replace it by renaming.
 * Threads: an opened file is immutable.
 */
#ifndef JC_ARTIFACT_SAFETENSORS_H
#define JC_ARTIFACT_SAFETENSORS_H

#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "base/tensor.h"

struct jc_safetensors;

/* Errors: NOT_FOUND, IO, FORMAT, NOMEM. */
JC_MUST_CHECK jc_code jc_safetensors_open(const char *path, struct jc_safetensors **ret_file, struct jc_err *err);
void jc_safetensors_destroy(struct jc_safetensors *file);
JC_DEFINE_AUTO(jc_safetensors)

/* All tensors, in the order of their data. They and their names live as long as the file. */
const struct jc_tensor *jc_safetensors_tensors(const struct jc_safetensors *file, size_t *ret_n);

/* NULL where there is none of that name. */
const struct jc_tensor *jc_safetensors_find(const struct jc_safetensors *file, const char *name);

/* Finds an F32 tensor of exactly that shape. Errors: FORMAT, naming tensor, wanted and found shape. */
JC_MUST_CHECK jc_code jc_safetensors_get_f32(const struct jc_safetensors *file, const char *name, size_t rank,
                                             const size_t *shape, const float **ret_data, struct jc_err *err);

/* Publishes `tensors` under `path`, large elements first and then by name: the same set gives the same bytes.
 * Errors: INVALID (a shape that does not fit its bytes, two of one name), IO, NOMEM. */
JC_MUST_CHECK jc_code jc_safetensors_write(const char *path, const struct jc_tensor *tensors, size_t n_tensors,
                                           struct jc_err *err);

#endif
