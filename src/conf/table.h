/*
 * A key table as a person sees it: names looked up, unknown ones refused with a suggestion, and the table printed.
 * Threads: any.
 */
#ifndef JC_CONF_TABLE_H
#define JC_CONF_TABLE_H

#include "conf/conf.h"

/* The index of the key of that name, or n_keys. */
size_t jc_conf_table_find(const struct jc_conf_table *table, const char *name);

/* Whether keys begin with "<name>.". */
bool jc_conf_table_is_section(const struct jc_conf_table *table, const char *name);

/* INVALID: no such key, and which one may be meant. `name` is what was given, with `n_prefix` bytes in front of the
 * part that the table lacks. */
jc_code jc_conf_table_refuse(const struct jc_conf_table *table, const char *name, size_t n_prefix, struct jc_err *err);

#endif
