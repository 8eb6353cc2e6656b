/* The classify request: JSON -> postings. See codec.h. */
#include "server/api/codec.h"

#include <stdio.h>
#include <string.h>

#include "artifact/json.h"
#include "base/pointer.h"
#include "text/utf8.h"

#define MAX_ID_CHARS 256

static jc_code fail_type(struct jc_problem *problem, const char *pointer, const char *expected)
{
    return jc_problem_set(problem, JC_PROBLEM_INVALID_MEMBER, pointer, "Expected %s.", expected);
}

static jc_code check_text(const char *text, size_t n, uint64_t max_chars, const char *pointer, const char *member,
                          struct jc_problem *problem)
{
    if (n <= max_chars) /* a character has at least a byte */
        return JC_OK;
    size_t n_chars = jc_utf8_count(text, n);
    if (n_chars <= max_chars)
        return JC_OK;
    char at[sizeof problem->pointer];
    jc_pointer_join(at, sizeof at, pointer, member);
    return jc_problem_set(problem, JC_PROBLEM_TEXT_TOO_LONG, at, "%zu characters; the limit is %ju.", n_chars,
                          (uintmax_t)max_chars);
}

jc_code jc_codec_check_posting(const struct jc_posting *posting, const char *pointer,
                               const struct jc_server_config *config, struct jc_problem *problem)
{
    jc_code code = check_text(posting->title, posting->n_title, config->limits.title_chars, pointer, "title", problem);
    return code ? code
                : check_text(posting->body, posting->n_body, config->limits.text_chars, pointer, "body", problem);
}

static jc_code parse_text(const json_t *value, const char *pointer, const char **ret_text, size_t *ret_n,
                          struct jc_problem *problem)
{
    if (json_is_null(value))
        return JC_OK;
    if (!json_is_string(value))
        return fail_type(problem, pointer, "a string");
    *ret_text = json_string_value(value);
    *ret_n = json_string_length(value);
    return JC_OK;
}

static jc_code parse_id(const json_t *value, const char *pointer, char **ret_id, struct jc_problem *problem)
{
    bool fits =
        json_is_integer(value) ||
        (json_is_string(value) && jc_utf8_count(json_string_value(value), json_string_length(value)) <= MAX_ID_CHARS);
    if (!fits)
        return fail_type(problem, pointer, "a string of at most 256 characters, or an integer");
    *ret_id = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!*ret_id)
        return jc_problem_set_nomem(problem);
    return JC_OK;
}

static jc_code parse_top_n(const json_t *value, const struct jc_server_config *config, uint32_t *ret_top_n,
                           struct jc_problem *problem)
{
    json_int_t top_n = json_is_integer(value) ? json_integer_value(value) : 0;
    if (top_n < 1 || (uintmax_t)top_n > config->limits.top_n)
        return jc_problem_set(problem, JC_PROBLEM_INVALID_MEMBER, "/top_n", "Expected an integer from 1 to %ju.",
                              (uintmax_t)config->limits.top_n);
    *ret_top_n = (uint32_t)top_n;
    return JC_OK;
}

static jc_code parse_level(const json_t *value, enum jc_level *ret_level, struct jc_problem *problem)
{
    if (!json_is_string(value) || !jc_level_parse(json_string_value(value), json_string_length(value), ret_level))
        return fail_type(problem, "/level", JC_LEVEL_NAMES);
    return JC_OK;
}

static jc_code fail_unknown(struct jc_problem *problem, const char *pointer, const char *known)
{
    return jc_problem_set(problem, JC_PROBLEM_UNKNOWN_MEMBER, pointer, "Unknown member. Known here: %s.", known);
}

/* A member that is about the whole request; false where it is none. */
static bool parse_option(const char *name, const json_t *value, const struct jc_server_config *config,
                         struct jc_codec_request *request, jc_code *ret_code, struct jc_problem *problem)
{
    if (strcmp(name, "top_n") == 0)
        *ret_code = parse_top_n(value, config, &request->top_n, problem);
    else if (strcmp(name, "level") == 0)
        *ret_code = parse_level(value, &request->level, problem);
    else
        return false;
    return true;
}

