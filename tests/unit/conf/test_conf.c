/* The configuration: every type, limits, overrides, and what each mistake is told, with its place. */
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "check.h"
#include "conf/conf.h"

struct config {
    const char *address;
    bool fast;
    uint64_t port;
    double factor;
    uint64_t body_bytes;
    uint64_t timeout_ms;
    unsigned level;
    struct jc_conf_list names;
    const char *token;
};

#define AT(member) offsetof(struct config, member)
static const struct jc_conf_key keys[] = {
    {"http.address", JC_CONF_STRING, AT(address), "127.0.0.1", 0, 0, NULL, "Where to listen."},
    {"http.port", JC_CONF_COUNT, AT(port), "8080", 1, 65535, NULL, "The TCP port."},
    {"http.limits.body", JC_CONF_SIZE, AT(body_bytes), "8MiB", 64, 1 << 30, NULL, "Largest body."},
    {"http.timeout", JC_CONF_DURATION, AT(timeout_ms), "5s", 250, 3600000, NULL, "Longest wait."},
    {"fast", JC_CONF_BOOL, AT(fast), "false", 0, 0, NULL, "Whether to hurry."},
    {"factor", JC_CONF_NUMBER, AT(factor), "0.5", -1, 1, NULL, "How much."},
    {"log.level", JC_CONF_CHOICE, AT(level), "info", 0, 0, "debug|info|warn", "Which lines."},
    {"names", JC_CONF_LIST, AT(names), "", 0, 0, NULL, "Whose."},
    {"token", JC_CONF_STRING, AT(token), "none", 0, 0, NULL, "What."},
};

static char path[] = "/tmp/jc-test-conf-XXXXXX";
static struct jc_err err;
static struct config config;
static struct jc_conf *conf;

/* Loads `text` as a file, with one override where `set` is not NULL. `config` and `conf` hold the result. */
static jc_code load_n(const char *text, size_t n, const char *set)
{
    jc_conf_destroy(conf);
    conf = NULL;
    REQUIRE_OK(jc_file_write(path, text, n, &err));
    return jc_conf_load(keys, JC_COUNT(keys), path, &set, set ? 1 : 0, &config, &conf, &err);
}

static jc_code load(const char *text, const char *set)
{
    return load_n(text, strlen(text), set);
}

/* The file `text` is refused at "<path>:<place>: <part>". */
static void check_refused(const char *text, const char *place, const char *part)
{
    char prefix[100];
    snprintf(prefix, sizeof prefix, "%s:%s: ", path, place);
    CHECK_FAILS(load(text, NULL), JC_E_INVALID, part);
    check_report(strncmp(err.text, prefix, strlen(prefix)) == 0, __FILE__, __LINE__, "'%s' does not begin with '%s'",
                 err.text, prefix);
}

static void test_defaults(void)
{
    REQUIRE_OK(jc_conf_load(keys, JC_COUNT(keys), NULL, NULL, 0, &config, &conf, &err));
    CHECK_STR(config.address, "127.0.0.1");
    CHECK_INT(config.port, 8080);
    CHECK_INT(config.body_bytes, 8 << 20);
    CHECK_INT(config.timeout_ms, 5000);
    CHECK(!config.fast && config.factor == 0.5);
    CHECK_INT(config.level, 1);
    CHECK_INT(config.names.n, 0);

    static const char *const nothing[] = {
        "",        "# a comment\n",    "---\n", "~",
        "http:\n", "http: {}\nlog:\n", "{}",    "\xef\xbb\xbf# with a byte order mark\n"};
    for (size_t i = 0; i < JC_COUNT(nothing); i++) {
        REQUIRE_OK(load(nothing[i], NULL));
        CHECK_INT(config.port, 8080);
    }
}

static void test_values(void)
{
    REQUIRE_OK(load("http:\n  address: \"::\"\n  port: 81\n  limits: {body: 64KiB}\n  timeout: 2m\n"
                    "fast: true\nfactor: -1e-1\nlog.level: warn\nnames: [a b, 'c,d']\ntoken: yes\n",
                    NULL));
    CHECK_STR(config.address, "::");
    CHECK_INT(config.port, 81);
    CHECK_INT(config.body_bytes, 65536);
    CHECK_INT(config.timeout_ms, 120000);
    CHECK(config.fast);
    CHECK_NEAR(config.factor, -0.1, 1e-12);
    CHECK_INT(config.level, 2);
    REQUIRE(config.names.n == 2);
    CHECK_STR(config.names.items[0], "a b");
    CHECK_STR(config.names.items[1], "c,d");
    CHECK_STR(config.token, "yes");

    REQUIRE_OK(load("names: one ,two,\tthree four\ntoken: ''\nfactor: '1'", NULL));
    REQUIRE(config.names.n == 3);
    CHECK_STR(config.names.items[0], "one");
    CHECK_STR(config.names.items[2], "three four");
    CHECK_STR(config.token, "");
    REQUIRE_OK(load("names: []", NULL));
    CHECK_INT(config.names.n, 0);
    REQUIRE_OK(load("token: |\n  two\n  lines\n", NULL));
    CHECK_STR(config.token, "two\nlines\n");
}

