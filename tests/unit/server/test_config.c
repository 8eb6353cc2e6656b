/* The server's configuration: config/server.yaml gives every key, with the default of the table. */
#include "server/config.h"

#include <stdint.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

static const void *member(const struct jc_server_config *config, const struct jc_conf_key *key)
{
    return (const char *)config + key->offset;
}

static bool same_value(const struct jc_conf_key *key, const struct jc_server_config *a,
                       const struct jc_server_config *b)
{
    const void *x = member(a, key), *y = member(b, key);
    switch (key->type) {
    case JC_CONF_STRING:
        return strcmp(*(const char *const *)x, *(const char *const *)y) == 0;
    case JC_CONF_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case JC_CONF_LIST: {
        const struct jc_conf_list *p = x, *q = y;
        bool same = p->n == q->n;
        for (size_t i = 0; same && i < p->n; i++)
            same = strcmp(p->items[i], q->items[i]) == 0;
        return same;
    }
    case JC_CONF_NUMBER:
        return *(const double *)x == *(const double *)y;
    case JC_CONF_CHOICE:
        return *(const unsigned *)x == *(const unsigned *)y;
    default:
        return *(const uint64_t *)x == *(const uint64_t *)y;
    }
}

static void test_file_states_the_defaults(void)
{
    const char *root = getenv("JOBCODE_SOURCE_ROOT");
    if (!root)
        check_skip("JOBCODE_SOURCE_ROOT is not set");
    char path[4096];
    snprintf(path, sizeof path, "%s/config/server.yaml", root);

    /* Without defaults, a key that the file does not give is an error. */
    struct jc_conf_key keys[64];
    REQUIRE(jc_server_n_keys <= JC_COUNT(keys));
    for (size_t i = 0; i < jc_server_n_keys; i++) {
        keys[i] = jc_server_keys[i];
        keys[i].default_text = NULL;
    }
    struct jc_err err;
    struct jc_server_config from_file, from_table;
    JC_AUTO(jc_conf) struct jc_conf *file = NULL;
    JC_AUTO(jc_conf) struct jc_conf *table = NULL;
    REQUIRE_OK(jc_conf_load(keys, jc_server_n_keys, path, NULL, 0, &from_file, &file, &err));
    REQUIRE_OK(jc_server_config_load(NULL, NULL, 0, &from_table, &table, &err));
    for (size_t i = 0; i < jc_server_n_keys; i++)
        check_report(same_value(&keys[i], &from_file, &from_table), __FILE__, __LINE__,
                     "config/server.yaml: %s is not the table's default, %s", keys[i].key,
                     jc_server_keys[i].default_text);
}

static void test_defaults_reach_their_members(void)
{
    struct jc_err err;
    struct jc_server_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    REQUIRE_OK(jc_server_config_load(NULL, NULL, 0, &config, &conf, &err));
    CHECK_STR(config.http.address, "127.0.0.1");
    CHECK_INT(config.http.port, 8080);
    CHECK_INT(config.http.idle_timeout_ms, 60000);
    CHECK_INT(config.http.header_timeout_ms, 10000);
    CHECK_INT(config.http.connections_per_address, 0);
    CHECK_INT(config.http.trusted_proxies.n, 0);
    CHECK_INT(config.limits.body_bytes, 8 << 20);
    CHECK_INT(config.limits.postings, 1000);
    CHECK_INT(config.limits.title_chars, 1000);
    CHECK_INT(config.limits.text_chars, 100000);
    CHECK_INT(config.limits.top_n, 100);
    CHECK_INT(config.model.top_n, 5);
    CHECK_INT(config.workers.queue_titles, 8192);
    CHECK_INT(config.shutdown.grace_ms, 1000);
    CHECK(!config.log.requests && !config.log.titles);
    CHECK_INT(config.cors.origins.n, 0);
    CHECK_STR(config.auth.keys_file, "");
    CHECK_STR(config.tls.certificate, "");
}

