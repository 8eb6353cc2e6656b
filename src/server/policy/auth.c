/* Who may ask. See auth.h. */
#include "server/policy/auth.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "server/observe/metrics.h"

#define MAX_FILE_BYTES ((size_t)1 << 20)
#define POLL_NS JC_NS_PER_S

struct client {
    struct jc_bucket bucket;
    uint64_t n_requests, n_titles, n_limited;
};

struct stamp {
    dev_t device;
    ino_t inode;
    off_t n_bytes;
    struct timespec modified;
};

struct jc_auth {
    const char *path;
    struct jc_rate rate;
    pthread_mutex_t lock; /* keys, clients */
    struct jc_keys keys;
    struct client *clients;      /* [keys.n_names] */
    pthread_mutex_t reload_lock; /* one reload at a time; taken before `lock`. Guards stamp */
    struct stamp stamp;          /* of the file when it was last read, well or not */
    _Atomic uint64_t next_poll_ns;
    _Atomic uint64_t n_reloads, n_failures;
};

/* All zeros where there is no such file. */
static struct stamp stamp_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct stamp){0};
    return (struct stamp){
        .device = status.st_dev, .inode = status.st_ino, .n_bytes = status.st_size, .modified = status.st_mtim};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->n_bytes == b->n_bytes &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static jc_code read_keys(const char *path, struct jc_keys *ret_keys, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    jc_code code = jc_file_read(path, MAX_FILE_BYTES, &text, err);
    if (!code)
        code = jc_keys_parse(text.data ? text.data : "", text.n, ret_keys, err);
    return code ? jc_wrap(err, "auth.keys_file '%s'", path) : JC_OK;
}

static size_t find_name(const struct jc_keys *keys, const char *name)
{
    size_t i = 0;
    while (i < keys->n_names && strcmp(keys->names[i], name) != 0)
        i++;
    return i;
}

/* Makes *keys the ones in force; leaves the old ones, to be freed, in their place. */
static jc_code install(struct jc_auth *auth, struct jc_keys *keys, struct jc_err *err)
{
    JC_AUTO_FREE struct client *clients = calloc(keys->n_names + 1, sizeof *clients);
    if (!clients)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    uint64_t now = jc_clock_ns();
    for (size_t i = 0; i < keys->n_names; i++)
        clients[i].bucket = jc_bucket_full(&auth->rate, now);

    pthread_mutex_lock(&auth->lock);
    for (size_t i = 0; i < keys->n_names; i++) {
        size_t old = find_name(&auth->keys, keys->names[i]);
        if (old < auth->keys.n_names)
            clients[i] = auth->clients[old];
    }
    struct jc_keys old_keys = auth->keys;
    struct client *old_clients = auth->clients;
    auth->keys = *keys;
    auth->clients = clients;
    pthread_mutex_unlock(&auth->lock);
    *keys = old_keys;
    clients = old_clients;
    return JC_OK;
}

static jc_code reload_locked(struct jc_auth *auth, struct jc_err *err)
{
    /* The stamp before the text: a change in between is then read again. */
    auth->stamp = stamp_of(auth->path);
    JC_AUTO_FINISH(jc_keys) struct jc_keys keys = {0};
    jc_code code = read_keys(auth->path, &keys, err);
    if (!code)
        code = install(auth, &keys, err);
    atomic_fetch_add(code ? &auth->n_failures : &auth->n_reloads, 1);
    return code;
}

jc_code jc_auth_reload(struct jc_auth *auth, struct jc_err *err)
{
    pthread_mutex_lock(&auth->reload_lock);
    jc_code code = reload_locked(auth, err);
    pthread_mutex_unlock(&auth->reload_lock);
    return code;
}

static void reload_if_changed(struct jc_auth *auth)
{
    struct jc_err err;
    jc_code code = JC_OK;
    bool changed = false;
    if (pthread_mutex_trylock(&auth->reload_lock) != 0)
        return; /* another thread is at it */
    struct stamp stamp = stamp_of(auth->path);
    if ((changed = !same_stamp(&stamp, &auth->stamp)))
        code = reload_locked(auth, &err);
    pthread_mutex_unlock(&auth->reload_lock);
    if (code)
        jc_log_err("keys_reload_failed", &err);
    else if (changed)
        jc_log(JC_LOG_INFO, "keys_reloaded", "path", auth->path, NULL);
}

/* One thread a second wins the exchange. */
static void poll_file(struct jc_auth *auth)
{
    uint64_t now = jc_clock_ns(), next = atomic_load_explicit(&auth->next_poll_ns, memory_order_relaxed);
    if (now >= next && atomic_compare_exchange_strong(&auth->next_poll_ns, &next, now + POLL_NS))
        reload_if_changed(auth);
}

