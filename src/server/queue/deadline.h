/* A request's deadline: requests.timeout, or what its X-Request-Timeout-Ms asks for, at most requests.timeout_max. */
#ifndef JC_SERVER_QUEUE_DEADLINE_H
#define JC_SERVER_QUEUE_DEADLINE_H

#include <stdint.h>

#include "base/err.h"
#include "server/api/request.h"

#define JC_DEADLINE_HEADER "X-Request-Timeout-Ms"

/* On jc_clock_ns, counted from the request's headers. Errors: INVALID with the problem filled. */
JC_MUST_CHECK jc_code jc_deadline_read(struct jc_request *request, uint64_t *ret_deadline_ns);

#endif
