/* encoder.json: what an encoder made of a model.safetensors needs to know beside it; models/README.md lists it. */
#ifndef JC_ARTIFACT_BERT_FILE_H
#define JC_ARTIFACT_BERT_FILE_H

#include "base/bert.h"
#include "base/err.h"

#define JC_BERT_FILE "encoder.json"

/* ret_bert's source_sha256 stays empty: it is the weights' own. Errors: NOT_FOUND, IO, FORMAT (a member that is
 * missing, unknown, of another type or out of range), NOMEM. */
JC_MUST_CHECK jc_code jc_bert_file_read(const char *path, struct jc_bert *ret_bert, enum jc_precision *ret_precision,
                                        struct jc_err *err);

/* Errors: IO, NOMEM. */
JC_MUST_CHECK jc_code jc_bert_file_write(const char *path, const struct jc_bert *bert, enum jc_precision precision,
                                         struct jc_err *err);

#endif
