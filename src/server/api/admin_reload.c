/* POST /admin/reload, on the admin listener: loads the bundle again and says what came of it. */
#include <string.h>

#include "server/api/endpoints.h"
#include "server/api/request.h"
#include "server/server.h"

static void resume(struct jc_reload *reload)
{
    jc_request_resume(reload->context);
}

static bool begin(struct jc_request *request)
{
    jc_request_suspend(request);
    jc_reloader_submit(request->server->reloader, request->reload);
    return true;
}

static void put_version(struct jc_buf *out, const char *name, const char *version)
{
    jc_buf_printf(out, "\"%s\":", name);
    if (version[0])
        jc_buf_put_json(out, version, strlen(version));
    else
        jc_buf_puts(out, "null");
    jc_buf_putc(out, ',');
}

static jc_code answer(struct jc_request *request)
{
    const struct jc_reload *reload = request->reload;
    if (reload->err.code == JC_E_CANCELLED || reload->err.code == JC_E_DEVICE) {
        jc_problem_from_err(&request->problem, &reload->err);
        request->problem.retry_after_s = 1;
        return reload->err.code;
    }
    if (reload->err.code)
        return jc_problem_set(&request->problem, JC_PROBLEM_RELOAD_REFUSED, NULL, "%s", reload->err.text);
    struct jc_buf *out = &request->reply.body;
    jc_buf_putc(out, '{');
    put_version(out, "previous", reload->previous);
    put_version(out, "version", reload->version);
    jc_buf_printf(out, "\"changed\":%s,\"load_ms\":%ju}\n", reload->changed ? "true" : "false",
                  (uintmax_t)reload->load_ms);
    request->reply.content_type = "application/json";
    return JC_OK;
}

jc_code jc_endpoint_reload(struct jc_request *request)
{
    static const struct jc_later later = {.begin = begin, .answer = answer};
    request->reload = calloc(1, sizeof *request->reload);
    if (!request->reload)
        return jc_problem_set_nomem(&request->problem);
    *request->reload = (struct jc_reload){.cause = JC_RELOAD_REQUEST, .done = resume, .context = request};
    request->later = &later;
    return JC_OK;
}
