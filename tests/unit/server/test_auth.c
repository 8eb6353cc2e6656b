/* Keys in force: rotation, reloads that fail, names and buckets that outlive one, and threads at it all at once. */
#include "server/policy/auth.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/file.h"
#include "base/log.h"
#include "check.h"

static char folder[] = "/tmp/test_auth-XXXXXX";
static char path[64];

static const struct jc_rate no_limit = {.titles_per_s = 0, .burst = 1}, slow = {.titles_per_s = 1, .burst = 10};

/* pairs: "name", "key", ..., NULL */
static void write_keys(const char *const *pairs)
{
    struct jc_err err;
    JC_AUTO_BUF struct jc_buf text = {0};
    for (; *pairs; pairs += 2) {
        char hex[JC_SHA256_HEX];
        jc_sha256_hex(pairs[1], strlen(pairs[1]), hex);
        jc_buf_printf(&text, "%s:%s\n", pairs[0], hex);
    }
    REQUIRE_OK(jc_file_write(path, text.data ? text.data : "", text.n, &err));
}

#define WRITE_KEYS(...) write_keys((const char *const[]){__VA_ARGS__, NULL})

/* Whose key; "" = no one's. */
static const char *name_of(struct jc_auth *auth, const char *key)
{
    static char name[JC_KEY_NAME];
    return jc_auth_identify(auth, key, strlen(key), name) ? name : "";
}

static void test_rotation(void)
{
    struct jc_err err;
    JC_AUTO(jc_auth) struct jc_auth *auth = NULL;
    WRITE_KEYS("a", "old-key-of-a", "b", "key-of-b");
    REQUIRE_OK(jc_auth_create(path, &no_limit, &auth, &err));
    CHECK_STR(name_of(auth, "old-key-of-a"), "a");
    CHECK_STR(name_of(auth, "key-of-b"), "b");
    CHECK_STR(name_of(auth, "old-key-of-"), "");
    CHECK_STR(name_of(auth, "old-key-of-a "), "");
    CHECK_STR(name_of(auth, ""), "");

    WRITE_KEYS("b", "key-of-b", "a", "old-key-of-a", "a", "new-key-of-a");
    REQUIRE_OK(jc_auth_reload(auth, &err));
    CHECK_STR(name_of(auth, "old-key-of-a"), "a");
    CHECK_STR(name_of(auth, "new-key-of-a"), "a");
    WRITE_KEYS("a", "new-key-of-a");
    REQUIRE_OK(jc_auth_reload(auth, &err));
    CHECK_STR(name_of(auth, "old-key-of-a"), "");
    CHECK_STR(name_of(auth, "key-of-b"), "");
    CHECK_STR(name_of(auth, "new-key-of-a"), "a");
}

static void test_bad_files(void)
{
    struct jc_err err;
    JC_AUTO(jc_auth) struct jc_auth *auth = NULL;
    CHECK_FAILS(jc_auth_create("/nothing/keys", &no_limit, &auth, &err), JC_E_NOT_FOUND, "/nothing/keys");
    REQUIRE_OK(jc_file_write(path, "# fine\nnope\n", 12, &err));
    CHECK_FAILS(jc_auth_create(path, &no_limit, &auth, &err), JC_E_INVALID, "keys': line 2");

    WRITE_KEYS("a", "key-of-a");
    REQUIRE_OK(jc_auth_create(path, &no_limit, &auth, &err));
    REQUIRE_OK(jc_file_write(path, "nope\n", 5, &err));
    CHECK_FAILS(jc_auth_reload(auth, &err), JC_E_INVALID, "line 1");
    CHECK_STR(name_of(auth, "key-of-a"), "a");
    REQUIRE(remove(path) == 0);
    CHECK_FAILS(jc_auth_reload(auth, &err), JC_E_NOT_FOUND, path);
    CHECK_STR(name_of(auth, "key-of-a"), "a");
    JC_AUTO_BUF struct jc_buf page = {0};
    jc_auth_put_metrics(auth, &page);
    CHECK_CONTAINS(page.data, "\njobcode_keys_reload_failures_total 2\n");
    CHECK_CONTAINS(page.data, "\njobcode_keys_reloads_total 0\n");
    CHECK_CONTAINS(page.data, "\njobcode_key_requests_total{key=\"a\"} 2\n");
}