static void test_sets(void)
{
    REQUIRE_OK(load("http: {port: 81}\nnames: [a, b]", "http.port=82"));
    CHECK_INT(config.port, 82);
    CHECK_INT(config.names.n, 2);
    REQUIRE_OK(load("names: [a, b]", "names=c"));
    REQUIRE(config.names.n == 1);
    CHECK_STR(config.names.items[0], "c");
    REQUIRE_OK(load("", "token=a=b"));
    CHECK_STR(config.token, "a=b");
    REQUIRE_OK(load("token: x", "token="));
    CHECK_STR(config.token, "");

    static const char *const sets[] = {"http.port=1", "fast=true", "http.port=2"};
    jc_conf_destroy(conf);
    conf = NULL;
    REQUIRE_OK(jc_conf_load(keys, JC_COUNT(keys), NULL, sets, JC_COUNT(sets), &config, &conf, &err));
    CHECK_INT(config.port, 2);
    CHECK(config.fast);

    CHECK_FAILS(load("", "http.port=many"), JC_E_INVALID, "--set http.port=many: expected a whole number");
    CHECK_FAILS(load("", "http.port=0"), JC_E_INVALID, "--set http.port=0: expected 1 to 65535, not '0'");
    CHECK_FAILS(load("", "http.prot=1"), JC_E_INVALID, "did you mean 'http.port'?");
    CHECK_FAILS(load("", "http=1"), JC_E_INVALID, "unknown key 'http'");
    CHECK_FAILS(load("", "http.port"), JC_E_INVALID, "--set http.port: expected key=value");
    CHECK_FAILS(load("", "=1"), JC_E_INVALID, "expected key=value");
    CHECK_FAILS(load("", ""), JC_E_INVALID, "expected key=value");
}

static void test_wrong_values(void)
{
    check_refused("http:\n  port: 65536\n", "2:3", "http.port: expected 1 to 65535, not '65536'");
    check_refused("http:\n  port: 80 81\n", "2:3", "http.port: expected a whole number, not '80 81'");
    check_refused("http: {port: -1}", "1:8", "expected a whole number");
    check_refused("http: {limits: {body: 2GiB}}", "1:17", "expected 64B to 1GiB, not '2GiB'");
    check_refused("http: {limits: {body: 8 MB}}", "1:17", "expected a size");
    check_refused("http: {timeout: 5}", "1:8", "expected a duration");
    check_refused("http: {timeout: 249ms}", "1:8", "expected 250ms to 1h, not '249ms'");
    check_refused("factor: 1.01", "1:1", "expected -1 to 1");
    check_refused("factor: nan", "1:1", "expected a number");
    check_refused("factor: .inf", "1:1", "expected a number");
    check_refused("\n\nlog: {level: inf}", "3:7", "log.level: expected one of debug|info|warn, not 'inf'");
    check_refused("names: [a, [b]]", "1:1", "an item of names is not a plain value");
    check_refused("names: [a, '']", "1:1", "an empty item");
    check_refused("names: a,,b", "1:1", "an empty item");
    check_refused("names: a,", "1:1", "an empty item");
    check_refused("token: [a]", "1:1", "a list where one value is expected");
    check_refused("token: {a: b}", "1:1", "keys where a value is expected");
    check_refused("token:", "1:1", "token: no value");
    check_refused("token: ~", "1:1", "no value");
    check_refused("names: null", "1:1", "no value");
    static const char *const not_bool[] = {"yes", "True", "on", "1", "''"};
    for (size_t i = 0; i < JC_COUNT(not_bool); i++) {
        char text[40];
        snprintf(text, sizeof text, "fast: %s\n", not_bool[i]);
        check_refused(text, "1:1", "fast: expected true or false");
    }
}

static void test_wrong_keys(void)
{
    check_refused("http:\n  prot: 1\n", "2:3", "unknown key 'http.prot'; did you mean 'http.port'?");
    check_refused("htp: {port: 1}\n", "1:7", "unknown key 'htp.port'; did you mean 'http.port'?");
    check_refused("tokne: x", "1:1", "did you mean 'token'?");
    check_refused("entirely.different: 1", "1:1", "unknown key 'entirely.different'");
    CHECK(!strstr(err.text, "did you mean"));
    check_refused("x: 1", "1:1", "unknown key 'x'");
    CHECK(!strstr(err.text, "did you mean"));
    check_refused("other: {}", "1:1", "unknown key 'other'");
    check_refused("other:", "1:1", "unknown key 'other'");
    check_refused("http: 5", "1:1", "'http' holds keys, not a value");
    check_refused("http: [a]", "1:1", "'http' holds keys");
    check_refused("fast: true\nfast: true\n", "2:1", "key 'fast' was already given in line 1");
    check_refused("http: {port: 1}\nlog: {}\nhttp: {timeout: 5s}\n", "3:1", "key 'http' was already given in line 1");
    check_refused("http: {port: 1}\nhttp.port: 2\n", "2:1", "key 'http.port' was already given in line 1");
    check_refused("<<: {fast: true}", "1:6", "unknown key '<<.fast'");
}

