/* A --set into the slot of its key. See apply.h. */
#include "conf/apply.h"

#include <string.h>

#include "conf/table.h"

/* The slot whose items "postings.0.path" names one of, or NULL. */
static struct jc_conf_slot *find_items(struct jc_conf_fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->table.n_keys; i++) {
        const struct jc_conf_key *key = &fields->table.keys[i];
        size_t n = strlen(key->key);
        if (key->type == JC_CONF_ITEMS && strncmp(name, key->key, n) == 0 && name[n] == '.')
            return &fields->slots[i];
    }
    return NULL;
}

/* The item of "0.path": one that is there, or a new one behind the last. *ret_key is where "path" begins. */
static jc_code find_item(struct jc_conf_slot *slot, const char *text, struct jc_conf_fields **ret_item,
                         const char **ret_key, struct jc_err *err)
{
    const char *list = slot->key->key;
    size_t n_digits = strspn(text, "0123456789"), index = 0;
    if (!n_digits || text[n_digits] != '.' || !text[n_digits + 1])
        return jc_fail(err, JC_E_INVALID, "expected %s.<index>.<key>", list);
    for (size_t i = 0; i < n_digits && index <= JC_CONF_ITEMS_MAX; i++)
        index = index * 10 + (size_t)(text[i] - '0');
    if (index > slot->n_items)
        return jc_fail(err, JC_E_INVALID, "%s has %zu items: the next one is %s.%zu", list, slot->n_items, list,
                       slot->n_items);
    *ret_key = text + n_digits + 1;
    if (index == slot->n_items)
        return jc_conf_slot_add_item(slot, ret_item, err);
    *ret_item = &slot->items[index];
    return JC_OK;
}

/* `name` is the whole name, `key` the end of it that stands in the table of `fields`. */
static jc_code set_key(struct jc_conf_fields *fields, const char *name, const char *key, const char *text,
                       struct jc_err *err)
{
    struct jc_conf_slot *slot = jc_conf_fields_find(fields, key);
    if (slot) {
        slot->given = true;
        jc_conf_slot_clear_items(slot);
        return jc_conf_value_parse(slot->key, text, &slot->value, err);
    }
    slot = find_items(fields, key);
    if (!slot)
        return jc_conf_table_refuse(&fields->table, name, (size_t)(key - name), err);
    slot->given = true;
    jc_code code = find_item(slot, key + strlen(slot->key->key) + 1, &fields, &key, err);
    return code ? code : set_key(fields, name, key, text, err);
}

jc_code jc_conf_apply_set(struct jc_conf_fields *fields, const char *set, struct jc_err *err)
{
    const char *equals = strchr(set, '=');
    char name[JC_CONF_NAME_TEXT];
    if (!equals || equals == set)
        return jc_fail(err, JC_E_INVALID, "expected key=value");
    if (snprintf(name, sizeof name, "%.*s", (int)(equals - set), set) >= (int)sizeof name)
        return jc_fail(err, JC_E_INVALID, "unknown key");
    return set_key(fields, name, name, equals + 1, err);
}
