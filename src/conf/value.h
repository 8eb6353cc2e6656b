/*
 * One value of the configuration: text to the type of its key, within the key's limits, and into the program's struct.
 * Errors say what was expected and found; the caller puts the place in front. Threads: one at a time.
 */
#ifndef JC_CONF_VALUE_H
#define JC_CONF_VALUE_H

#include "conf/conf.h"

/* The member that the key's type says is in use. Zero-initialise. */
struct jc_conf_value {
    bool boolean;
    uint64_t count; /* COUNT, SIZE, DURATION */
    double number;
    unsigned choice;
    char *string;
    char **items; /* LIST: [n_items], each owned */
    size_t n_items;
    void *structs; /* ITEMS: [n_structs], owned */
    size_t n_structs;
};

/* A LIST takes comma-separated items; blanks around an item do not count. ITEMS take no text but "",
 * which is none of them. Errors: INVALID, NOMEM. */
JC_MUST_CHECK jc_code jc_conf_value_parse(const struct jc_conf_key *key, const char *text, struct jc_conf_value *value,
                                          struct jc_err *err);

/* One more item, as it is, for a LIST. Errors: INVALID (an empty item), NOMEM. */
JC_MUST_CHECK jc_code jc_conf_value_add_item(struct jc_conf_value *value, const char *item, size_t n,
                                             struct jc_err *err);

/* Whether a LIST or STRING is what its key's check wants. jc_conf_value_parse has asked. Errors: as the check. */
JC_MUST_CHECK jc_code jc_conf_value_check(const struct jc_conf_key *key, const struct jc_conf_value *value,
                                          struct jc_err *err);

/* Writes the value to its place in the program's struct; what it points to goes on belonging to `value`. */
void jc_conf_value_store(const struct jc_conf_key *key, const struct jc_conf_value *value, void *ret_values);

/* The key's limits as "1 to 65535" or "64B to 8MiB"; "" where it has none. */
#define JC_CONF_LIMITS_TEXT 80
void jc_conf_format_limits(const struct jc_conf_key *key, char ret_text[JC_CONF_LIMITS_TEXT]);

void jc_conf_value_finish(struct jc_conf_value *value);

#endif
