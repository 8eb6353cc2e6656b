/* GET /livez: the process serves. GET /readyz, /healthz: it takes traffic; 503 while it drains. */
#include "server/endpoints.h"
#include "server/request.h"
#include "server/server.h"

static jc_code answer(struct jc_request *request, int status, const char *text, size_t n)
{
    request->reply.content_type = "application/json";
    request->reply.text = text;
    request->reply.n_text = n;
    request->reply.status = status;
    return JC_OK;
}

#define ANSWER(request, status, text) answer((request), (status), (text), sizeof(text) - 1)

jc_code jc_endpoint_livez(struct jc_request *request)
{
    return ANSWER(request, 200, "{\"status\":\"live\"}\n");
}

jc_code jc_endpoint_readyz(struct jc_request *request)
{
    return atomic_load(&request->server->state) == JC_SERVER_READY
               ? ANSWER(request, 200, "{\"status\":\"ready\"}\n")
               : ANSWER(request, 503, "{\"status\":\"draining\"}\n");
}
