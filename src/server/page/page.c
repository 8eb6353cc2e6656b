/* The files that the server carries in itself: the page at /, what it loads, and the contract as page, YAML and JSON.
 * All may be kept by a browser that asks each time whether they changed. */
#include <string.h>

#include "server/api/embedded.h"
#include "server/api/endpoints.h"
#include "server/api/request.h"

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"

static const struct {
    const char *path, *media_type;
    const struct jc_embedded *file;
} table[] = {
    {"/", HTML, &jc_embedded_index_html},
    {"/docs", HTML, &jc_embedded_docs_html},
    {"/page/app.js", SCRIPT, &jc_embedded_app_js},
    {"/page/service.js", SCRIPT, &jc_embedded_service_js},
    {"/page/single.js", SCRIPT, &jc_embedded_single_js},
    {"/page/list.js", SCRIPT, &jc_embedded_list_js},
    {"/page/csv.js", SCRIPT, &jc_embedded_csv_js},
    {"/page/dom.js", SCRIPT, &jc_embedded_dom_js},
    {"/page/docs.js", SCRIPT, &jc_embedded_docs_js},
    {"/page/style.css", CSS, &jc_embedded_style_css},
    {"/page/results.css", CSS, &jc_embedded_results_css},
    {"/page/docs.css", CSS, &jc_embedded_docs_css},
    {"/page/icon.svg", "image/svg+xml", &jc_embedded_icon_svg},
    {"/openapi.yaml", "application/yaml", &jc_embedded_openapi_yaml},
    {"/openapi.json", "application/json", &jc_embedded_openapi_json},
};

/* Files of this server and calls to it, and nothing else; no text of an answer can become markup (trusted types). */
static const char security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

jc_code jc_endpoint_page(struct jc_request *request)
{
    size_t i = 0;
    while (i < JC_COUNT(table) && strcmp(table[i].path, request->path) != 0)
        i++;
    if (i == JC_COUNT(table))
        return jc_problem_set(&request->problem, JC_PROBLEM_NOT_FOUND, NULL, "There is no such file.");
    struct jc_reply *reply = &request->reply;
    reply->content_type = table[i].media_type;
    reply->text = table[i].file->data;
    reply->n_text = table[i].file->n;
    reply->hash = table[i].file->hash;
    reply->security_policy = security_policy;
    return JC_OK;
}
