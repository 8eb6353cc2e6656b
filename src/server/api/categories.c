/* GET /v1/categories?q=&limit=&offset=: the categories of the model, searched by code or title. */
#include <string.h>

#include "server/api/endpoints.h"
#include "server/api/request.h"
#include "server/life/model.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 2000
#define MAX_OFFSET 1000000000

static void put_category(const struct jc_category *category, bool first, struct jc_buf *out)
{
    jc_buf_puts(out, first ? "{\"code\":" : ",{\"code\":");
    jc_buf_put_json(out, category->code, strlen(category->code));
    jc_buf_puts(out, ",\"title\":");
    jc_buf_put_json(out, category->title, strlen(category->title));
    jc_buf_putc(out, '}');
}

/* ASCII case-insensitive: the taxonomy's codes and titles are ASCII. */
static bool matches(const struct jc_category *category, const char *q)
{
    return strcasestr(category->code, q) || strcasestr(category->title, q);
}

jc_code jc_endpoint_categories(struct jc_request *request)
{
    static const char *const names[] = {"q", "limit", "offset"};
    uint64_t limit = DEFAULT_LIMIT, offset = 0, total = 0;
    jc_code code = jc_request_query_only(request, names, JC_COUNT(names));
    if (!code)
        code = jc_request_query_count(request, "limit", 0, MAX_LIMIT, &limit);
    if (!code)
        code = jc_request_query_count(request, "offset", 0, MAX_OFFSET, &offset);
    if (code)
        return code;

    code = jc_request_take_model(request);
    if (code)
        return code;
    size_t n_q, n;
    const char *q = jc_request_query(request, "q", &n_q);
    const struct jc_category *categories = jc_bundle_categories(jc_classifier_bundle(request->model->classifier), &n);
    struct jc_buf *out = &request->reply.body;
    jc_buf_puts(out, "{\"categories\":[");
    for (size_t i = 0; i < n; i++) {
        if (q && !matches(&categories[i], q))
            continue;
        if (total >= offset && total - offset < limit)
            put_category(&categories[i], total == offset, out);
        total++;
    }
    jc_buf_printf(out, "],\"total\":%ju,\"limit\":%ju,\"offset\":%ju}\n", (uintmax_t)total, (uintmax_t)limit,
                  (uintmax_t)offset);
    request->reply.content_type = "application/json";
    return JC_OK;
}