static void check_refused(const char *first, const char *second, const char *part)
{
    struct jc_err err;
    struct jc_server_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    const char *sets[] = {first, second};
    CHECK_FAILS(jc_server_config_load(NULL, sets, second ? 2 : 1, &config, &conf, &err), JC_E_INVALID, part);
}

static void test_limits(void)
{
    check_refused("http.port=65536", NULL, "http.port");
    check_refused("http.port=-1", NULL, "http.port");
    check_refused("http.threads=0", NULL, "http.threads");
    check_refused("limits.body=63", NULL, "limits.body");
    check_refused("limits.top_n=0", NULL, "limits.top_n");
    check_refused("http.idle_timeout=10", NULL, "http.idle_timeout");
    check_refused("http.header_timeout=0", NULL, "http.header_timeout");
    check_refused("http.trusted_proxies=10.0.0.0/8,10.0.0.1/8", NULL, "http.trusted_proxies: '10.0.0.1/8'");
    check_refused("log.level=loud", NULL, "log.level");
    check_refused("workers.cuont=2", NULL, "workers.count");
    check_refused("nothing", NULL, "nothing");
    /* What the table alone cannot say. */
    check_refused("model.top_n=11", "limits.top_n=10", "limits.top_n");
    check_refused("limits.postings=100", "workers.queue_titles=99", "never served");
    check_refused("cors.origins=*,https://App.example", NULL, "cors.origins[1]");
    check_refused("tls.certificate=a.pem", NULL, "without tls.key");
    check_refused("tls.key=a.pem", NULL, "without tls.certificate");
    check_refused("auth.rate=5", NULL, "auth.keys_file");
    check_refused("encoder.device=gpu", NULL, "encoder.device=gpu: 'gpu' is no device");
    check_refused("encoder.buckets=64 100", NULL, "multiples of 16, at most 65536, not '100'");
    check_refused("encoder.buckets=64,32", NULL, "not '32' after '64'");
    check_refused("log.sample=1.5", NULL, "log.sample");
    check_refused("cors.max_age=25h", NULL, "cors.max_age");

    struct jc_err err;
    struct jc_server_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    const char *const sets[] = {"model.top_n=10", "limits.top_n=10", "limits.postings=99", "workers.queue_titles=99"};
    REQUIRE_OK(jc_server_config_load(NULL, sets, JC_COUNT(sets), &config, &conf, &err));
    CHECK_INT(config.limits.postings, 99);
}

/* Both ways of writing a list, and where one is wrong: the key, the line and the value. */
static void test_buckets(void)
{
    static const char *const good[] = {"encoder: {buckets: [64, 256, 1024]}", "encoder: {buckets: 64 256 1024}"};
    struct jc_err err;
    char path[] = "/tmp/jc-config-XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    for (size_t i = 0; i < JC_COUNT(good); i++) {
        struct jc_server_config config;
        JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
        REQUIRE_OK(jc_file_write(path, good[i], strlen(good[i]), &err));
        REQUIRE_OK(jc_server_config_load(path, NULL, 0, &config, &conf, &err));
        const struct jc_encoder_options options = jc_server_encoder_options(&config);
        CHECK_INT(options.buckets.n, 3);
        CHECK_INT(options.buckets.rows[1], 256);
    }
    static const char bad[] = "encoder:\n  device: cpu\n  buckets: [64, 250]\n";
    struct jc_server_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    REQUIRE_OK(jc_file_write(path, bad, strlen(bad), &err));
    CHECK_FAILS(jc_server_config_load(path, NULL, 0, &config, &conf, &err), JC_E_INVALID,
                ":3:3: encoder.buckets: expected multiples of 16, at most 65536, not '250'");
    REQUIRE_OK(jc_server_config_load(NULL, NULL, 0, &config, &conf, &err));
    CHECK_INT(jc_server_encoder_options(&config).buckets.n, 0);
    unlink(path);
}

int main(void)
{
    test_defaults_reach_their_members();
    test_limits();
    test_buckets();
    test_file_states_the_defaults();
    return check_finish();
}
