/*
 * The values of one table's keys while they are gathered: the program's struct, or one item of a key of type ITEMS.
 * Threads: one at a time.
 */
#ifndef JC_CONF_FIELDS_H
#define JC_CONF_FIELDS_H

#include "conf/value.h"

struct jc_conf_fields;

/* One key and what it holds so far. */
struct jc_conf_slot {
    const struct jc_conf_key *key;
    struct jc_conf_value value;
    struct jc_conf_fields *items; /* ITEMS: [n_items] */
    size_t n_items;
    size_t line; /* where the file gave it; 0 = it did not */
    bool given;  /* by the file or a --set */
};

struct jc_conf_fields {
    struct jc_conf_table table;
    struct jc_conf_slot *slots; /* [table.n_keys] */
    size_t line, column;        /* of an item of the file; 0 = elsewhere */
};

/* Each key with its default. `fields` is zero-initialised, and to be finished even where this fails. Errors: INTERNAL
 * (the table is wrong), NOMEM. */
JC_MUST_CHECK jc_code jc_conf_fields_init(struct jc_conf_fields *fields, const struct jc_conf_table *table,
                                          struct jc_err *err);
void jc_conf_fields_finish(struct jc_conf_fields *fields);

/* The slot of that key, or NULL. */
struct jc_conf_slot *jc_conf_fields_find(struct jc_conf_fields *fields, const char *name);

/* One more item behind the others, with the defaults; it stands until the next is added. Errors: INVALID (there are
 * JC_CONF_ITEMS_MAX), NOMEM. */
JC_MUST_CHECK jc_code jc_conf_slot_add_item(struct jc_conf_slot *slot, struct jc_conf_fields **ret_item,
                                            struct jc_err *err);
void jc_conf_slot_clear_items(struct jc_conf_slot *slot);

/* Makes each ITEMS key's array of structs, for jc_conf_fields_store. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_conf_fields_build(struct jc_conf_fields *fields, struct jc_err *err);

/* Writes every value to its place in the struct; what they point to goes on belonging to `fields`. */
void jc_conf_fields_store(const struct jc_conf_fields *fields, void *ret_values);

#endif
