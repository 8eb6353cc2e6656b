/* Text to typed values within their limits. See value.h. */
#include "conf/value.h"

#include <string.h>

#include "base/parse.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first. */
static const struct unit size_units[] = {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}};
static const struct unit duration_units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

void jc_conf_value_finish(struct jc_conf_value *value)
{
    free(value->string);
    for (size_t i = 0; i < value->n_items; i++)
        free(value->items[i]);
    free(value->items);
    free(value->structs);
    *value = (struct jc_conf_value){0};
}

/* A limit in the unit a person would write. */
static void format_limit(enum jc_conf_type type, double limit, char *ret_text, size_t n_text)
{
    const struct unit *units = type == JC_CONF_SIZE ? size_units : duration_units;
    size_t n_units = type == JC_CONF_SIZE ? JC_COUNT(size_units) : JC_COUNT(duration_units);
    if (type != JC_CONF_SIZE && type != JC_CONF_DURATION) {
        snprintf(ret_text, n_text, "%.15g", limit);
        return;
    }
    uint64_t whole = (uint64_t)limit;
    for (size_t i = 0; i < n_units; i++) {
        if (whole % units[i].factor == 0 && (whole >= units[i].factor || i == n_units - 1)) {
            snprintf(ret_text, n_text, "%ju%s", (uintmax_t)(whole / units[i].factor), units[i].name);
            return;
        }
    }
}

static bool has_limits(const struct jc_conf_key *key)
{
    bool is_number = key->type == JC_CONF_COUNT || key->type == JC_CONF_NUMBER || key->type == JC_CONF_SIZE ||
                     key->type == JC_CONF_DURATION;
    return is_number && (key->min < 0 || key->min > 0 || key->max < 0 || key->max > 0);
}

void jc_conf_format_limits(const struct jc_conf_key *key, char ret_text[JC_CONF_LIMITS_TEXT])
{
    char min[JC_CONF_LIMITS_TEXT / 2 - 4], max[JC_CONF_LIMITS_TEXT / 2 - 4];
    *ret_text = '\0';
    if (!has_limits(key))
        return;
    format_limit(key->type, key->min, min, sizeof min);
    format_limit(key->type, key->max, max, sizeof max);
    snprintf(ret_text, JC_CONF_LIMITS_TEXT, "%s to %s", min, max);
}

static jc_code check_limits(const struct jc_conf_key *key, double found, const char *text, struct jc_err *err)
{
    char limits[JC_CONF_LIMITS_TEXT];
    if (!has_limits(key) || (found >= key->min && found <= key->max))
        return JC_OK;
    jc_conf_format_limits(key, limits);
    return jc_fail(err, JC_E_INVALID, "expected %s, not '%s'", limits, text);
}

static jc_code parse_choice(const struct jc_conf_key *key, const char *text, unsigned *ret_choice, struct jc_err *err)
{
    const char *choices = key->of;
    size_t n_text = strlen(text);
    unsigned index = 0;
    for (const char *choice = choices;; index++) {
        size_t n = strcspn(choice, "|");
        if (n == n_text && memcmp(choice, text, n) == 0) {
            *ret_choice = index;
            return JC_OK;
        }
        if (!choice[n])
            return jc_fail(err, JC_E_INVALID, "expected one of %s, not '%s'", choices, text);
        choice += n + 1;
    }
}

jc_code jc_conf_value_add_item(struct jc_conf_value *value, const char *item, size_t n, struct jc_err *err)
{
    if (n == 0)
        return jc_fail(err, JC_E_INVALID, "an empty item in the list");
    char **items = reallocarray(value->items, value->n_items + 1, sizeof(*items));
    if (!items)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    value->items = items;
    char *copy = strndup(item, n);
    if (!copy)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    value->items[value->n_items++] = copy;
    return JC_OK;
}

