/* The log line of a request. See request_log.h. */
#include "server/observe/request_log.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/rng.h"
#include "server/api/request.h"
#include "server/api/routes.h"
#include "server/server.h"

#define TITLES_BYTES 4096 /* of a line; what is more is cut off between two titles */

void jc_request_log_title(struct jc_request *request, const struct jc_posting *posting)
{
    struct jc_buf *titles = &request->titles;
    if (!request->server->config->log.titles || titles->n + posting->n_title > TITLES_BYTES)
        return;
    if (titles->n)
        jc_buf_putc(titles, '\n');
    jc_buf_put(titles, posting->title, posting->n_title);
}

static bool is_wanted(const struct jc_request *request, int status)
{
    const struct jc_server_config *config = request->server->config;
    if (!config->log.requests)
        return false;
    if (status >= 400 || config->log.sample >= 1)
        return true;
    struct jc_rng rng = jc_rng_seeded(jc_hash_bytes(request->id, strlen(request->id)));
    return jc_rng_unit(&rng) < config->log.sample;
}

/* NULL leaves a field out. */
static const char *given(const char *text)
{
    return text[0] ? text : NULL;
}

static void put_stages(const struct jc_timing *timing, char ret_texts[JC_N_STAGES][JC_MS_TEXT])
{
    for (size_t i = 0; i < JC_N_STAGES; i++) {
        ret_texts[i][0] = '\0';
        if (timing->ns[i])
            jc_timing_put_ms(timing->ns[i], ret_texts[i]);
    }
}

void jc_request_log(const struct jc_request *request, int status, size_t n_bytes, uint64_t duration_ns)
{
    if (!is_wanted(request, status))
        return;
    char code[12], bytes[24], n_titles[24], ms[JC_MS_TEXT], stages[JC_N_STAGES][JC_MS_TEXT];
    char route[JC_ROUTE_NAME], address[JC_ADDRESS_TEXT];
    snprintf(code, sizeof code, "%d", status);
    snprintf(bytes, sizeof bytes, "%zu", n_bytes);
    snprintf(n_titles, sizeof n_titles, "%zu", request->classify.n_postings);
    jc_timing_put_ms(duration_ns, ms);
    put_stages(&request->timing, stages);
    jc_route_name(request->route, route);
    jc_address_put(&request->client, address);

    const struct jc_log_field fields[] = {
        {"id", request->id},
        {"trace_id", given(request->trace.trace_id)},
        {"parent_id", given(request->trace.parent_id)},
        {"span_id", given(request->trace.span_id)},
        {"method", request->method},
        {"path", request->path},
        {"route", route},
        {"status", code},
        {"problem", given(jc_problem_code(request->problem.kind))},
        {"bytes", bytes},
        {"encoding", request->reply.encoding},
        {"titles", request->classify.n_postings ? n_titles : NULL},
        {"texts", request->titles.n && !request->titles.failed ? request->titles.data : NULL},
        {"key", given(request->key_name)},
        {"client", address},
        {"ms", ms},
        {"parse_ms", given(stages[JC_STAGE_PARSE])},
        {"tokenize_ms", given(stages[JC_STAGE_TOKENIZE])},
        {"queue_ms", given(stages[JC_STAGE_QUEUE])},
        {"encode_ms", given(stages[JC_STAGE_ENCODE])},
        {"score_ms", given(stages[JC_STAGE_SCORE])},
    };
    jc_log_fields(status >= 500 ? JC_LOG_WARN : JC_LOG_INFO, "request", fields, JC_COUNT(fields));
}

void jc_request_log_unread(const char *id, int status, const char *problem, const struct jc_address *client)
{
    char code[12], address[JC_ADDRESS_TEXT];
    snprintf(code, sizeof code, "%d", status);
    jc_address_put(client, address);
    jc_log(status >= 500 ? JC_LOG_WARN : JC_LOG_INFO, "request", "id", id, "status", code, "problem", problem, "client",
           address, NULL);
}
