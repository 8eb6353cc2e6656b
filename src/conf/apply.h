/*
 * The two things that give keys their values behind the defaults: a file, and a --set. Threads: one at a time.
 */
#ifndef JC_CONF_APPLY_H
#define JC_CONF_APPLY_H

#include "conf/fields.h"

#define JC_CONF_NAME_TEXT 256 /* bytes of a dotted key, with its item's "postings[1]." in front */

/* Errors: NOT_FOUND, INVALID (path:line:column in the text), TOO_LARGE, NOMEM. */
JC_MUST_CHECK jc_code jc_conf_apply_file(struct jc_conf_fields *fields, const char *path, struct jc_err *err);

/* `set` is "key=value", or "postings.0.path=value" for a key of an item. Errors: INVALID, NOMEM. */
JC_MUST_CHECK jc_code jc_conf_apply_set(struct jc_conf_fields *fields, const char *set, struct jc_err *err);

#endif
