/* A list of mappings in the configuration: values, defaults, overrides, and what each mistake is told, and where. */
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "check.h"
#include "conf/conf.h"

/* A struct with every type and with holes between its members. */
struct source {
    bool header;
    const char *path;
    double weight;
    unsigned format;
    uint64_t rows, bytes, wait_ms;
    const char *title;
    struct jc_conf_list tags;
};

struct config {
    const char *name;
    struct jc_conf_items postings;
    struct jc_conf_items more;
};

#define AT(member) offsetof(struct source, member)
static const struct jc_conf_key source_keys[] = {
    {"path", JC_CONF_STRING, AT(path), NULL, 0, 0, NULL, "The file."},
    {"weight", JC_CONF_NUMBER, AT(weight), "1", 0, 100, NULL, "How much a row counts."},
    {"format", JC_CONF_CHOICE, AT(format), "csv", 0, 0, "csv|tsv|jsonl", "How it is written."},
    {"header", JC_CONF_BOOL, AT(header), "true", 0, 0, NULL, "Whether line 1 names the columns."},
    {"limits.rows", JC_CONF_COUNT, AT(rows), "1000", 1, 1000000, NULL, "Most rows."},
    {"limits.bytes", JC_CONF_SIZE, AT(bytes), "1GiB", 0, 0, NULL, "Most bytes."},
    {"wait", JC_CONF_DURATION, AT(wait_ms), "5s", 0, 0, NULL, "Longest wait."},
    {"columns.title", JC_CONF_STRING, AT(title), "TITLE_RAW", 0, 0, NULL, "The title's column."},
    {"tags", JC_CONF_LIST, AT(tags), "a,b", 0, 0, NULL, "Its labels."},
};
static const struct jc_conf_table sources = {source_keys, JC_COUNT(source_keys), sizeof(struct source)};
static const struct jc_conf_key keys[] = {
    {"name", JC_CONF_STRING, offsetof(struct config, name), "x", 0, 0, NULL, "Whose."},
    {"postings", JC_CONF_ITEMS, offsetof(struct config, postings), "", 0, 0, &sources, "Where rows come from."},
    {"more.postings", JC_CONF_ITEMS, offsetof(struct config, more), "", 0, 0, &sources, "And more."},
};

static char path[] = "/tmp/jc-test-items-XXXXXX";
static struct jc_err err;
static struct config config;
static struct jc_conf *conf;

/* Loads `text` (NULL = no file) with the overrides that a NULL ends. `config` and `conf` hold the result. */
static jc_code load_sets(const char *text, const char *const *sets)
{
    size_t n_sets = 0;
    jc_conf_destroy(conf);
    conf = NULL;
    while (sets[n_sets])
        n_sets++;
    if (text)
        REQUIRE_OK(jc_file_write(path, text, strlen(text), &err));
    return jc_conf_load(keys, JC_COUNT(keys), text ? path : NULL, sets, n_sets, &config, &conf, &err);
}

#define LOAD_SETS(text, ...) load_sets((text), (const char *const[]){__VA_ARGS__, NULL})

static jc_code load(const char *text)
{
    return LOAD_SETS(text, NULL);
}

/* The loaded item of that index. */
static const struct source *get_source(size_t i)
{
    REQUIRE(i < config.postings.n);
    return (const struct source *)config.postings.items + i;
}

/* The file `text` is refused at "<path>:<place>: <part>", and the struct stays as it was. */
static void check_refused(const char *text, const char *place, const char *part)
{
    char begin[256];
    snprintf(begin, sizeof begin, "%s:%s: %s", path, place, part);
    REQUIRE_OK(load("name: before"));
    struct config before = config;
    REQUIRE_OK(jc_file_write(path, text, strlen(text), &err));
    struct jc_conf *none = NULL;
    CHECK_INT(jc_conf_load(keys, JC_COUNT(keys), path, NULL, 0, &config, &none, &err), JC_E_INVALID);
    check_report(strncmp(err.text, begin, strlen(begin)) == 0, __FILE__, __LINE__, "'%s' does not begin with '%s'",
                 err.text, begin);
    CHECK(!none && memcmp(&before, &config, sizeof config) == 0);
}

