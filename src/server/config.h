/* The server's configuration: a plain struct and the ONE table of its keys (config.c). config/server.yaml is its
 * manual. */
#ifndef JC_SERVER_CONFIG_H
#define JC_SERVER_CONFIG_H

#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "cuda/buckets.h"
#include "model/encoder.h"

struct jc_server_config {
    struct {
        const char *address;
        uint64_t port;
        uint64_t threads;
        uint64_t connections;
        uint64_t connections_per_address;
        uint64_t idle_timeout_ms;
        uint64_t header_timeout_ms;
        uint64_t body_timeout_ms;
        uint64_t send_timeout_ms;
        struct jc_conf_list trusted_proxies;
        bool compress;
        uint64_t compress_min;
        bool server_timing;
    } http;
    struct {
        const char *certificate, *key; /* "" = none */
    } tls;
    struct {
        struct jc_conf_list origins;
        uint64_t max_age_ms;
    } cors;
    struct {
        const char *keys_file; /* "" = none */
        uint64_t rate, burst;  /* titles a second (0 = no limit), titles */
    } auth;
    struct {
        uint64_t body_bytes;
        uint64_t postings;
        uint64_t title_chars;
        uint64_t text_chars;
        uint64_t top_n;
    } limits;
    struct {
        const char *folder;
        uint64_t top_n;
        uint64_t watch_ms; /* 0 = no watch */
    } model;
    struct {
        unsigned backend;            /* enum jc_backend */
        unsigned precision;          /* enum jc_precision */
        const char *device;          /* JC_DEVICE_FORMS: checked */
        struct jc_conf_list buckets; /* JC_CUDA_BUCKETS_FORMS: checked */
    } encoder;
    struct {
        uint64_t count;
        uint64_t nice;
        uint64_t batch_titles;
        uint64_t batch_tokens;
        uint64_t queue_titles;
        uint64_t queue_tokens;
    } workers;
    struct {
        uint64_t timeout_ms, timeout_max_ms;
        bool half_closed_left;
    } requests;
    struct {
        uint64_t bytes;
    } cache;
    struct {
        const char *address; /* "" = no admin listener */
        uint64_t port;
        bool metrics_only;
    } admin;
    struct {
        uint64_t canary_interval_ms; /* 0 = no canary */
        uint64_t canary_timeout_ms;
        uint64_t stuck_after_ms; /* 0 = never */
    } health;
    struct {
        uint64_t grace_ms;
        uint64_t timeout_ms;
    } shutdown;
    struct {
        unsigned level; /* enum jc_log_level */
        bool requests;
        double sample;
        bool titles;
    } log;
};

extern const struct jc_conf_key jc_server_keys[];
extern const size_t jc_server_n_keys;

/* Loads and checks what the table alone cannot say. Errors: as jc_conf_load. */
JC_MUST_CHECK jc_code jc_server_config_load(const char *path, const char *const *sets, size_t n_sets,
                                            struct jc_server_config *ret_config, struct jc_conf **ret_conf,
                                            struct jc_err *err);

static inline struct jc_encoder_options jc_server_encoder_options(const struct jc_server_config *config)
{
    struct jc_err err;
    struct jc_encoder_options options = {.backend = (enum jc_backend)config->encoder.backend,
                                         .precision = (enum jc_precision)config->encoder.precision};
    if (jc_encoder_device_parse(config->encoder.device, &options.device, &err))
        options.device = JC_DEVICE_AUTO;
    if (jc_cuda_buckets_parse(config->encoder.buckets.items, config->encoder.buckets.n, &options.buckets, &err))
        options.buckets.n = 0;
    return options;
}

#endif