static void test_rate(void)
{
    struct jc_err err;
    uint64_t wait_s = 0;
    JC_AUTO(jc_auth) struct jc_auth *auth = NULL;
    WRITE_KEYS("a", "key-of-a", "b", "key-of-b");
    REQUIRE_OK(jc_auth_create(path, &slow, &auth, &err));
    CHECK(jc_auth_take(auth, "a", 1000, &wait_s)); /* from a full bucket; in debt for a quarter of an hour */
    CHECK(!jc_auth_take(auth, "a", 1, &wait_s));
    CHECK(wait_s > 900 && wait_s <= 991);
    CHECK(jc_auth_take(auth, "b", 10, &wait_s));
    /* A reload does not give the debt away, whatever the order of the lines. */
    WRITE_KEYS("c", "key-of-c", "b", "key-of-b", "a", "key-of-a");
    REQUIRE_OK(jc_auth_reload(auth, &err));
    CHECK(!jc_auth_take(auth, "a", 1, &wait_s));
    CHECK(jc_auth_take(auth, "c", 1, &wait_s));
    CHECK(jc_auth_take(auth, "gone", 5, &wait_s));
    JC_AUTO_BUF struct jc_buf page = {0};
    jc_auth_put_metrics(auth, &page);
    CHECK_CONTAINS(page.data, "\njobcode_key_titles_total{key=\"a\"} 1000\n");
    CHECK_CONTAINS(page.data, "\njobcode_key_rate_limited_total{key=\"a\"} 2\n");
    CHECK_CONTAINS(page.data, "\njobcode_key_rate_limited_total{key=\"b\"} 0\n");

    WRITE_KEYS("a", "key-of-a");
    JC_AUTO(jc_auth) struct jc_auth *unlimited = NULL;
    REQUIRE_OK(jc_auth_create(path, &no_limit, &unlimited, &err));
    for (int i = 0; i < 1000; i++)
        CHECK(jc_auth_take(unlimited, "a", 1000, &wait_s));
}

static atomic_bool stopping;

/* Returns NULL where it was let in every time: CHECK is one thread's. */
static void *ask(void *context)
{
    struct jc_auth *auth = context;
    while (!atomic_load(&stopping)) {
        char name[JC_KEY_NAME];
        uint64_t wait_s;
        if (!jc_auth_identify(auth, "key-of-a", strlen("key-of-a"), name) || strcmp(name, "a") != 0)
            return context;
        jc_auth_take(auth, name, 1, &wait_s);
    }
    return NULL;
}

static void test_threads(void)
{
    struct jc_err err;
    JC_AUTO(jc_auth) struct jc_auth *auth = NULL;
    WRITE_KEYS("a", "key-of-a");
    REQUIRE_OK(jc_auth_create(path, &slow, &auth, &err));
    pthread_t threads[3];
    for (size_t i = 0; i < JC_COUNT(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, ask, auth) == 0);
    for (int i = 0; i < 300; i++) {
        JC_AUTO_BUF struct jc_buf page = {0};
        REQUIRE_OK(jc_auth_reload(auth, &err));
        jc_auth_put_metrics(auth, &page);
    }
    atomic_store(&stopping, true);
    for (size_t i = 0; i < JC_COUNT(threads); i++) {
        void *refused;
        pthread_join(threads[i], &refused);
        CHECK(!refused);
    }
}

int main(void)
{
    struct jc_err err;
    REQUIRE(mkdtemp(folder));
    REQUIRE_OK(jc_path_join(path, sizeof path, folder, "keys", &err));
    test_rotation();
    test_bad_files();
    test_rate();
    test_threads();
    jc_dir_remove(folder);
    return check_finish();
}
