/* Reading a request's deadline. See deadline.h. */
#include "server/queue/deadline.h"

#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "server/server.h"

/* One that no integer holds is a whole number all the same: the most there is. */
static bool parse_whole(const char *text, uint64_t *ret_value)
{
    struct jc_err err;
    size_t n = strlen(text);
    if (jc_parse_u64(text, ret_value, &err) == JC_OK)
        return true;
    *ret_value = UINT64_MAX;
    return n > 0 && strspn(text, "0123456789") == n;
}

jc_code jc_deadline_read(struct jc_request *request, uint64_t *ret_deadline_ns)
{
    const struct jc_server_config *config = request->server->config;
    const char *text = jc_request_header(request, JC_DEADLINE_HEADER);
    uint64_t timeout_ms = config->requests.timeout_ms;
    if (text && (!parse_whole(text, &timeout_ms) || timeout_ms == 0))
        return jc_problem_set(&request->problem, JC_PROBLEM_INVALID_MEMBER, NULL,
                              "Header " JC_DEADLINE_HEADER ": expected a whole number of milliseconds, at least 1.");
    if (timeout_ms > config->requests.timeout_max_ms)
        timeout_ms = config->requests.timeout_max_ms;
    *ret_deadline_ns = request->start_ns + timeout_ms * JC_NS_PER_MS;
    return JC_OK;
}