static void test_wrong_yaml(void)
{
    check_refused("fast: true\n---\nfast: true\n", "2:1", "a second document");
    check_refused("token: &a x", "1:8", "anchors are not supported");
    check_refused("http: &a {}", "1:7", "anchors");
    check_refused("token: *a", "1:8", "aliases are not supported");
    check_refused("token: !!str x", "1:8", "tags are not supported");
    check_refused("names: !x [a]", "1:8", "tags");
    check_refused("! {}", "1:1", "tags");
    check_refused("[a]", "1:1", "not a mapping");
    check_refused("text", "1:1", "not a mapping");
    check_refused("''", "1:1", "not a mapping");
    check_refused("? [a]\n: b", "1:3", "a key must be plain text");
    check_refused("'': b", "1:1", "an empty key");
    check_refused("token: \"a\\0b\"", "1:8", "a NUL character");
    check_refused("http:\n  port: [1\n", "3:1", "did not find expected");
    check_refused("\tfast: true", "1:1", "");
    CHECK_FAILS(load("token: \xff", NULL), JC_E_INVALID, "byte 7");
    CHECK_FAILS(load_n("token: a\0b", 10, NULL), JC_E_INVALID, "control characters are not allowed");
}

static void test_limits(void)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    for (int i = 0; i < 1000; i++)
        jc_buf_puts(&text, "{a: ");
    CHECK_FAILS(load_n(text.data, text.n, NULL), JC_E_INVALID, "nested too deeply");
    jc_buf_clear(&text);
    for (int i = 0; i < 100000; i++)
        jc_buf_putc(&text, '[');
    CHECK_FAILS(load_n(text.data, text.n, NULL), JC_E_INVALID, "nested too deeply");
    jc_buf_clear(&text);
    jc_buf_puts(&text, "names: [a");
    for (int i = 0; i < 5000; i++)
        jc_buf_puts(&text, ",a");
    jc_buf_puts(&text, "]");
    CHECK_FAILS(load_n(text.data, text.n, NULL), JC_E_INVALID, "more values than");
    jc_buf_clear(&text);
    for (int i = 0; i < 5000; i++)
        jc_buf_puts(&text, "verylongkey");
    jc_buf_puts(&text, ": x");
    CHECK_FAILS(load_n(text.data, text.n, NULL), JC_E_INVALID, "");
    jc_buf_clear(&text);
    for (int i = 0; i < 300; i++)
        jc_buf_puts(&text, "k");
    jc_buf_puts(&text, ": x");
    CHECK_FAILS(load_n(text.data, text.n, NULL), JC_E_INVALID, "unknown key 'kkk");
    jc_buf_clear(&text);
    for (int i = 0; i < (1 << 20) + 1; i++)
        jc_buf_putc(&text, '\n');
    CHECK_FAILS(load_n(text.data, text.n, NULL), JC_E_TOO_LARGE, "larger than 1048576");
    CHECK_FAILS(jc_conf_load(keys, JC_COUNT(keys), "/nonexistent/x.yaml", NULL, 0, &config, &conf, &err),
                JC_E_NOT_FOUND, "/nonexistent/x.yaml");
}

static void test_tables(void)
{
    static const struct jc_conf_key required = {"secret", JC_CONF_STRING, 0, NULL, 0, 0, NULL, "Must be given."};
    static const struct jc_conf_key broken = {"size", JC_CONF_SIZE, 0, "huge", 0, 0, NULL, "Has a bad default."};
    const char *text = "kept", *set = "secret=x";
    CHECK_FAILS(jc_conf_load(&required, 1, NULL, NULL, 0, &text, &conf, &err), JC_E_INVALID,
                "key 'secret' must be given");
    CHECK_STR(text, "kept");
    jc_conf_destroy(conf);
    conf = NULL;
    REQUIRE_OK(jc_conf_load(&required, 1, NULL, &set, 1, &text, &conf, &err));
    CHECK_STR(text, "x");
    uint64_t size = 7;
    struct jc_conf *none = NULL;
    CHECK_FAILS(jc_conf_load(&broken, 1, NULL, NULL, 0, &size, &none, &err), JC_E_INTERNAL,
                "the default of key 'size'");
    CHECK(size == 7 && !none);
}

static void test_help(void)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    REQUIRE(out);
    jc_conf_print_help(keys, JC_COUNT(keys), out);
    fclose(out);
    CHECK_CONTAINS(text, "http.port (count, 1 to 65535; default 8080)\n    The TCP port.\n");
    CHECK_CONTAINS(text, "http.limits.body (size, 64B to 1GiB; default 8MiB)\n");
    CHECK_CONTAINS(text, "http.timeout (duration, 250ms to 1h; default 5s)\n");
    CHECK_CONTAINS(text, "log.level (debug|info|warn; default info)\n");
    CHECK_CONTAINS(text, "names (list; default empty)\n");
    free(text);
}

int main(void)
{
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    test_defaults();
    test_values();
    test_sets();
    test_wrong_values();
    test_wrong_keys();
    test_wrong_yaml();
    test_limits();
    test_tables();
    test_help();
    jc_conf_destroy(conf);
    unlink(path);
    return check_finish();
}
