/* GET /metrics: the Prometheus page. */
#include "server/auth.h"
#include "server/endpoints.h"
#include "server/intake.h"
#include "server/process_metrics.h"
#include "server/request.h"
#include "server/routes.h"
#include "server/server.h"

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

static void put_model_info(const struct jc_server *server, struct jc_buf *out)
{
    const struct jc_manifest *manifest = jc_bundle_manifest(jc_classifier_bundle(server->classifier));
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

static void put_cache(struct jc_cache *cache, struct jc_buf *out)
{
    struct jc_cache_size size = cache ? jc_cache_size(cache) : (struct jc_cache_size){0};
    jc_metrics_put_gauge(out, "jobcode_cache_bytes", "Memory of the result cache.", "", (double)size.n_bytes);
    jc_metrics_put_gauge(out, "jobcode_cache_entries", "Answers in the result cache.", "", (double)size.n_entries);
}

jc_code jc_endpoint_metrics(struct jc_request *request)
{
    const struct jc_server *server = request->server;
    struct jc_buf *out = &request->reply.body;
    jc_metrics_put(server->metrics, jc_route_name, out);
    put_model_info(server, out);
    jc_metrics_put_gauge(out, "jobcode_ready", "1 while the server takes traffic.", "",
                         atomic_load(&server->state) == JC_SERVER_READY);
    struct jc_batcher_load load = jc_batcher_load(jc_admission_batcher(server->admission));
    jc_metrics_put_gauge(out, "jobcode_queue_titles", "Titles waiting for a worker.", "", (double)load.n_titles);
    jc_metrics_put_gauge(out, "jobcode_queue_tokens", "Tokens of these titles.", "", (double)load.n_tokens);
    jc_metrics_put_gauge(out, "jobcode_rate_tokens_per_second",
                         "What all workers together do while more is waiting, over the latest batches; 0: not known.",
                         "", load.tokens_per_s);
    put_cache(jc_admission_cache(server->admission), out);
    jc_metrics_put_gauge(out, "jobcode_http_requests_in_flight", "Requests not answered yet.", "",
                         (double)jc_metrics_in_flight_now(server->metrics));
    jc_metrics_put_gauge(out, "jobcode_http_connections", "Open connections.", "",
                         (double)jc_connections_open(jc_intake_connections(server->intake)));
    jc_metrics_put_gauge(out, "jobcode_workers", "Inference threads.", "", (double)server->n_workers);
    if (server->auth)
        jc_auth_put_metrics(server->auth, out);
    jc_process_put_metrics(out);
    request->reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return JC_OK;
}
