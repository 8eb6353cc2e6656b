/* Slots, their defaults and their items. See fields.h. */
#include "conf/fields.h"

#include "conf/table.h"

void jc_conf_slot_clear_items(struct jc_conf_slot *slot)
{
    for (size_t i = 0; i < slot->n_items; i++)
        jc_conf_fields_finish(&slot->items[i]);
    free(slot->items);
    slot->items = NULL;
    slot->n_items = 0;
}

void jc_conf_fields_finish(struct jc_conf_fields *fields)
{
    for (size_t i = 0; fields->slots && i < fields->table.n_keys; i++) {
        jc_conf_value_finish(&fields->slots[i].value);
        jc_conf_slot_clear_items(&fields->slots[i]);
    }
    free(fields->slots);
    *fields = (struct jc_conf_fields){0};
}

static jc_code fill_default(struct jc_conf_slot *slot, struct jc_err *err)
{
    const struct jc_conf_key *key = slot->key;
    if (!key->default_text || !jc_conf_value_parse(key, key->default_text, &slot->value, err))
        return JC_OK;
    jc_wrap(err, "the default of key '%s'", key->key);
    return err->code == JC_E_INVALID ? err->code = JC_E_INTERNAL : err->code;
}

/* A table's mistakes show at every start, and not with the first item alone. */
static jc_code check_items_key(const struct jc_conf_key *key, struct jc_err *err)
{
    const struct jc_conf_table *table = key->of;
    if (!table || !table->item_size)
        return jc_fail(err, JC_E_INTERNAL, "key '%s' has no table", key->key);
    for (size_t i = 0; i < table->n_keys; i++)
        if (table->keys[i].type == JC_CONF_ITEMS)
            return jc_fail(err, JC_E_INTERNAL, "key '%s[].%s': items in an item", key->key, table->keys[i].key);
    JC_AUTO_FINISH(jc_conf_fields) struct jc_conf_fields item = {0};
    return jc_conf_fields_init(&item, table, err) ? jc_wrap(err, "key '%s'", key->key) : JC_OK;
}

jc_code jc_conf_fields_init(struct jc_conf_fields *fields, const struct jc_conf_table *table, struct jc_err *err)
{
    fields->table = *table;
    fields->slots = calloc(table->n_keys + 1, sizeof(*fields->slots));
    if (!fields->slots)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < table->n_keys; i++) {
        struct jc_conf_slot *slot = &fields->slots[i];
        slot->key = &table->keys[i];
        jc_code code = slot->key->type == JC_CONF_ITEMS ? check_items_key(slot->key, err) : JC_OK;
        if (!code)
            code = fill_default(slot, err);
        if (code)
            return code;
    }
    return JC_OK;
}

struct jc_conf_slot *jc_conf_fields_find(struct jc_conf_fields *fields, const char *name)
{
    size_t i = jc_conf_table_find(&fields->table, name);
    return i < fields->table.n_keys ? &fields->slots[i] : NULL;
}

jc_code jc_conf_slot_add_item(struct jc_conf_slot *slot, struct jc_conf_fields **ret_item, struct jc_err *err)
{
    if (slot->n_items == JC_CONF_ITEMS_MAX)
        return jc_fail(err, JC_E_INVALID, "%s: more than %d items", slot->key->key, JC_CONF_ITEMS_MAX);
    struct jc_conf_fields *items = reallocarray(slot->items, slot->n_items + 1, sizeof(*items));
    if (!items)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    slot->items = items;
    struct jc_conf_fields *item = &items[slot->n_items++];
    *item = (struct jc_conf_fields){0};
    jc_code code = jc_conf_fields_init(item, slot->key->of, err);
    if (!code)
        *ret_item = item;
    return code;
}

static jc_code build_items(struct jc_conf_slot *slot, struct jc_err *err)
{
    const struct jc_conf_table *table = slot->key->of;
    if (!slot->n_items)
        return JC_OK;
    slot->value.structs = calloc(slot->n_items, table->item_size);
    if (!slot->value.structs)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    slot->value.n_structs = slot->n_items;
    for (size_t i = 0; i < slot->n_items; i++)
        jc_conf_fields_store(&slot->items[i], (char *)slot->value.structs + i * table->item_size);
    return JC_OK;
}

jc_code jc_conf_fields_build(struct jc_conf_fields *fields, struct jc_err *err)
{
    for (size_t i = 0; i < fields->table.n_keys; i++) {
        struct jc_conf_slot *slot = &fields->slots[i];
        jc_code code = slot->key->type == JC_CONF_ITEMS ? build_items(slot, err) : JC_OK;
        if (code)
            return code;
    }
    return JC_OK;
}

void jc_conf_fields_store(const struct jc_conf_fields *fields, void *ret_values)
{
    for (size_t i = 0; i < fields->table.n_keys; i++)
        jc_conf_value_store(fields->slots[i].key, &fields->slots[i].value, ret_values);
}