/* A posting's members; the request's options too where the posting is the whole request (request not NULL). */
static jc_code parse_posting(json_t *object, const char *pointer, const struct jc_server_config *config,
                             struct jc_codec_posting *posting, struct jc_codec_request *request,
                             struct jc_problem *problem)
{
    if (!json_is_object(object))
        return fail_type(problem, pointer, "an object with \"title\" or \"body\"");

    struct jc_posting *text = &posting->posting;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        char at[sizeof problem->pointer];
        jc_pointer_join(at, sizeof at, pointer, name);
        jc_code code = JC_OK;
        if (strcmp(name, "title") == 0)
            code = parse_text(value, at, &text->title, &text->n_title, problem);
        else if (strcmp(name, "body") == 0)
            code = parse_text(value, at, &text->body, &text->n_body, problem);
        else if (strcmp(name, "id") == 0)
            code = parse_id(value, at, &posting->id, problem);
        else if (!request || !parse_option(name, value, config, request, &code, problem))
            code = fail_unknown(
                problem, at, request ? "id, title, body, top_n, level; or postings, top_n, level" : "id, title, body");
        if (code)
            return code;
    }
    if (!text->title && !text->body)
        return jc_problem_set(problem, JC_PROBLEM_INVALID_MEMBER, pointer, "A posting needs \"title\" or \"body\".");
    return jc_codec_check_posting(text, pointer, config, problem);
}

static jc_code parse_list(json_t *root, const struct jc_server_config *config, struct jc_codec_request *request,
                          struct jc_problem *problem)
{
    const char *name;
    json_t *value, *list = json_object_get(root, "postings");
    json_object_foreach(root, name, value)
    {
        char at[sizeof problem->pointer];
        jc_pointer_join(at, sizeof at, "", name);
        jc_code code = JC_OK;
        if (value != list && !parse_option(name, value, config, request, &code, problem))
            code = fail_unknown(problem, at, "postings, top_n, level");
        if (code)
            return code;
    }
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0)
        return fail_type(problem, "/postings", "an array of at least one posting");
    if (n > config->limits.postings)
        return jc_problem_set(problem, JC_PROBLEM_TOO_MANY_POSTINGS, "/postings", "%zu postings; the limit is %ju.", n,
                              (uintmax_t)config->limits.postings);
    request->postings = calloc(n, sizeof *request->postings);
    if (!request->postings)
        return jc_problem_set_nomem(problem);
    request->n_postings = n;
    for (size_t i = 0; i < n; i++) {
        char at[40];
        snprintf(at, sizeof at, "/postings/%zu", i);
        jc_code code = parse_posting(json_array_get(list, i), at, config, &request->postings[i], NULL, problem);
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code parse_single(json_t *root, const struct jc_server_config *config, struct jc_codec_request *request,
                            struct jc_problem *problem)
{
    request->single = true;
    request->postings = calloc(1, sizeof *request->postings);
    if (!request->postings)
        return jc_problem_set_nomem(problem);
    request->n_postings = 1;
    return parse_posting(root, "", config, &request->postings[0], request, problem);
}

jc_code jc_codec_parse(const char *text, size_t n, const struct jc_server_config *config,
                       struct jc_codec_request *request, struct jc_problem *problem)
{
    json_error_t error;
    jc_code code = jc_json_parse(text, n, &request->document, &error);
    if (code == JC_E_NOMEM)
        return jc_problem_set_nomem(problem);
    if (code)
        return jc_problem_set(problem, JC_PROBLEM_MALFORMED_JSON, NULL, "Line %d, column %d: %s.", error.line,
                              error.column, error.text);
    json_t *root = jc_json_root(request->document);
    request->top_n = (uint32_t)config->model.top_n;
    if (!json_is_object(root))
        return fail_type(problem, "", "an object");
    return json_object_get(root, "postings") ? parse_list(root, config, request, problem)
                                             : parse_single(root, config, request, problem);
}

void jc_codec_request_finish(struct jc_codec_request *request)
{
    for (size_t i = 0; i < request->n_postings; i++)
        free(request->postings[i].id);
    free(request->postings);
    jc_json_destroy(request->document);
    *request = (struct jc_codec_request){0};
}
