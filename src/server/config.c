/* The table of the server's keys. See config.h. */
#include "server/config.h"

#include <stddef.h>

#include "server/policy/cors.h"
#include "server/policy/rate_limit.h"
#include "server/wire/client_address.h"

#define AT(member) offsetof(struct jc_server_config, member)

static jc_code check_device(const char *const *items, size_t n, struct jc_err *err)
{
    int device;
    (void)n;
    return jc_encoder_device_parse(*items, &device, err);
}
static const struct jc_conf_check device_check = {check_device};

static jc_code check_buckets(const char *const *items, size_t n, struct jc_err *err)
{
    struct jc_cuda_buckets buckets;
    return jc_cuda_buckets_parse(items, n, &buckets, err);
}
static const struct jc_conf_check buckets_check = {check_buckets};

const struct jc_conf_key jc_server_keys[] = {
    {"http.address", JC_CONF_STRING, AT(http.address), "127.0.0.1", 0, 0, NULL,
     "Address to listen on: an IPv4 or IPv6 address; 0.0.0.0 or :: for all."},
    {"http.port", JC_CONF_COUNT, AT(http.port), "8080", 0, 65535, NULL,
     "TCP port; 0 lets the system choose one, which the log's `listening` line names."},
    {"http.threads", JC_CONF_COUNT, AT(http.threads), "2", 1, 64, NULL,
     "Event threads: they parse, tokenise and send. One carries tens of thousands of requests a second."},
    {"http.connections", JC_CONF_COUNT, AT(http.connections), "4096", 1, 1000000, NULL,
     "Most open connections; one more waits in the listen queue. Where too few files may be open: fewer, and a "
     "warning."},
    {"http.connections_per_address", JC_CONF_COUNT, AT(http.connections_per_address), "0", 0, 1000000, NULL,
     "Most open connections of one client address (an IPv6 client is its /64), and of one behind a trusted proxy most "
     "requests under way; over it: 503. 0 = no limit."},
    {"http.trusted_proxies", JC_CONF_LIST, AT(http.trusted_proxies), "", 0, 0, NULL,
     "Addresses and networks (10.0.0.0/8) of the proxies whose X-Forwarded-For is believed; from others it is "
     "ignored."},
    {"http.idle_timeout", JC_CONF_DURATION, AT(http.idle_timeout_ms), "60s", 100, 3600000, NULL,
     "Closes a connection on which no request has begun for this long."},
    {"http.header_timeout", JC_CONF_DURATION, AT(http.header_timeout_ms), "10s", 100, 3600000, NULL,
     "How long a request's head may take from its first byte; over it: 408, and the connection closes."},
    {"http.body_timeout", JC_CONF_DURATION, AT(http.body_timeout_ms), "60s", 100, 3600000, NULL,
     "How long a request's body may take; over it: 408, and the connection closes."},
    {"http.send_timeout", JC_CONF_DURATION, AT(http.send_timeout_ms), "60s", 100, 3600000, NULL,
     "How long a client may take to read an answer; over it the connection closes."},
    {"http.compress", JC_CONF_BOOL, AT(http.compress), "true", 0, 0, NULL,
     "Sends answers gzipped to clients that accept it: a quarter of the bytes, for about 5 ms of an event thread a "
     "MB."},
    {"http.compress_min", JC_CONF_SIZE, AT(http.compress_min), "1KiB", 1, 1073741824, NULL,
     "Shorter answers are sent as they are: they fit into a packet anyway."},
    {"http.server_timing", JC_CONF_BOOL, AT(http.server_timing), "true", 0, 0, NULL,
     "Server-Timing on every answer: milliseconds of parse, tokenize, queue, encode, score and in total."},
    {"tls.certificate", JC_CONF_STRING, AT(tls.certificate), "", 0, 0, NULL,
     "PEM file of the certificate and its chain: all listeners then speak TLS 1.2 and 1.3 alone; empty: plain "
     "HTTP, for behind a proxy."},
    {"tls.key", JC_CONF_STRING, AT(tls.key), "", 0, 0, NULL, "PEM file of its private key, without a password."},
    {"cors.origins", JC_CONF_LIST, AT(cors.origins), "", 0, 0, NULL,
     "Origins whose pages may call this from a browser, as browsers write them (https://app.example), or * for all; "
     "none: CORS is off."},
    {"cors.max_age", JC_CONF_DURATION, AT(cors.max_age_ms), "10m", 0, 86400000, NULL,
     "How long a browser may go by one preflight; whole seconds."},
    {"auth.keys_file", JC_CONF_STRING, AT(auth.keys_file), "", 0, 0, NULL,
     "API keys, a line name:sha256 each (jobcode-server --hash-key); read again when it changes; empty: no key is "
     "asked for."},
    {"auth.rate", JC_CONF_COUNT, AT(auth.rate), "0", 0, JC_RATE_MAX, NULL,
     "Titles a second that one key's name may send over time; over it: 429 with Retry-After; 0: no limit."},
    {"auth.burst", JC_CONF_COUNT, AT(auth.burst), "1000", 1, JC_RATE_MAX, NULL,
     "Titles it may send at once after a pause; a larger request is let in after one, and paid for by a longer pause."},
    {"limits.body", JC_CONF_SIZE, AT(limits.body_bytes), "8MiB", 64, 1073741824, NULL,
     "Largest request body; over it: 413."},
    {"limits.postings", JC_CONF_COUNT, AT(limits.postings), "1000", 1, 100000, NULL,
     "Most postings in a request; over it: 422."},
    {"limits.title_chars", JC_CONF_COUNT, AT(limits.title_chars), "1000", 1, 1000000, NULL,
     "Most characters (code points) in a title; over it: 422."},
    {"limits.text_chars", JC_CONF_COUNT, AT(limits.text_chars), "100000", 1, 10000000, NULL,
     "Most characters (code points) in a posting's body; over it: 422."},
    {"limits.top_n", JC_CONF_COUNT, AT(limits.top_n), "100", 1, 10000, NULL,
     "Largest top_n a client may ask for; over it: 422."},
    {"model.folder", JC_CONF_STRING, AT(model.folder), "models/current", 0, 0, NULL,
     "The model bundle (models/README.md). It is verified at start, and the server does not start with a bad one."},
    {"model.top_n", JC_CONF_COUNT, AT(model.top_n), "5", 1, 10000, NULL,
     "How many matches a request gets that does not say top_n."},
    {"model.watch", JC_CONF_DURATION, AT(model.watch_ms), "0", 0, 3600000, NULL,
     "How often to look whether model.folder leads to another bundle, and load that; 0 = only when asked to."},
    {"encoder.backend", JC_CONF_CHOICE, AT(encoder.backend), "onednn", 0, 0, JC_BACKEND_NAMES,
     "What runs the encoder: our own code over oneDNN, libtorch, or our own code for a GPU, over CUDA."},
    {"encoder.precision", JC_CONF_CHOICE, AT(encoder.precision), "f32", 0, 0, JC_PRECISION_NAMES,
     "int8 is three times as fast and gives another first answer in one title of two hundred; it needs onednn. f16 is "
     "for GPUs."},
    {"encoder.device", JC_CONF_STRING, AT(encoder.device), "auto", 0, 0, &device_check,
     "Where the encoder runs: cuda:0, cuda:1, ... a GPU; cpu; auto: on the first GPU where there is one that can, "
     "else on the CPU."},
    {"encoder.buckets", JC_CONF_LIST, AT(encoder.buckets), "auto", 0, 0, &buckets_check,
     "Numbers of tokens that a GPU's batches are rounded up to, each recorded once: ascending multiples of 16, of "
     "which the last is the most of a batch and holds the longest text. auto: 16, 32, 48, 64, 96, 128, ... to 8192."},
    {"workers.count", JC_CONF_COUNT, AT(workers.count), "0", 0, 1024, NULL,
     "Inference threads, each single-threaded inside; 0 = one a core (affinity and cgroup quota counted), or "
     "where the encoder runs on a GPU two: one batch is prepared and copied while the other runs."},
    {"workers.nice", JC_CONF_COUNT, AT(workers.nice), "5", 0, 19, NULL,
     "What is added to the niceness of inference threads: event threads need not wait for them. 0 = nothing."},
    {"workers.batch_titles", JC_CONF_COUNT, AT(workers.batch_titles), "64", 1, 4096, NULL,
     "Most titles a worker takes at once. Throughput is flat from about 32; a larger batch only holds up who waits. "
     "On a GPU batches grow up to this as long as it gains by them."},
    {"workers.batch_tokens", JC_CONF_COUNT, AT(workers.batch_tokens), "4096", 512, 65536, NULL,
     "Most tokens a worker takes at once: bounds the time and memory of a batch of long texts."},
    {"workers.queue_titles", JC_CONF_COUNT, AT(workers.queue_titles), "8192", 1, 10000000, NULL,
     "Most titles waiting; a request that would go over it gets 503 with Retry-After."},
    {"workers.queue_tokens", JC_CONF_COUNT, AT(workers.queue_tokens), "1048576", 512, 1000000000, NULL,
     "Most tokens waiting, likewise: bounds the wait behind long texts. One larger request alone is still taken."},
    {"requests.timeout", JC_CONF_DURATION, AT(requests.timeout_ms), "30s", 1, 3600000, NULL,
     "A request's time from its headers, where it does not say X-Request-Timeout-Ms; over it: 504. What cannot be done "
     "in time at the measured rate is refused at once: 503."},
    {"requests.timeout_max", JC_CONF_DURATION, AT(requests.timeout_max_ms), "5m", 1, 3600000, NULL,
     "The most that X-Request-Timeout-Ms may ask for; more is cut to it."},
    {"requests.half_closed_left", JC_CONF_BOOL, AT(requests.half_closed_left), "false", 0, 0, NULL,
     "Whether a client that closed its sending side counts as gone, so that its titles are not computed."},
    {"cache.size", JC_CONF_SIZE, AT(cache.bytes), "64MiB", 0, 68719476736, NULL,
     "Memory for answers of titles seen before; 0 = off, and equal titles under way are not computed once only."},
    {"admin.address", JC_CONF_STRING, AT(admin.address), "", 0, 0, NULL,
     "Address of the admin listener (POST /admin/reload, probes, metrics); empty = none. Whoever reaches it, may, "
     "with a key where keys are asked for."},
    {"admin.port", JC_CONF_COUNT, AT(admin.port), "8081", 0, 65535, NULL,
     "Its TCP port; 0 lets the system choose one, which the log's `listening` line names."},
    {"admin.metrics_only", JC_CONF_BOOL, AT(admin.metrics_only), "false", 0, 0, NULL,
     "Serves /metrics on the admin listener only."},
    {"health.canary_interval", JC_CONF_DURATION, AT(health.canary_interval_ms), "10s", 0, 3600000, NULL,
     "How often a canary title goes through the queue and the workers; /readyz is 503 where it fails. 0 = never."},
    {"health.canary_timeout", JC_CONF_DURATION, AT(health.canary_timeout_ms), "5s", 10, 600000, NULL,
     "The canary fails where it has no answer for so long, and no other title was classified either."},
    {"health.stuck_after", JC_CONF_DURATION, AT(health.stuck_after_ms), "60s", 0, 3600000, NULL,
     "/livez is 503 where a worker has been on one batch for longer. 0 = never."},
    {"shutdown.grace", JC_CONF_DURATION, AT(shutdown.grace_ms), "1s", 0, 600000, NULL,
     "After SIGTERM: how long new connections are still served while /readyz already says 503. A second one ends it."},
    {"shutdown.timeout", JC_CONF_DURATION, AT(shutdown.timeout_ms), "30s", 0, 600000, NULL,
     "After that: how long accepted requests may take to be answered; then they get 503, and the exit status is 1."},
    {"log.level", JC_CONF_CHOICE, AT(log.level), "info", 0, 0, "debug|info|warn|error",
     "Log lines below this level are dropped."},
    {"log.requests", JC_CONF_BOOL, AT(log.requests), "false", 0, 0, NULL,
     "One log line a request: id, trace, method, path, status, bytes, titles, milliseconds by stage, key, address."},
    {"log.sample", JC_CONF_NUMBER, AT(log.sample), "1", 0, 1, NULL,
     "The share of good requests that log.requests logs; those answered 400 or above are always logged."},
    {"log.titles", JC_CONF_BOOL, AT(log.titles), "false", 0, 0, NULL,
     "Puts the titles into those lines (the first 4 KiB): they may be personal data."},
};
const size_t jc_server_n_keys = JC_COUNT(jc_server_keys);

