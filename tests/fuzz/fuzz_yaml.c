/*
 * libFuzzer: bytes as a configuration file and as a --set. Checked besides the sanitizers: an error has a text and
 * leaves the struct alone, and an accepted value is within its limits.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "conf/conf.h"
#include "fuzz.h"

struct config {
    const char *text;
    bool flag;
    uint64_t count, size, duration;
    double number;
    unsigned choice;
    struct jc_conf_list list;
    struct jc_conf_items items;
};

struct item {
    bool flag;
    const char *text;
    double number;
    struct jc_conf_list list;
};

#define AT(member) offsetof(struct config, member)
#define ITEM_AT(member) offsetof(struct item, member)
static const struct jc_conf_key item_keys[] = {
    {"text", JC_CONF_STRING, ITEM_AT(text), NULL, 0, 0, NULL, "Text."},
    {"flag", JC_CONF_BOOL, ITEM_AT(flag), "true", 0, 0, NULL, "Flag."},
    {"a.number", JC_CONF_NUMBER, ITEM_AT(number), "1", 0, 1, NULL, "Number."},
    {"list", JC_CONF_LIST, ITEM_AT(list), "a,b", 0, 0, NULL, "List."},
};
static const struct jc_conf_table item_table = {item_keys, JC_COUNT(item_keys), sizeof(struct item)};
static const struct jc_conf_key keys[] = {
    {"a.text", JC_CONF_STRING, AT(text), "", 0, 0, NULL, "Text."},
    {"a.flag", JC_CONF_BOOL, AT(flag), "false", 0, 0, NULL, "Flag."},
    {"a.b.count", JC_CONF_COUNT, AT(count), "7", 1, 10, NULL, "Count."},
    {"size", JC_CONF_SIZE, AT(size), "1KiB", 1, 1048576, NULL, "Size."},
    {"duration", JC_CONF_DURATION, AT(duration), "1s", 0, 60000, NULL, "Duration."},
    {"number", JC_CONF_NUMBER, AT(number), "0", -1, 1, NULL, "Number."},
    {"choice", JC_CONF_CHOICE, AT(choice), "x", 0, 0, "x|yy|zzz", "Choice."},
    {"list", JC_CONF_LIST, AT(list), "a,b", 0, 0, NULL, "List."},
    {"items", JC_CONF_ITEMS, AT(items), "", 0, 0, &item_table, "Items."},
};

static void check_item(const struct item *item)
{
    ENSURE(item->text && strlen(item->text) < SIZE_MAX);
    ENSURE(item->number >= 0 && item->number <= 1);
    for (size_t i = 0; i < item->list.n; i++)
        ENSURE(*item->list.items[i]);
}

static void check_load(const char *path, const char *const *sets, size_t n_sets)
{
    struct jc_err err = {0};
    struct config config, untouched;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    memset(&config, 0xa5, sizeof config);
    memset(&untouched, 0xa5, sizeof untouched);
    if (jc_conf_load(keys, JC_COUNT(keys), path, sets, n_sets, &config, &conf, &err)) {
        ENSURE((err.code == JC_E_INVALID || err.code == JC_E_TOO_LARGE) && *err.text && !conf);
        ENSURE(memcmp(&config, &untouched, sizeof config) == 0);
        return;
    }
    ENSURE(config.text && strlen(config.text) < SIZE_MAX);
    ENSURE(config.count >= 1 && config.count <= 10);
    ENSURE(config.size >= 1 && config.size <= 1048576 && config.duration <= 60000);
    ENSURE(config.number >= -1 && config.number <= 1 && config.choice < 3);
    for (size_t i = 0; i < config.list.n; i++)
        ENSURE(*config.list.items[i]);
    ENSURE(config.items.n <= JC_CONF_ITEMS_MAX);
    for (size_t i = 0; i < config.items.n; i++)
        check_item((const struct item *)config.items.items + i);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    check_load(fuzz_file(data, n), NULL, 0);
    JC_AUTO_FREE char *set = strndup((const char *)data, n);
    ENSURE(set);
    check_load(NULL, (const char *const[]){set}, 1);
    check_load(NULL, (const char *const[]){"items.0.text=a", set, "items.1.text=b"}, 3);
    return 0;
}
