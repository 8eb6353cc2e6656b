/* GET /openapi.yaml: the file openapi.yaml of the source tree, embedded at build time. */
#include "server/api/embedded.h"
#include "server/api/endpoints.h"
#include "server/api/request.h"

jc_code jc_endpoint_openapi(struct jc_request *request)
{
    request->reply.content_type = "application/yaml";
    request->reply.text = jc_embedded_openapi;
    request->reply.n_text = jc_embedded_openapi_n;
    return JC_OK;
}