static jc_code parse_list(const char *text, struct jc_conf_value *value, struct jc_err *err)
{
    static const char blanks[] = " \t";
    text += strspn(text, blanks);
    if (!*text)
        return JC_OK;
    for (;;) {
        text += strspn(text, blanks);
        size_t n = strcspn(text, ","), n_item = n;
        while (n_item > 0 && strchr(blanks, text[n_item - 1]))
            n_item--;
        jc_code code = jc_conf_value_add_item(value, text, n_item, err);
        if (code || !text[n])
            return code;
        text += n + 1;
    }
}

static jc_code parse_number(const struct jc_conf_key *key, const char *text, struct jc_conf_value *value,
                            struct jc_err *err)
{
    jc_code code;
    if (key->type == JC_CONF_NUMBER) {
        code = jc_parse_f64(text, &value->number, err);
        return code ? code : check_limits(key, value->number, text, err);
    }
    if (key->type == JC_CONF_SIZE)
        code = jc_parse_size(text, &value->count, err);
    else if (key->type == JC_CONF_DURATION)
        code = jc_parse_duration(text, &value->count, err);
    else
        code = jc_parse_u64(text, &value->count, err);
    return code ? code : check_limits(key, (double)value->count, text, err);
}

jc_code jc_conf_value_check(const struct jc_conf_key *key, const struct jc_conf_value *value, struct jc_err *err)
{
    const bool is_list = key->type == JC_CONF_LIST;
    const struct jc_conf_check *check = is_list || key->type == JC_CONF_STRING ? key->of : NULL;
    if (!check)
        return JC_OK;
    return is_list ? check->check((const char *const *)value->items, value->n_items, err)
                   : check->check((const char *const *)&value->string, 1, err);
}

jc_code jc_conf_value_parse(const struct jc_conf_key *key, const char *text, struct jc_conf_value *value,
                            struct jc_err *err)
{
    jc_conf_value_finish(value);
    switch (key->type) {
    case JC_CONF_STRING:
        value->string = strdup(text);
        return value->string ? jc_conf_value_check(key, value, err) : jc_fail(err, JC_E_NOMEM, "out of memory");
    case JC_CONF_BOOL:
        return jc_parse_bool(text, &value->boolean, err);
    case JC_CONF_COUNT:
    case JC_CONF_NUMBER:
    case JC_CONF_SIZE:
    case JC_CONF_DURATION:
        return parse_number(key, text, value, err);
    case JC_CONF_CHOICE:
        return parse_choice(key, text, &value->choice, err);
    case JC_CONF_LIST:
        return parse_list(text, value, err) ? err->code : jc_conf_value_check(key, value, err);
    case JC_CONF_ITEMS:
        return *text ? jc_fail(err, JC_E_INVALID, "'%s' where a list of mappings is expected", text) : JC_OK;
    }
    return jc_fail(err, JC_E_INTERNAL, "key '%s' has no type", key->key);
}

void jc_conf_value_store(const struct jc_conf_key *key, const struct jc_conf_value *value, void *ret_values)
{
    void *to = (char *)ret_values + key->offset;
    switch (key->type) {
    case JC_CONF_STRING:
        *(const char **)to = value->string;
        break;
    case JC_CONF_BOOL:
        *(bool *)to = value->boolean;
        break;
    case JC_CONF_COUNT:
    case JC_CONF_SIZE:
    case JC_CONF_DURATION:
        *(uint64_t *)to = value->count;
        break;
    case JC_CONF_NUMBER:
        *(double *)to = value->number;
        break;
    case JC_CONF_CHOICE:
        *(unsigned *)to = value->choice;
        break;
    case JC_CONF_LIST:
        *(struct jc_conf_list *)to =
            (struct jc_conf_list){.items = (const char *const *)value->items, .n = value->n_items};
        break;
    case JC_CONF_ITEMS:
        *(struct jc_conf_items *)to = (struct jc_conf_items){.items = value->structs, .n = value->n_structs};
        break;
    }
}
