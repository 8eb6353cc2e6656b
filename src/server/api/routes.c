/* THE TABLE: what the server answers, and which file does it. */
#include "server/api/routes.h"

#include <stdio.h>
#include <string.h>

#include "server/api/endpoints.h"

#define JSON "application/json"
#define YAML "application/yaml"
#define HTML "text/html; charset=utf-8"
#define TEXT "text/plain; version=0.0.4; charset=utf-8"

const struct jc_route jc_routes[] = {
    {"POST", "/v1/classify", jc_endpoint_classify, true, JSON, JC_ROUTES_PUBLIC, true},       /* classify.c */
    {"GET", "/v1/classify", jc_endpoint_classify_query, false, JSON, JC_ROUTES_PUBLIC, true}, /* classify.c */
    {"GET", "/v1/categories", jc_endpoint_categories, false, JSON, JC_ROUTES_PUBLIC, true},   /* categories.c */
    {"GET", "/v1/model", jc_endpoint_model, false, JSON, JC_ROUTES_PUBLIC, true},             /* model_info.c */
    {"GET", "/livez", jc_endpoint_livez, false, JSON, JC_ROUTES_PROBES, false},               /* health.c */
    {"GET", "/readyz", jc_endpoint_readyz, false, JSON, JC_ROUTES_PROBES, false},             /* health.c */
    {"GET", "/startupz", jc_endpoint_startupz, false, JSON, JC_ROUTES_PROBES, false},         /* health.c */
    {"GET", "/healthz", jc_endpoint_readyz, false, JSON, JC_ROUTES_PROBES, false},            /* health.c */
    {"GET", "/metrics", jc_endpoint_metrics, false, TEXT, JC_ROUTES_METRICS, true},           /* metrics_page.c */
    {"GET", "/openapi.yaml", jc_endpoint_page, false, YAML, JC_ROUTES_PUBLIC, false}, /* page/page.c, all of these */
    {"GET", "/openapi.json", jc_endpoint_page, false, JSON, JC_ROUTES_PUBLIC, false},
    {"GET", "/", jc_endpoint_page, false, HTML, JC_ROUTES_PUBLIC, false},
    {"GET", "/docs", jc_endpoint_page, false, HTML, JC_ROUTES_PUBLIC, false},
    {"GET", "/page/*", jc_endpoint_page, false, NULL, JC_ROUTES_PUBLIC, false},
    {"POST", "/admin/reload", jc_endpoint_reload, false, JSON, JC_ROUTES_ADMIN, true}, /* admin_reload.c */
    {"OPTIONS", "*", jc_endpoint_options, false, NULL, JC_ROUTES_ANY, false},          /* options.c */
};
const size_t jc_n_routes = JC_COUNT(jc_routes);

/* A row's path that ends in a star stands for all that begin as it does. */
static bool is_of(const char *row_path, const char *path)
{
    size_t n = strlen(row_path);
    return row_path[n - 1] == '*' && n > 1 ? strncmp(row_path, path, n - 1) == 0 : strcmp(row_path, path) == 0;
}

size_t jc_route_find(unsigned offers, const char *method, const char *path, bool *ret_path_exists)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    *ret_path_exists = false;
    for (size_t i = 0; i < jc_n_routes; i++) {
        if (!(jc_routes[i].set & offers))
            continue;
        bool of_path = is_of(jc_routes[i].path, path);
        *ret_path_exists |= of_path;
        /* The row of every path comes last: by then it is known whether the path exists. */
        bool of_all = *ret_path_exists && strcmp(jc_routes[i].path, "*") == 0;
        if ((of_path || of_all) && strcmp(jc_routes[i].method, wanted) == 0)
            return i;
    }
    return jc_n_routes;
}

const char *jc_route_allow(unsigned offers, const char *path)
{
    bool get, post, exists;
    get = jc_route_find(offers, "GET", path, &exists) < jc_n_routes;
    post = jc_route_find(offers, "POST", path, &exists) < jc_n_routes;
    return get && post ? "GET, HEAD, POST, OPTIONS" : post ? "POST, OPTIONS" : get ? "GET, HEAD, OPTIONS" : "OPTIONS";
}

void jc_route_name(size_t route, char ret_name[JC_ROUTE_NAME])
{
    if (route < jc_n_routes)
        snprintf(ret_name, JC_ROUTE_NAME, "%s %s", jc_routes[route].method, jc_routes[route].path);
    else
        snprintf(ret_name, JC_ROUTE_NAME, "none");
}
