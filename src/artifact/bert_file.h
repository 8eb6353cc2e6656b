/* encoder.json and calibration.safetensors: what of a bert encoder a bundle holds beside the weights. models/README.md
 * lists their members. */
#ifndef JC_ARTIFACT_BERT_FILE_H
#define JC_ARTIFACT_BERT_FILE_H

#include "base/bert.h"
#include "base/err.h"

/* ret_bert's source_sha256 stays empty: it is the weights' own. Errors: NOT_FOUND, IO, FORMAT (a member that is
 * missing, unknown, of another type or out of range), NOMEM. */
JC_MUST_CHECK jc_code jc_bert_file_read(const char *path, struct jc_bert *ret_bert, struct jc_err *err);

/* Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_bert_file_write(const char *path, const struct jc_bert *bert, struct jc_err *err);

/* *ret_calibration [*ret_n] is the caller's to free; finite. Errors: NOT_FOUND, IO, FORMAT, NOMEM. */
JC_MUST_CHECK jc_code jc_calibration_read(const char *path, float **ret_calibration, size_t *ret_n, struct jc_err *err);
/* Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_calibration_write(const char *path, const float *calibration, size_t n, struct jc_err *err);

#endif