jc_code jc_auth_create(const char *path, const struct jc_rate *rate, struct jc_auth **ret_auth, struct jc_err *err)
{
    JC_AUTO(jc_auth) struct jc_auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    auth->path = path;
    auth->rate = *rate;
    pthread_mutex_init(&auth->lock, NULL);
    pthread_mutex_init(&auth->reload_lock, NULL);
    jc_code code = jc_auth_reload(auth, err);
    if (code)
        return code;
    atomic_store(&auth->n_reloads, 0); /* the first read is none */
    atomic_store(&auth->next_poll_ns, jc_clock_ns() + POLL_NS);
    *ret_auth = TAKE(auth);
    return JC_OK;
}

void jc_auth_destroy(struct jc_auth *auth)
{
    if (!auth)
        return;
    jc_keys_finish(&auth->keys);
    free(auth->clients);
    pthread_mutex_destroy(&auth->reload_lock);
    pthread_mutex_destroy(&auth->lock);
    free(auth);
}

bool jc_auth_identify(struct jc_auth *auth, const void *key, size_t n, char ret_name[JC_KEY_NAME])
{
    unsigned char digest[JC_SHA256_BYTES];
    poll_file(auth);
    jc_sha256_bytes(key, n, digest);
    pthread_mutex_lock(&auth->lock);
    size_t found = jc_keys_find(&auth->keys, digest);
    bool known = found < auth->keys.n_names;
    if (known) {
        memcpy(ret_name, auth->keys.names[found], JC_KEY_NAME);
        auth->clients[found].n_requests++;
    }
    pthread_mutex_unlock(&auth->lock);
    return known;
}

bool jc_auth_take(struct jc_auth *auth, const char *name, uint64_t n_titles, uint64_t *ret_wait_s)
{
    bool taken = true;
    uint64_t wait_ns = 0;
    pthread_mutex_lock(&auth->lock);
    size_t found = find_name(&auth->keys, name);
    if (found < auth->keys.n_names) { /* else its key went while the body came in */
        struct client *client = &auth->clients[found];
        if (auth->rate.titles_per_s)
            taken = jc_bucket_take(&client->bucket, &auth->rate, n_titles, jc_clock_ns(), &wait_ns);
        client->n_titles += taken ? n_titles : 0;
        client->n_limited += !taken;
    }
    pthread_mutex_unlock(&auth->lock);
    *ret_wait_s = wait_ns / JC_NS_PER_S + (wait_ns % JC_NS_PER_S > 0);
    return taken;
}

/* The counts under one lock, to be written without it. Returns how many names. */
static size_t copy_counts(struct jc_auth *auth, char (*ret_names)[JC_KEY_NAME], struct client *ret_clients)
{
    pthread_mutex_lock(&auth->lock);
    size_t n = auth->keys.n_names;
    memcpy(ret_names, auth->keys.names, n * sizeof ret_names[0]);
    memcpy(ret_clients, auth->clients, n * sizeof ret_clients[0]);
    pthread_mutex_unlock(&auth->lock);
    return n;
}

static const struct {
    const char *name, *help;
    size_t offset;
} families[] = {
    {"jobcode_key_requests_total", "Requests with a valid key, by its name.", offsetof(struct client, n_requests)},
    {"jobcode_key_titles_total", "Titles let in, by the key's name.", offsetof(struct client, n_titles)},
    {"jobcode_key_rate_limited_total", "Requests refused for their rate, by the key's name.",
     offsetof(struct client, n_limited)},
};

void jc_auth_put_metrics(struct jc_auth *auth, struct jc_buf *out)
{
    char names[JC_KEY_NAMES_MAX][JC_KEY_NAME];
    struct client clients[JC_KEY_NAMES_MAX];
    size_t n = copy_counts(auth, names, clients);
    for (size_t f = 0; f < JC_COUNT(families); f++) {
        jc_metrics_put_head(out, families[f].name, families[f].help, "counter");
        for (size_t i = 0; i < n; i++) {
            uint64_t value;
            memcpy(&value, (const char *)&clients[i] + families[f].offset, sizeof value);
            jc_buf_printf(out, "%s{key=\"%s\"} %ju\n", families[f].name, names[i], (uintmax_t)value);
        }
    }
    jc_metrics_put_counter(out, "jobcode_keys_reloads_total", "Times that changed keys were read.",
                           (double)atomic_load(&auth->n_reloads));
    jc_metrics_put_counter(out, "jobcode_keys_reload_failures_total", "Times that changed keys could not be read.",
                           (double)atomic_load(&auth->n_failures));
}
