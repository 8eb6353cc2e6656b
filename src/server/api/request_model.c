/* The model that a request begins and ends with. See request.h. */
#include "server/api/request.h"
#include "server/server.h"

#define STARTING_RETRY_S 1

jc_code jc_request_take_model(struct jc_request *request)
{
    request->model = jc_model_slot_take(request->server->slot);
    if (request->model)
        return JC_OK;
    jc_problem_set(&request->problem, JC_PROBLEM_STARTING, NULL, "The model is being loaded.");
    request->problem.retry_after_s = STARTING_RETRY_S;
    return JC_E_OVERLOADED;
}