static void test_values(void)
{
    REQUIRE_OK(load("postings:\n"
                    "  - path: a.csv.gz\n"
                    "    weight: 2\n"
                    "    columns: {title: TITLE}\n"
                    "  - {path: b.jsonl, format: jsonl, header: false, limits: {rows: 7, bytes: 2KiB}, wait: 2ms,\n"
                    "     tags: [x, y, 'z,z'], columns.title: T}\n"
                    "more:\n"
                    "  postings:\n"
                    "  - path: c\n"
                    "name: y\n"));
    REQUIRE(config.postings.n == 2 && config.more.n == 1);
    const struct source *a = get_source(0), *b = get_source(1), *c = config.more.items;
    CHECK_STR(a->path, "a.csv.gz");
    CHECK_NEAR(a->weight, 2, 0);
    CHECK_STR(a->title, "TITLE");
    CHECK(a->format == 0 && a->header);
    CHECK_INT(a->rows, 1000);
    CHECK_INT(a->bytes, 1 << 30);
    CHECK_INT(a->wait_ms, 5000);
    CHECK_INT(a->tags.n, 2);
    CHECK_STR(b->path, "b.jsonl");
    CHECK_NEAR(b->weight, 1, 0);
    CHECK(b->format == 2 && !b->header);
    CHECK_INT(b->rows, 7);
    CHECK_INT(b->bytes, 2048);
    CHECK_INT(b->wait_ms, 2);
    CHECK_STR(b->title, "T");
    REQUIRE(b->tags.n == 3);
    CHECK_STR(b->tags.items[2], "z,z");
    CHECK_STR(c->path, "c");
    CHECK_STR(config.name, "y");
}

static void test_empty(void)
{
    static const char *const texts[] = {NULL, "", "name: y", "postings: []", "more: {}"};
    for (size_t i = 0; i < JC_COUNT(texts); i++) {
        memset(&config, 0xa5, sizeof config);
        REQUIRE_OK(load(texts[i]));
        CHECK(!config.postings.items && !config.more.items);
        CHECK_INT(config.postings.n, 0);
        CHECK_INT(config.more.n, 0);
    }
}

static void test_sets(void)
{
    static const char file[] = "postings: [{path: a, weight: 3}, {weight: 4}]";
    REQUIRE_OK(LOAD_SETS(file, "postings.0.path=x", "postings.1.path=y", "postings.1.columns.title=T",
                         "postings.2.path=z", "postings.2.tags=one, two, three", "postings.2.path=zz",
                         "postings.3.path="));
    CHECK_INT(config.postings.n, 4);
    CHECK_STR(get_source(0)->path, "x");
    CHECK_NEAR(get_source(0)->weight, 3, 0);
    CHECK_STR(get_source(1)->path, "y");
    CHECK_STR(get_source(1)->title, "T");
    CHECK_NEAR(get_source(1)->weight, 4, 0);
    CHECK_STR(get_source(2)->path, "zz");
    CHECK_NEAR(get_source(2)->weight, 1, 0);
    CHECK_INT(get_source(2)->tags.n, 3);
    CHECK_STR(get_source(3)->path, "");

    REQUIRE_OK(LOAD_SETS(file, "postings="));
    CHECK(config.postings.n == 0 && !config.postings.items);
    REQUIRE_OK(LOAD_SETS(file, "postings=", "postings.0.path=new"));
    CHECK_INT(config.postings.n, 1);
    CHECK_STR(get_source(0)->path, "new");
    CHECK_NEAR(get_source(0)->weight, 1, 0);
    REQUIRE_OK(LOAD_SETS(NULL, "more.postings.0.path=p", "name=q"));
    REQUIRE(config.more.n == 1 && config.postings.n == 0);
    CHECK_STR(((const struct source *)config.more.items)->path, "p");
}

