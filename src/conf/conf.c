/* The key table: defaults, file and overrides to a struct. See conf.h. */
#include "conf/conf.h"

#include "conf/apply.h"

struct jc_conf {
    struct jc_conf_fields fields;
};

void jc_conf_destroy(struct jc_conf *conf)
{
    if (!conf)
        return;
    jc_conf_fields_finish(&conf->fields);
    free(conf);
}

static bool is_missing(const struct jc_conf_slot *slot)
{
    return !slot->key->default_text && !slot->given;
}

static jc_code check_item(const struct jc_conf_slot *list, size_t index, const char *path, struct jc_err *err)
{
    const struct jc_conf_fields *item = &list->items[index];
    const char *name = list->key->key;
    for (size_t i = 0; i < item->table.n_keys; i++) {
        const char *key = item->table.keys[i].key;
        if (!is_missing(&item->slots[i]))
            continue;
        jc_fail(err, JC_E_INVALID, "key '%s[%zu].%s' must be given (--set %s.%zu.%s=...)", name, index, key, name,
                index, key);
        return item->line ? jc_wrap(err, "%s:%zu:%zu", path, item->line, item->column) : err->code;
    }
    return JC_OK;
}

static jc_code check_required(const struct jc_conf_fields *fields, const char *path, struct jc_err *err)
{
    for (size_t i = 0; i < fields->table.n_keys; i++) {
        const struct jc_conf_slot *slot = &fields->slots[i];
        if (is_missing(slot))
            return jc_fail(err, JC_E_INVALID, "%s%skey '%s' must be given (--set %s=...)", path ? path : "",
                           path ? ": " : "", slot->key->key, slot->key->key);
        for (size_t j = 0; j < slot->n_items; j++) {
            jc_code code = check_item(slot, j, path, err);
            if (code)
                return code;
        }
    }
    return JC_OK;
}

jc_code jc_conf_load(const struct jc_conf_key *keys, size_t n_keys, const char *path, const char *const *sets,
                     size_t n_sets, void *ret_values, struct jc_conf **ret_conf, struct jc_err *err)
{
    const struct jc_conf_table table = {.keys = keys, .n_keys = n_keys};
    JC_AUTO(jc_conf) struct jc_conf *conf = calloc(1, sizeof(*conf));
    if (!conf)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_code code = jc_conf_fields_init(&conf->fields, &table, err);
    if (!code && path)
        code = jc_conf_apply_file(&conf->fields, path, err);
    if (code)
        return code;
    for (size_t i = 0; i < n_sets; i++)
        if (jc_conf_apply_set(&conf->fields, sets[i], err))
            return jc_wrap(err, "--set %.100s", sets[i]);
    code = check_required(&conf->fields, path, err);
    if (!code)
        code = jc_conf_fields_build(&conf->fields, err);
    if (code)
        return code;
    jc_conf_fields_store(&conf->fields, ret_values);
    *ret_conf = TAKE(conf);
    return JC_OK;
}
