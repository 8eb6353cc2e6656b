/* The key table: defaults, file and overrides to a struct. See conf.h. */
#include "conf/conf.h"

#include <string.h>

#include "base/file.h"
#include "conf/tree.h"
#include "conf/value.h"

#define FILE_MAX (1u << 20) /* bytes */
#define NAME_TEXT 256       /* bytes of a dotted key */
#define SUGGEST_MAX 3       /* edits between an unknown key and the one that was meant */
#define SUGGEST_CHARS 64    /* longer keys are not compared */

/* One row of the table and what it holds so far. */
struct slot {
    struct jc_conf_value value;
    size_t line; /* where the file gave it; 0 = it did not */
    bool given;  /* by the file or a --set */
};

struct jc_conf {
    const struct jc_conf_key *keys;
    size_t n_keys;
    struct slot *slots; /* [n_keys] */
};

void jc_conf_destroy(struct jc_conf *conf)
{
    if (!conf)
        return;
    for (size_t i = 0; conf->slots && i < conf->n_keys; i++)
        jc_conf_value_finish(&conf->slots[i].value);
    free(conf->slots);
    free(conf);
}

/* The key of that name, or NULL. */
static const struct jc_conf_key *find_key(const struct jc_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->n_keys; i++)
        if (strcmp(conf->keys[i].key, name) == 0)
            return &conf->keys[i];
    return NULL;
}

static struct slot *get_slot(struct jc_conf *conf, const struct jc_conf_key *key)
{
    return &conf->slots[key - conf->keys];
}

/* Whether keys begin with "<name>.". */
static bool is_section(const struct jc_conf *conf, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < conf->n_keys; i++)
        if (strncmp(conf->keys[i].key, name, n) == 0 && conf->keys[i].key[n] == '.')
            return true;
    return false;
}