static void test_wrong_sets(void)
{
    static const char file[] = "postings: [{path: a}, {path: b}]";
    static const struct {
        const char *set, *part;
    } cases[] = {
        {"postings.3.path=x", "--set postings.3.path=x: postings has 2 items: the next one is postings.2"},
        {"postings.64.path=x", "postings has 2 items"},
        {"postings.18446744073709551616.path=x", "postings has 2 items"},
        {"postings.99999999999999999999999999999999999999.path=x", "postings has 2 items"},
        {"postings.-1.path=x", "expected postings.<index>.<key>"},
        {"postings.+1.path=x", "expected postings.<index>.<key>"},
        {"postings. 1.path=x", "expected postings.<index>.<key>"},
        {"postings.0x1.path=x", "expected postings.<index>.<key>"},
        {"postings.path=x", "expected postings.<index>.<key>"},
        {"postings.=x", "expected postings.<index>.<key>"},
        {"postings..path=x", "expected postings.<index>.<key>"},
        {"postings.0=x", "expected postings.<index>.<key>"},
        {"postings.0.=x", "expected postings.<index>.<key>"},
        {"postings=x", "--set postings=x: 'x' where a list of mappings is expected"},
        {"postings[0].path=x", "unknown key 'postings[0].path'"},
        {"postings.0.pth=x", "unknown key 'postings.0.pth'; did you mean 'postings.0.path'?"},
        {"postings.1.columns.titel=x", "did you mean 'postings.1.columns.title'?"},
        {"postings.0.columns=x", "unknown key 'postings.0.columns'"},
        {"postings.0.postings.0.path=x", "unknown key 'postings.0.postings.0.path'"},
        {"postings.1.weight=101", "--set postings.1.weight=101: expected 0 to 100, not '101'"},
        {"postings.1.format=xml", "expected one of csv|tsv|jsonl, not 'xml'"},
        {"postings.2.weight=1", "key 'postings[2].path' must be given (--set postings.2.path=...)"},
        {"more.postings.0.weight=1", "key 'more.postings[0].path' must be given (--set more.postings.0.path=...)"},
        {"more.postings.1.path=1", "more.postings has 0 items: the next one is more.postings.0"},
    };
    for (size_t i = 0; i < JC_COUNT(cases); i++)
        CHECK_FAILS(LOAD_SETS(file, cases[i].set), JC_E_INVALID, cases[i].part);
}

static void test_wrong_lists(void)
{
    check_refused("postings: a.csv", "1:1", "postings: a value where a list of mappings is expected");
    check_refused("name: x\npostings: ''", "2:1", "postings: a value where a list of mappings is expected");
    check_refused("postings:", "1:1", "postings: no value");
    check_refused("postings: {path: a}", "1:1", "postings: keys where a list of mappings is expected");
    check_refused("more:\n  postings: {}", "2:3", "more.postings: keys where a list of mappings is expected");
    check_refused("postings:\n  - path: a\n  - b.csv\n", "3:5", "postings[1]: not a mapping");
    check_refused("postings: [a]", "1:12", "postings[0]: not a mapping");
    check_refused("postings: [~]", "1:12", "postings[0]: not a mapping");
    check_refused("postings: [[]]", "1:12", "postings[0]: not a mapping");
    check_refused("postings: [[{path: a}]]", "1:12", "postings[0]: not a mapping");
    check_refused("postings.0.path: a", "1:1", "unknown key 'postings.0.path'");
    check_refused("postngs: [{path: a}]", "1:1", "unknown key 'postngs'; did you mean 'postings'?");
    check_refused("more: [{path: a}]", "1:1", "'more' holds keys, not a value");
    check_refused("postings: []\nmore: {postings: []}\nmore.postings: []", "3:1",
                  "key 'more.postings' was already given in line 2");
}

