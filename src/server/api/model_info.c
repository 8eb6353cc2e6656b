/* GET /v1/model: what is loaded, where it comes from, how well it does. */
#include <string.h>

#include "server/api/endpoints.h"
#include "server/api/request.h"
#include "server/server.h"

static void put_string(struct jc_buf *out, const char *name, const char *value)
{
    jc_buf_printf(out, "\"%s\":", name);
    jc_buf_put_json(out, value, strlen(value));
    jc_buf_putc(out, ',');
}

static void put_metrics(const struct jc_manifest *manifest, struct jc_buf *out)
{
    jc_buf_puts(out, "\"metrics\":{");
    for (size_t i = 0; i < manifest->n_metrics; i++) {
        if (i)
            jc_buf_putc(out, ',');
        jc_buf_put_json(out, manifest->metrics[i].name, strlen(manifest->metrics[i].name));
        jc_buf_printf(out, ":%.6g", manifest->metrics[i].value);
    }
    jc_buf_puts(out, "}");
}

/* Nothing where there are none. */
static void put_exemplars(const struct jc_exemplars *exemplars, struct jc_buf *out)
{
    if (exemplars->n)
        jc_buf_printf(out, "\"exemplars\":{\"texts\":%zu,\"k\":%u},", exemplars->n, exemplars->k);
}

/* Of a GPU alone. */
static void put_buckets(const struct jc_cuda_buckets *buckets, struct jc_buf *out)
{
    if (!buckets->n)
        return;
    jc_buf_puts(out, "\"buckets\":[");
    for (size_t i = 0; i < buckets->n; i++)
        jc_buf_printf(out, "%s%zu", i ? "," : "", buckets->rows[i]);
    jc_buf_puts(out, "],");
}

jc_code jc_endpoint_model(struct jc_request *request)
{
    jc_code code = jc_request_take_model(request);
    if (code)
        return code;
    const struct jc_bundle *bundle = jc_classifier_bundle(request->model->classifier);
    const struct jc_manifest *manifest = jc_bundle_manifest(bundle);
    const struct jc_encoder_info *encoder = jc_classifier_encoder(request->model->classifier);
    struct jc_buf *out = &request->reply.body;
    jc_buf_putc(out, '{');
    put_string(out, "model", manifest->version);
    put_string(out, "name", manifest->name);
    put_string(out, "method", manifest->method);
    put_string(out, "taxonomy", manifest->taxonomy);
    put_string(out, "data_version", manifest->data_version);
    put_string(out, "attribution", manifest->attribution);
    jc_buf_printf(out, "\"categories\":%zu,\"dim\":%zu,\"encoder\":{", manifest->n_categories, manifest->dim);
    put_string(out, "kind", manifest->encoder.kind);
    put_string(out, "name", manifest->encoder.name);
    put_string(out, "source_sha256", manifest->encoder.source_sha256);
    put_string(out, "backend", encoder->backend);
    put_string(out, "precision", encoder->precision);
    put_string(out, "device", encoder->device);
    put_buckets(&encoder->buckets, out);
    jc_buf_printf(out, "\"max_tokens\":%zu},\"workers\":%zu,", manifest->encoder.max_tokens,
                  request->server->n_workers);
    put_exemplars(&jc_bundle_head(bundle)->exemplars, out);
    put_metrics(manifest, out);
    jc_buf_puts(out, "}\n");
    request->reply.content_type = "application/json";
    return JC_OK;
}