/* Levenshtein's distance: insertions, deletions and replacements of a character. Texts over SUGGEST_CHARS are far. */
static size_t measure_distance(const char *a, const char *b)
{
    size_t n_a = strlen(a), n_b = strlen(b), row[SUGGEST_CHARS + 1];
    if (n_a > SUGGEST_CHARS || n_b > SUGGEST_CHARS)
        return SIZE_MAX;
    for (size_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[n_b];
}

static jc_code refuse_unknown(const struct jc_conf *conf, const char *name, struct jc_err *err)
{
    const char *nearest = NULL;
    size_t least = SUGGEST_MAX + 1;
    for (size_t i = 0; i < conf->n_keys; i++) {
        size_t distance = measure_distance(name, conf->keys[i].key);
        if (distance < least && distance < strlen(name)) {
            least = distance;
            nearest = conf->keys[i].key;
        }
    }
    if (nearest)
        return jc_fail(err, JC_E_INVALID, "unknown key '%s'; did you mean '%s'?", name, nearest);
    return jc_fail(err, JC_E_INVALID, "unknown key '%s'", name);
}

static jc_code fill_defaults(struct jc_conf *conf, struct jc_err *err)
{
    for (size_t i = 0; i < conf->n_keys; i++) {
        const struct jc_conf_key *key = &conf->keys[i];
        if (key->default_text && jc_conf_value_parse(key, key->default_text, &conf->slots[i].value, err)) {
            jc_wrap(err, "the default of key '%s'", key->key);
            return err->code == JC_E_INVALID ? err->code = JC_E_INTERNAL : err->code;
        }
    }
    return JC_OK;
}

static jc_code apply_sequence(const struct jc_conf_key *key, const struct jc_node *node, struct jc_conf_value *value,
                              struct jc_err *err)
{
    jc_conf_value_finish(value);
    for (const struct jc_node *item = node->first; item; item = item->next) {
        if (item->kind != JC_NODE_SCALAR || jc_node_is_null(item))
            return jc_fail(err, JC_E_INVALID, "an item of %s is not a plain value", key->key);
        jc_code code = jc_conf_value_add_item(value, item->text, strlen(item->text), err);
        if (code)
            return code;
    }
    return JC_OK;
}

/* A node of the file that is not a mapping, under its dotted name. */
static jc_code apply_leaf(struct jc_conf *conf, const char *name, const struct jc_node *node, struct jc_err *err)
{
    const struct jc_conf_key *key = find_key(conf, name);
    if (!key && jc_node_is_null(node) && is_section(conf, name))
        return JC_OK; /* "http:" with every key under it commented out */
    if (!key && is_section(conf, name))
        return jc_fail(err, JC_E_INVALID, "'%s' holds keys, not a value", name);
    if (!key)
        return refuse_unknown(conf, name, err);
    struct slot *slot = get_slot(conf, key);
    if (slot->line)
        return jc_fail(err, JC_E_INVALID, "key '%s' was already given in line %zu", name, slot->line);
    slot->line = node->key_line;
    slot->given = true;
    if (jc_node_is_null(node))
        return jc_fail(err, JC_E_INVALID, "%s: no value", name);
    if (node->kind == JC_NODE_SEQUENCE && key->type != JC_CONF_LIST)
        return jc_fail(err, JC_E_INVALID, "%s: a list where one value is expected", name);
    if (node->kind == JC_NODE_SEQUENCE)
        return apply_sequence(key, node, &slot->value, err);
    return jc_conf_value_parse(key, node->text, &slot->value, err) ? jc_wrap(err, "%s", name) : JC_OK;
}

static jc_code apply_mapping(struct jc_conf *conf, const char *prefix, const struct jc_node *mapping,
                             const struct jc_node **place, struct jc_err *err);

/* A key of the file; `prefix` is the dotted name of the mapping it stands in, with a dot behind it. */
static jc_code apply_node(struct jc_conf *conf, const char *prefix, const struct jc_node *node,
                          const struct jc_node **place, struct jc_err *err)
{
    char name[NAME_TEXT];
    *place = node;
    int n = snprintf(name, sizeof name - 1, "%s%s", prefix, node->key); /* leaves room for a dot */
    if (n >= (int)sizeof name - 1)
        return jc_fail(err, JC_E_INVALID, "unknown key '%.40s...'", name);
    if (node->kind != JC_NODE_MAPPING)
        return apply_leaf(conf, name, node, err);
    if (find_key(conf, name))
        return jc_fail(err, JC_E_INVALID, "%s: keys where a value is expected", name);
    if (!node->first && !is_section(conf, name))
        return refuse_unknown(conf, name, err);
    strcpy(name + n, ".");
    return apply_mapping(conf, name, node, place, err);
}

/* Every key under `mapping`; where one fails, *place is it. The tree limits the depth. */
static jc_code apply_mapping(struct jc_conf *conf, const char *prefix, const struct jc_node *mapping,
                             const struct jc_node **place, struct jc_err *err)
{
    for (const struct jc_node *node = mapping->first; node; node = node->next) {
        jc_code code = apply_node(conf, prefix, node, place, err);
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code apply_file(struct jc_conf *conf, const char *path, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    JC_AUTO(jc_node) struct jc_node *root = NULL;
    jc_code code = jc_file_read(path, FILE_MAX, &buf, err);
    if (!code)
        code = jc_node_parse(path, buf.data, buf.n, &root, err);
    if (code || !root)
        return code;
    const struct jc_node *place = root;
    if (apply_mapping(conf, "", root, &place, err))
        return jc_wrap(err, "%s:%zu:%zu", path, place->key_line, place->key_column);
    return JC_OK;
}

static jc_code apply_set(struct jc_conf *conf, const char *set, struct jc_err *err)
{
    const char *equals = strchr(set, '=');
    char name[NAME_TEXT];
    if (!equals || equals == set)
        return jc_fail(err, JC_E_INVALID, "expected key=value");
    if (snprintf(name, sizeof name, "%.*s", (int)(equals - set), set) >= (int)sizeof name)
        return jc_fail(err, JC_E_INVALID, "unknown key");
    const struct jc_conf_key *key = find_key(conf, name);
    if (!key)
        return refuse_unknown(conf, name, err);
    struct slot *slot = get_slot(conf, key);
    slot->given = true;
    return jc_conf_value_parse(key, equals + 1, &slot->value, err);
}

static jc_code check_required(const struct jc_conf *conf, const char *path, struct jc_err *err)
{
    for (size_t i = 0; i < conf->n_keys; i++)
        if (!conf->keys[i].default_text && !conf->slots[i].given)
            return jc_fail(err, JC_E_INVALID, "%s%skey '%s' must be given (--set %s=...)", path ? path : "",
                           path ? ": " : "", conf->keys[i].key, conf->keys[i].key);
    return JC_OK;
}

jc_code jc_conf_load(const struct jc_conf_key *keys, size_t n_keys, const char *path, const char *const *sets,
                     size_t n_sets, void *ret_values, struct jc_conf **ret_conf, struct jc_err *err)
{
    JC_AUTO(jc_conf) struct jc_conf *conf = calloc(1, sizeof(*conf));
    if (!conf || !(conf->slots = calloc(n_keys + 1, sizeof(*conf->slots))))
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    conf->keys = keys;
    conf->n_keys = n_keys;
    jc_code code = fill_defaults(conf, err);
    if (!code && path)
        code = apply_file(conf, path, err);
    if (code)
        return code;
    for (size_t i = 0; i < n_sets; i++)
        if (apply_set(conf, sets[i], err))
            return jc_wrap(err, "--set %.100s", sets[i]);
    code = check_required(conf, path, err);
    if (code)
        return code;
    for (size_t i = 0; i < n_keys; i++)
        jc_conf_value_store(&keys[i], &conf->slots[i].value, ret_values);
    *ret_conf = TAKE(conf);
    return JC_OK;
}

void jc_conf_print_help(const struct jc_conf_key *keys, size_t n_keys, FILE *out)
{
    static const char *const type_names[] = {
        [JC_CONF_STRING] = "text",   [JC_CONF_BOOL] = "true|false", [JC_CONF_COUNT] = "count",
        [JC_CONF_NUMBER] = "number", [JC_CONF_SIZE] = "size",       [JC_CONF_DURATION] = "duration",
        [JC_CONF_CHOICE] = "",       [JC_CONF_LIST] = "list",
    };
    for (size_t i = 0; i < n_keys; i++) {
        const struct jc_conf_key *key = &keys[i];
        char limits[JC_CONF_LIMITS_TEXT];
        jc_conf_format_limits(key, limits);
        fprintf(out, "%s%s (%s", i ? "\n" : "", key->key,
                key->type == JC_CONF_CHOICE ? key->choices : type_names[key->type]);
        if (*limits)
            fprintf(out, ", %s", limits);
        if (key->default_text)
            fprintf(out, "; default %s)\n", *key->default_text ? key->default_text : "empty");
        else
            fputs("; required)\n", out);
        fprintf(out, "    %s\n", key->doc);
    }
}