static void test_wrong_items(void)
{
    check_refused("postings:\n- path: a\n- path: b\n  wieght: 2\n", "4:3",
                  "unknown key 'postings[1].wieght'; did you mean 'postings[1].weight'?");
    check_refused("postings: [{path: a, columns: {\n  titel: b}}]", "2:3",
                  "unknown key 'postings[0].columns.titel'; did you mean 'postings[0].columns.title'?");
    check_refused("postings: [{path: a, entirely: b}]", "1:22", "unknown key 'postings[0].entirely'");
    CHECK(!strstr(err.text, "did you mean"));
    check_refused("postings: [{path: a, name: b}]", "1:22", "unknown key 'postings[0].name'");
    check_refused("postings: [{path: a, other: {}}]", "1:22", "unknown key 'postings[0].other'");
    check_refused("postings: [{path: a, columns: b}]", "1:22", "'postings[0].columns' holds keys, not a value");
    check_refused("postings: [{path: {a: b}}]", "1:13", "postings[0].path: keys where a value is expected");
    check_refused("postings: [{path: [a]}]", "1:13", "postings[0].path: a list where one value is expected");
    check_refused("postings: [{path: }]", "1:13", "postings[0].path: no value");
    check_refused("postings: [{path: a, tags: [b, [c]]}]", "1:22", "an item of postings[0].tags is not a plain value");
    check_refused("postings:\n- path: a\n- path: b\n  weight: heavy\n", "4:3",
                  "postings[1].weight: expected a number, not 'heavy'");
    check_refused("postings: [{path: a, weight: 100.5}]", "1:22", "postings[0].weight: expected 0 to 100");
    check_refused("postings: [{path: a, limits: {rows: 0}}]", "1:31", "postings[0].limits.rows: expected 1 to 1000000");
    check_refused("postings: [{path: a, path: b}]", "1:22", "key 'path' was already given in line 1");
    check_refused("postings:\n- columns: {title: a}\n  columns.title: b\n", "3:3",
                  "key 'postings[0].columns.title' was already given in line 2");
    check_refused("postings:\n- path: a\n- weight: 2\n  format: csv\n", "3:3",
                  "key 'postings[1].path' must be given (--set postings.1.path=...)");
    check_refused("more: {postings: [{}]}", "1:19", "key 'more.postings[0].path' must be given");
    REQUIRE_OK(load("postings: [{path: a, columns: , limits: {}}]")); /* sections with every key commented out */
}

/* Lists of `n` items, in the file and by one --set after the other. */
static void test_most_items(void)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    char sets[JC_CONF_ITEMS_MAX + 1][40];
    const char *all[JC_CONF_ITEMS_MAX + 2] = {NULL};
    jc_buf_puts(&text, "postings:\n");
    for (int i = 0; i < JC_CONF_ITEMS_MAX; i++) {
        snprintf(sets[i], sizeof sets[i], "postings.%d.path=%d", i, i);
        all[i] = sets[i];
        jc_buf_printf(&text, "- path: %d\n", i);
    }
    for (int from_sets = 0; from_sets < 2; from_sets++) {
        REQUIRE_OK(from_sets ? load_sets(NULL, all) : load(text.data));
        CHECK_INT(config.postings.n, 64);
        CHECK_STR(get_source(0)->path, "0");
        CHECK_STR(get_source(63)->path, "63");
    }
    CHECK_FAILS(LOAD_SETS(text.data, "postings.64.path=x"), JC_E_INVALID, "postings: more than 64 items");
    CHECK_FAILS(LOAD_SETS(text.data, "postings.65.path=x"), JC_E_INVALID, "postings has 64 items");
    jc_buf_puts(&text, "- path: x\n");
    check_refused(text.data, "66:3", "postings: more than 64 items");
}

static void test_long_names(void)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    jc_buf_puts(&text, "postings: [{");
    for (int i = 0; i < 300; i++)
        jc_buf_putc(&text, 'k');
    jc_buf_puts(&text, ": x}]");
    check_refused(text.data, "1:13", "unknown key 'postings[0].kkk");
}

