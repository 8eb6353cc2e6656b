/* GET /livez: no worker is stuck. GET /startupz: the first model is loaded. GET /readyz, /healthz: it takes traffic. */
#include "server/api/endpoints.h"
#include "server/api/request.h"
#include "server/server.h"

static jc_code answer(struct jc_request *request, bool good, const char *status)
{
    request->reply.content_type = "application/json";
    request->reply.status = good ? 200 : 503;
    jc_buf_printf(&request->reply.body, "{\"status\":\"%s\"}\n", status);
    return JC_OK;
}

jc_code jc_endpoint_livez(struct jc_request *request)
{
    bool live = jc_server_is_live(request->server);
    return answer(request, live, live ? "live" : "stuck");
}

jc_code jc_endpoint_startupz(struct jc_request *request)
{
    bool started = jc_server_state(request->server) != JC_SERVER_STARTING;
    return answer(request, started, started ? "started" : "starting");
}

jc_code jc_endpoint_readyz(struct jc_request *request)
{
    enum jc_server_state state = jc_server_state(request->server);
    if (state != JC_SERVER_READY)
        return answer(request, false, jc_server_state_name(state));
    bool ready = jc_server_is_ready(request->server);
    return answer(request, ready, ready ? "ready" : "failing");
}
