/*
 * JSON texts, parsed by jansson in memory of their own.
 *
 * jansson's lexer does not notice when its buffer cannot grow: it drops what did not fit, so a shortage of memory gives
 * another text, or a write past a buffer's end. Here the parse ends at the first allocation that fails. A document is
 * freed as a whole; its values are read only: not changed, and none of them is kept with json_incref.
 * Threads: parse from any; a document belongs to one at a time.
 */
#ifndef JC_ARTIFACT_JSON_H
#define JC_ARTIFACT_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

struct jc_json;

/* An object with a name twice is refused. `n` = 0 is a text, `text` not NULL then either. Errors: FORMAT, NOMEM; *where
 * has line, column, byte and text of either. */
JC_MUST_CHECK jc_code jc_json_parse(const char *text, size_t n, struct jc_json **ret_json, json_error_t *where);

/* The same of a file of at most max_bytes. Errors: as jc_file_read; FORMAT, NOMEM, with path, line and column. */
JC_MUST_CHECK jc_code jc_json_read(const char *path, size_t max_bytes, struct jc_json **ret_json, struct jc_err *err);
void jc_json_destroy(struct jc_json *json);
JC_DEFINE_AUTO(jc_json)

/* The outermost value; NULL of NULL. Lives as long as *json. */
json_t *jc_json_root(const struct jc_json *json);

#endif