/* Mistakes of a table show without any item. */
static void test_tables(void)
{
    static const struct jc_conf_key bad_default = {"size", JC_CONF_SIZE, 0, "huge", 0, 0, NULL, "Bad."};
    static const struct jc_conf_table inner = {&bad_default, 1, sizeof(uint64_t)};
    static const struct jc_conf_table outer = {keys, JC_COUNT(keys), sizeof(struct config)};
    static const struct jc_conf_key no_table = {"list", JC_CONF_ITEMS, 0, "", 0, 0, NULL, "None."};
    static const struct jc_conf_key bad_inner = {"list", JC_CONF_ITEMS, 0, "", 0, 0, &inner, "Bad."};
    static const struct jc_conf_key nested = {"list", JC_CONF_ITEMS, 0, "", 0, 0, &outer, "Nested."};
    static const struct jc_conf_key not_empty = {"list", JC_CONF_ITEMS, 0, "x", 0, 0, &sources, "Not empty."};
    static const struct jc_conf_key required = {"list", JC_CONF_ITEMS, 0, NULL, 0, 0, &sources, "Must be given."};
    struct jc_conf_items items;
    struct jc_conf *none = NULL;
    CHECK_FAILS(jc_conf_load(&no_table, 1, NULL, NULL, 0, &items, &none, &err), JC_E_INTERNAL, "'list' has no table");
    CHECK_FAILS(jc_conf_load(&bad_inner, 1, NULL, NULL, 0, &items, &none, &err), JC_E_INTERNAL,
                "key 'list': the default of key 'size'");
    CHECK_FAILS(jc_conf_load(&nested, 1, NULL, NULL, 0, &items, &none, &err), JC_E_INTERNAL, "'list[].postings'");
    CHECK_FAILS(jc_conf_load(&not_empty, 1, NULL, NULL, 0, &items, &none, &err), JC_E_INTERNAL, "default of key");
    CHECK_FAILS(jc_conf_load(&required, 1, NULL, NULL, 0, &items, &none, &err), JC_E_INVALID,
                "key 'list' must be given");
    CHECK(!none);
    const char *set = "list.0.path=x";
    JC_AUTO(jc_conf) struct jc_conf *given = NULL;
    REQUIRE_OK(jc_conf_load(&required, 1, NULL, &set, 1, &items, &given, &err));
    CHECK_INT(items.n, 1);
}

/* Each key without a default is asked for, in the order of the table. */
static void test_several_required(void)
{
    static const struct jc_conf_key pair_keys[] = {
        {"first", JC_CONF_COUNT, 0, NULL, 0, 0, NULL, "First."},
        {"second", JC_CONF_COUNT, sizeof(uint64_t), NULL, 0, 0, NULL, "Second."},
    };
    static const struct jc_conf_table pair = {pair_keys, 2, 2 * sizeof(uint64_t)};
    static const struct jc_conf_key list = {"list", JC_CONF_ITEMS, 0, "", 0, 0, &pair, "Pairs."};
    static const char *const sets[] = {"list.0.first=1", "list.0.second=2", "list.1.second=4", "list.1.first=3"};
    struct jc_conf_items items;
    struct jc_conf *none = NULL;
    CHECK_FAILS(jc_conf_load(&list, 1, NULL, sets, 1, &items, &none, &err), JC_E_INVALID, "key 'list[0].second'");
    CHECK_FAILS(jc_conf_load(&list, 1, NULL, sets + 1, 1, &items, &none, &err), JC_E_INVALID, "key 'list[0].first'");
    CHECK_FAILS(jc_conf_load(&list, 1, NULL, sets, 3, &items, &none, &err), JC_E_INVALID, "key 'list[1].first'");
    JC_AUTO(jc_conf) struct jc_conf *given = NULL;
    REQUIRE_OK(jc_conf_load(&list, 1, NULL, sets, 4, &items, &given, &err));
    REQUIRE(items.n == 2 && !none);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_INT(((const uint64_t *)items.items)[i], i + 1);
}

static void test_help(void)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    REQUIRE(out);
    jc_conf_print_help(keys, JC_COUNT(keys), out);
    fclose(out);
    CHECK_CONTAINS(text, "name (text; default x)\n    Whose.\n\n"
                         "postings (list of mappings; default empty)\n    Where rows come from.\n\n"
                         "postings[].path (text; required)\n    The file.\n\n"
                         "postings[].weight (number, 0 to 100; default 1)\n");
    CHECK_CONTAINS(text, "postings[].format (csv|tsv|jsonl; default csv)\n");
    CHECK_CONTAINS(text, "postings[].columns.title (text; default TITLE_RAW)\n    The title's column.\n\n");
    CHECK_CONTAINS(text, "more.postings[].tags (list; default a,b)\n    Its labels.\n");
    free(text);
}

int main(void)
{
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    test_values();
    test_empty();
    test_sets();
    test_wrong_sets();
    test_wrong_lists();
    test_wrong_items();
    test_most_items();
    test_long_names();
    test_tables();
    test_several_required();
    test_help();
    jc_conf_destroy(conf);
    unlink(path);
    return check_finish();
}
