/* Names of keys, and the manual. See table.h. */
#include "conf/table.h"

#include <string.h>

#include "conf/value.h"

#define SUGGEST_MAX 3    /* edits between an unknown key and the one that was meant */
#define SUGGEST_CHARS 64 /* longer keys are not compared */

size_t jc_conf_table_find(const struct jc_conf_table *table, const char *name)
{
    size_t i = 0;
    while (i < table->n_keys && strcmp(table->keys[i].key, name) != 0)
        i++;
    return i;
}

bool jc_conf_table_is_section(const struct jc_conf_table *table, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < table->n_keys; i++)
        if (strncmp(table->keys[i].key, name, n) == 0 && table->keys[i].key[n] == '.')
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

jc_code jc_conf_table_refuse(const struct jc_conf_table *table, const char *name, size_t n_prefix, struct jc_err *err)
{
    const char *part = name + n_prefix, *nearest = NULL;
    size_t least = SUGGEST_MAX + 1;
    for (size_t i = 0; i < table->n_keys; i++) {
        size_t distance = measure_distance(part, table->keys[i].key);
        if (distance < least && distance < strlen(part)) {
            least = distance;
            nearest = table->keys[i].key;
        }
    }
    if (nearest)
        return jc_fail(err, JC_E_INVALID, "unknown key '%s'; did you mean '%.*s%s'?", name, (int)n_prefix, name,
                       nearest);
    return jc_fail(err, JC_E_INVALID, "unknown key '%s'", name);
}

static const char *name_type(const struct jc_conf_key *key)
{
    static const char *const names[] = {
        [JC_CONF_STRING] = "text", [JC_CONF_BOOL] = "true|false",
        [JC_CONF_COUNT] = "count", [JC_CONF_NUMBER] = "number",
        [JC_CONF_SIZE] = "size",   [JC_CONF_DURATION] = "duration",
        [JC_CONF_LIST] = "list",   [JC_CONF_ITEMS] = "list of mappings",
    };
    return key->type == JC_CONF_CHOICE ? key->of : names[key->type];
}

static void print_key(const char *items, const struct jc_conf_key *key, FILE *out)
{
    char limits[JC_CONF_LIMITS_TEXT];
    jc_conf_format_limits(key, limits);
    fprintf(out, "%s%s%s (%s", items, *items ? "[]." : "", key->key, name_type(key));
    if (*limits)
        fprintf(out, ", %s", limits);
    if (key->default_text)
        fprintf(out, "; default %s)\n", *key->default_text ? key->default_text : "empty");
    else
        fputs("; required)\n", out);
    fprintf(out, "    %s\n", key->doc);
}

void jc_conf_print_help(const struct jc_conf_key *keys, size_t n_keys, FILE *out)
{
    for (size_t i = 0; i < n_keys; i++) {
        if (i > 0)
            fputc('\n', out);
        print_key("", &keys[i], out);
        const struct jc_conf_table *table = keys[i].type == JC_CONF_ITEMS ? keys[i].of : NULL;
        for (size_t j = 0; table && j < table->n_keys; j++) {
            fputc('\n', out);
            print_key(keys[i].key, &table->keys[j], out);
        }
    }
}
