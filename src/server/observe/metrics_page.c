/* GET /metrics: the Prometheus page. */
#include "base/clock.h"
#include "model/runtime.h"
#include "server/api/endpoints.h"
#include "server/api/request.h"
#include "server/api/routes.h"
#include "server/observe/device_metrics.h"
#include "server/observe/process_metrics.h"
#include "server/policy/auth.h"
#include "server/server.h"
#include "server/wire/intake.h"
#include "version.h"

/* A label value with backslash, quote and line feed escaped. */
static void put_label(struct jc_buf *out, const char *name, const char *value)
{
    jc_buf_printf(out, "%s%s=\"", out->n > 1 ? "," : "", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            jc_buf_putc(out, '\\');
        if (*value == '\n')
            jc_buf_puts(out, "\\n");
        else
            jc_buf_putc(out, *value);
    }
    jc_buf_putc(out, '"');
}

static void put_model_info(struct jc_model *model, struct jc_buf *out)
{
    const struct jc_manifest *manifest = jc_bundle_manifest(jc_classifier_bundle(model->classifier));
    JC_AUTO_BUF struct jc_buf labels = {0};
    jc_buf_putc(&labels, '{');
    put_label(&labels, "version", manifest->version);
    put_label(&labels, "method", manifest->method);
    put_label(&labels, "taxonomy", manifest->taxonomy);
    put_label(&labels, "encoder", manifest->encoder.name);
    jc_buf_putc(&labels, '}');
    if (!labels.failed)
        jc_metrics_put_gauge(out, "jobcode_model_info", "The loaded model.", labels.data, 1);
}

static void put_build_info(struct jc_buf *out)
{
    JC_AUTO_BUF struct jc_buf labels = {0};
    jc_buf_putc(&labels, '{');
    put_label(&labels, "version", JC_VERSION);
    put_label(&labels, "libraries", jc_runtime_versions());
    jc_buf_putc(&labels, '}');
    if (!labels.failed)
        jc_metrics_put_gauge(out, "jobcode_build_info", "The program.", labels.data, 1);
}

static void put_cache(struct jc_cache *cache, uint64_t max_bytes, struct jc_buf *out)
{
    struct jc_cache_size size = cache ? jc_cache_size(cache) : (struct jc_cache_size){0};
    jc_metrics_put_gauge(out, "jobcode_cache_bytes", "Memory of the result cache.", "", (double)size.n_bytes);
    jc_metrics_put_gauge(out, "jobcode_cache_entries", "Answers in the result cache.", "", (double)size.n_entries);
    jc_metrics_put_gauge(out, "jobcode_cache_max_bytes", "The most memory it may take; 0: off.", "", (double)max_bytes);
}

static void put_queue(struct jc_batcher *batcher, const struct jc_server_config *config, struct jc_buf *out)
{
    struct jc_batcher_load load = jc_batcher_load(batcher);
    jc_metrics_put_gauge(out, "jobcode_queue_titles", "Titles waiting for a worker.", "", (double)load.n_titles);
    jc_metrics_put_gauge(out, "jobcode_queue_tokens", "Tokens of these titles.", "", (double)load.n_tokens);
    jc_metrics_put_gauge(out, "jobcode_queue_max_titles", "The most titles that may wait.", "",
                         (double)config->workers.queue_titles);
    jc_metrics_put_gauge(out, "jobcode_queue_max_tokens", "The most tokens that may wait.", "",
                         (double)config->workers.queue_tokens);
    jc_metrics_put_gauge(out, "jobcode_queue_expected_wait_seconds",
                         "Until all that waits is done, at the measured rate; 0: not known.", "", load.wait_s);
    jc_metrics_put_gauge(out, "jobcode_rate_tokens_per_second",
                         "What all workers together do while more is waiting, over the latest batches; 0: not known.",
                         "", load.tokens_per_s);
}

static void put_workers(const struct jc_server *server, struct jc_buf *out)
{
    jc_metrics_put_gauge(out, "jobcode_workers", "Inference threads.", "", (double)server->n_workers);
    jc_metrics_put_gauge(out, "jobcode_worker_longest_batch_seconds",
                         "For how long the batch that is longest under way has been.", "",
                         (double)jc_workers_longest_ns(server->workers) / (double)JC_NS_PER_S);
}

static void put_connections(const struct jc_server *server, struct jc_buf *out)
{
    jc_metrics_put_gauge(out, "jobcode_http_requests_in_flight", "Requests not answered yet.", "",
                         (double)jc_metrics_in_flight_now(server->metrics));
    jc_metrics_put_gauge(out, "jobcode_http_connections", "Open connections, of all listeners.", "",
                         (double)jc_connections_open(jc_intake_connections(server->intake)));
    jc_metrics_put_gauge(out, "jobcode_http_max_connections", "The most that the public listener holds.", "",
                         (double)server->config->http.connections);
}

static void put_state(enum jc_server_state state, struct jc_buf *out)
{
    static const char name[] = "jobcode_state";
    for (enum jc_server_state s = JC_SERVER_STARTING; s < JC_N_SERVER_STATES; s++) {
        char labels[32];
        snprintf(labels, sizeof labels, "{state=\"%s\"}", jc_server_state_name(s));
        if (s == JC_SERVER_STARTING)
            jc_metrics_put_gauge(out, name, "1 for the state the server is in.", labels, s == state);
        else
            jc_metrics_put_sample(out, name, labels, s == state);
    }
}

jc_code jc_endpoint_metrics(struct jc_request *request)
{
    const struct jc_server *server = request->server;
    struct jc_buf *out = &request->reply.body;
    jc_metrics_put(server->metrics, jc_route_name, out);
    put_build_info(out);
    struct jc_model *model = jc_model_slot_take(server->slot);
    if (model)
        put_model_info(model, out);
    jc_model_give(model);
    put_state(jc_server_state(server), out);
    jc_metrics_put_gauge(out, "jobcode_ready", "1 while /readyz says so.", "", jc_server_is_ready(server));
    jc_metrics_put_gauge(out, "jobcode_live", "1 while /livez says so.", "", jc_server_is_live(server));
    jc_metrics_put_gauge(out, "jobcode_canary_passes", "0 where the last canary was not answered right.", "",
                         jc_probe_passes(server->probe));
    put_queue(jc_admission_batcher(server->admission), server->config, out);
    put_cache(jc_admission_cache(server->admission), server->config->cache.bytes, out);
    put_connections(server, out);
    put_workers(server, out);
    if (server->auth)
        jc_auth_put_metrics(server->auth, out);
    jc_device_put_metrics(out);
    jc_process_put_metrics(out);
    request->reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return JC_OK;
}
