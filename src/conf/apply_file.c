/* A configuration file's tree into the slots of its keys. See apply.h. */
#include "conf/apply.h"

#include <string.h>

#include "base/file.h"
#include "conf/table.h"
#include "conf/tree.h"

#define FILE_MAX (1u << 20) /* bytes */

/* Where a mapping of the file goes. */
struct target {
    struct jc_conf_fields *fields;
    size_t n_prefix; /* bytes of a name in front of its key in the table: an item's "postings[1]." */
};

static jc_code apply_mapping(const struct target *target, const char *prefix, const struct jc_node *mapping,
                             const struct jc_node **place, struct jc_err *err);

static jc_code apply_list(struct jc_conf_slot *slot, const char *name, const struct jc_node *node, struct jc_err *err)
{
    jc_conf_value_finish(&slot->value);
    for (const struct jc_node *item = node->first; item; item = item->next) {
        if (item->kind != JC_NODE_SCALAR || jc_node_is_null(item))
            return jc_fail(err, JC_E_INVALID, "an item of %s is not a plain value", name);
        jc_code code = jc_conf_value_add_item(&slot->value, item->text, strlen(item->text), err);
        if (code)
            return code;
    }
    return jc_conf_value_check(slot->key, &slot->value, err) ? jc_wrap(err, "%s", name) : JC_OK;
}

static jc_code apply_items(struct jc_conf_slot *slot, const struct jc_node *node, const struct jc_node **place,
                           struct jc_err *err)
{
    for (const struct jc_node *item = node->first; item; item = item->next) {
        char prefix[JC_CONF_NAME_TEXT];
        struct jc_conf_fields *fields;
        *place = item;
        int n = snprintf(prefix, sizeof prefix, "%s[%zu].", slot->key->key, slot->n_items);
        if (n >= (int)sizeof prefix)
            return jc_fail(err, JC_E_INTERNAL, "key '%s' is too long", slot->key->key);
        if (item->kind != JC_NODE_MAPPING)
            return jc_fail(err, JC_E_INVALID, "%.*s: not a mapping of keys to values", n - 1, prefix);
        jc_code code = jc_conf_slot_add_item(slot, &fields, err);
        if (code)
            return code;
        fields->line = item->line;
        fields->column = item->column;
        const struct target target = {.fields = fields, .n_prefix = (size_t)n};
        code = apply_mapping(&target, prefix, item, place, err);
        if (code)
            return code;
    }
    return JC_OK;
}

/* A node of the file, other than a mapping, to the slot of its key. */
static jc_code apply_value(struct jc_conf_slot *slot, const char *name, const struct jc_node *node,
                           const struct jc_node **place, struct jc_err *err)
{
    enum jc_conf_type type = slot->key->type;
    if (slot->line)
        return jc_fail(err, JC_E_INVALID, "key '%s' was already given in line %zu", name, slot->line);
    slot->line = node->key_line;
    slot->given = true;
    if (jc_node_is_null(node))
        return jc_fail(err, JC_E_INVALID, "%s: no value", name);
    if (node->kind == JC_NODE_SEQUENCE && type == JC_CONF_ITEMS)
        return apply_items(slot, node, place, err);
    if (node->kind == JC_NODE_SEQUENCE && type == JC_CONF_LIST)
        return apply_list(slot, name, node, err);
    if (node->kind == JC_NODE_SEQUENCE)
        return jc_fail(err, JC_E_INVALID, "%s: a list where one value is expected", name);
    if (type == JC_CONF_ITEMS)
        return jc_fail(err, JC_E_INVALID, "%s: a value where a list of mappings is expected", name);
    return jc_conf_value_parse(slot->key, node->text, &slot->value, err) ? jc_wrap(err, "%s", name) : JC_OK;
}

/* A node of the file that is not a mapping, under its dotted name. */
static jc_code apply_leaf(const struct target *target, const char *name, const struct jc_node *node,
                          const struct jc_node **place, struct jc_err *err)
{
    const struct jc_conf_table *table = &target->fields->table;
    const char *key = name + target->n_prefix;
    struct jc_conf_slot *slot = jc_conf_fields_find(target->fields, key);
    if (slot)
        return apply_value(slot, name, node, place, err);
    if (!jc_conf_table_is_section(table, key))
        return jc_conf_table_refuse(table, name, target->n_prefix, err);
    if (jc_node_is_null(node))
        return JC_OK; /* "http:" with every key under it commented out */
    return jc_fail(err, JC_E_INVALID, "'%s' holds keys, not a value", name);
}

/* A key of the file; `prefix` is the dotted name of the mapping it stands in, with a dot behind it. */
static jc_code apply_node(const struct target *target, const char *prefix, const struct jc_node *node,
                          const struct jc_node **place, struct jc_err *err)
{
    char name[JC_CONF_NAME_TEXT];
    *place = node;
    int n = snprintf(name, sizeof name - 1, "%s%s", prefix, node->key); /* leaves room for a dot */
    if (n >= (int)sizeof name - 1)
        return jc_fail(err, JC_E_INVALID, "unknown key '%.40s...'", name);
    if (node->kind != JC_NODE_MAPPING)
        return apply_leaf(target, name, node, place, err);
    const struct jc_conf_slot *slot = jc_conf_fields_find(target->fields, name + target->n_prefix);
    if (slot)
        return jc_fail(err, JC_E_INVALID, "%s: keys where a %s is expected", name,
                       slot->key->type == JC_CONF_ITEMS ? "list of mappings" : "value");
    if (!node->first && !jc_conf_table_is_section(&target->fields->table, name + target->n_prefix))
        return jc_conf_table_refuse(&target->fields->table, name, target->n_prefix, err);
    strcpy(name + n, ".");
    return apply_mapping(target, name, node, place, err);
}

/* Every key under `mapping`; where one fails, *place is it. The tree limits the depth. */
static jc_code apply_mapping(const struct target *target, const char *prefix, const struct jc_node *mapping,
                             const struct jc_node **place, struct jc_err *err)
{
    for (const struct jc_node *node = mapping->first; node; node = node->next) {
        jc_code code = apply_node(target, prefix, node, place, err);
        if (code)
            return code;
    }
    return JC_OK;
}

jc_code jc_conf_apply_file(struct jc_conf_fields *fields, const char *path, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    JC_AUTO(jc_node) struct jc_node *root = NULL;
    jc_code code = jc_file_read(path, FILE_MAX, &buf, err);
    if (!code)
        code = jc_node_parse(path, buf.data, buf.n, &root, err);
    if (code || !root)
        return code;
    const struct target target = {.fields = fields, .n_prefix = 0};
    const struct jc_node *place = root;
    if (apply_mapping(&target, "", root, &place, err))
        return jc_wrap(err, "%s:%zu:%zu", path, place->key ? place->key_line : place->line,
                       place->key ? place->key_column : place->column);
    return JC_OK;
}
