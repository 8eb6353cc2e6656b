/* Reading a request's deadline. See deadline.h. */
#include "server/queue/deadline.h"

#include "base/clock.h"
#include "base/parse.h"
#include "server/server.h"

jc_code jc_deadline_read(struct jc_request *request, uint64_t *ret_deadline_ns)
{
    const struct jc_server_config *config = request->server->config;
    const char *text = jc_request_header(request, JC_DEADLINE_HEADER);
    uint64_t timeout_ms = config->requests.timeout_ms;
    struct jc_err err;
    if (text && (jc_parse_u64(text, &timeout_ms, &err) != JC_OK || timeout_ms == 0))
        return jc_problem_set(&request->problem, JC_PROBLEM_INVALID_MEMBER, NULL,
                              "Header " JC_DEADLINE_HEADER ": expected a whole number of milliseconds, at least 1.");
    if (timeout_ms > config->requests.timeout_max_ms)
        timeout_ms = config->requests.timeout_max_ms;
    *ret_deadline_ns = request->start_ns + timeout_ms * JC_NS_PER_MS;
    return JC_OK;
}
