/* OPTIONS of any path there is: its methods in Allow, and the answer to a CORS preflight (policy_headers.c adds what it
 * asks for). */
#include "server/api/endpoints.h"
#include "server/api/request.h"
#include "server/api/routes.h"
#include "server/wire/listener.h"

jc_code jc_endpoint_options(struct jc_request *request)
{
    request->reply.status = 204;
    request->reply.text = "";
    request->reply.allow = jc_route_allow(request->listener->offers, request->path);
    return JC_OK;
}