static jc_code check_addresses(const struct jc_server_config *config, struct jc_err *err)
{
    JC_AUTO(jc_networks) struct jc_networks *proxies = NULL;
    jc_code code =
        jc_networks_create(config->http.trusted_proxies.items, config->http.trusted_proxies.n, &proxies, err);
    return code ? jc_wrap(err, "http.trusted_proxies") : JC_OK;
}

static jc_code check_policy(const struct jc_server_config *config, struct jc_err *err)
{
    for (size_t i = 0; i < config->cors.origins.n; i++)
        if (jc_cors_check_origin(config->cors.origins.items[i], err) != JC_OK)
            return jc_wrap(err, "cors.origins[%zu]", i);
    if (!config->tls.certificate[0] != !config->tls.key[0])
        return jc_fail(err, JC_E_INVALID, "%s is given without %s", config->tls.key[0] ? "tls.key" : "tls.certificate",
                       config->tls.key[0] ? "tls.certificate" : "tls.key");
    if (config->auth.rate && !config->auth.keys_file[0])
        return jc_fail(err, JC_E_INVALID, "auth.rate is given without auth.keys_file: the rate is a key's");
    return JC_OK;
}

jc_code jc_server_config_load(const char *path, const char *const *sets, size_t n_sets,
                              struct jc_server_config *ret_config, struct jc_conf **ret_conf, struct jc_err *err)
{
    struct jc_server_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    jc_code code = jc_conf_load(jc_server_keys, jc_server_n_keys, path, sets, n_sets, &config, &conf, err);
    if (code)
        return code;
    if (config.model.top_n > config.limits.top_n)
        return jc_fail(err, JC_E_INVALID, "model.top_n (%ju) is over limits.top_n (%ju)", (uintmax_t)config.model.top_n,
                       (uintmax_t)config.limits.top_n);
    if (config.limits.postings > config.workers.queue_titles)
        return jc_fail(err, JC_E_INVALID, "limits.postings (%ju) is over workers.queue_titles (%ju): never served",
                       (uintmax_t)config.limits.postings, (uintmax_t)config.workers.queue_titles);
    if (config.requests.timeout_ms > config.requests.timeout_max_ms)
        return jc_fail(err, JC_E_INVALID, "requests.timeout (%ju ms) is over requests.timeout_max (%ju ms)",
                       (uintmax_t)config.requests.timeout_ms, (uintmax_t)config.requests.timeout_max_ms);
    if (config.admin.metrics_only && !config.admin.address[0])
        return jc_fail(err, JC_E_INVALID, "admin.metrics_only without admin.address: metrics would be nowhere");
    if ((code = check_addresses(&config, err)) || (code = check_policy(&config, err)))
        return code;
    *ret_config = config;
    *ret_conf = TAKE(conf);
    return JC_OK;
}
