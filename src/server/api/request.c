/* What endpoints ask of a request: its headers and query. See request.h. */
#include "server/api/request.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

const char *jc_request_header(const struct jc_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct name_count {
    const char *name;
    size_t n;
};

static enum MHD_Result count_name(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    (void)value;
    struct name_count *count = context;
    count->n += strcasecmp(key, count->name) == 0;
    return MHD_YES;
}

size_t jc_request_header_count(const struct jc_request *request, const char *name)
{
    struct name_count count = {.name = name};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_name, &count);
    return count.n;
}

const char *jc_request_query(const struct jc_request *request, const char *name, size_t *ret_n)
{
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &n) !=
        MHD_YES)
        return NULL;
    *ret_n = n;
    return value ? value : "";
}

jc_code jc_request_query_count(struct jc_request *request, const char *name, uint64_t min, uint64_t max,
                               uint64_t *value)
{
    struct jc_err err;
    size_t n;
    uint64_t number = 0;
    const char *text = jc_request_query(request, name, &n);
    if (!text)
        return JC_OK;
    if (strlen(text) != n || jc_parse_u64(text, &number, &err) != JC_OK || number < min || number > max)
        return jc_problem_set(&request->problem, JC_PROBLEM_INVALID_MEMBER, NULL,
                              "Query parameter '%s': expected an integer from %ju to %ju.", name, (uintmax_t)min,
                              (uintmax_t)max);
    *value = number;
    return JC_OK;
}

struct known_names {
    const char *const *names;
    size_t n_names;
    uint32_t seen;     /* bits: names */
    const char *twice; /* the first that came again; NULL = none */
    char unknown[64];
};

static enum MHD_Result check_name(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    (void)value;
    struct known_names *known = context;
    for (size_t i = 0; i < known->n_names; i++) {
        if (strcmp(known->names[i], key) != 0)
            continue;
        known->twice = known->seen & 1U << i ? key : NULL;
        known->seen |= 1U << i;
        return known->twice ? MHD_NO : MHD_YES;
    }
    snprintf(known->unknown, sizeof known->unknown, "%s", key[0] ? key : "(empty)");
    return MHD_NO;
}

jc_code jc_request_query_only(struct jc_request *request, const char *const *names, size_t n_names)
{
    struct known_names known = {.names = names, .n_names = n_names};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, check_name, &known);
    if (known.twice)
        return jc_problem_set(&request->problem, JC_PROBLEM_INVALID_MEMBER, NULL, "Query parameter '%s' comes twice.",
                              known.twice);
    if (!known.unknown[0])
        return JC_OK;
    return jc_problem_set(&request->problem, JC_PROBLEM_UNKNOWN_MEMBER, NULL, "Unknown query parameter '%s'.",
                          known.unknown);
}
