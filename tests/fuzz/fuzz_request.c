/*
 * libFuzzer: bytes as the body of a classify request, under small limits. Checked besides the sanitizers: what is taken
 * is within the limits and UTF-8, its ids are JSON again; what is refused says why, and where in a way that can be read.
 */
#include "server/api/codec.h"

#include <string.h>

#include "artifact/json.h"
#include "fuzz.h"

static struct jc_server_config config;

static void load_config(void)
{
    static const char *const sets[] = {"limits.postings=5", "limits.title_chars=20", "limits.text_chars=50",
                                       "limits.top_n=7"};
    static struct jc_conf *conf;
    struct jc_err err;
    if (!conf)
        ENSURE(jc_server_config_load(NULL, sets, JC_COUNT(sets), &config, &conf, &err) == JC_OK);
}

static bool is_utf8(const char *text, size_t n)
{
    size_t i = 0;
    for (size_t length; i < n; i += length)
        if (!(length = jc_buf_utf8_sequence(text + i, n - i)))
            return false;
    return true;
}

/* An id is what the client sent, to be echoed as it is: a string or a whole number. */
static void check_id(const char *id)
{
    json_error_t where;
    JC_AUTO_BUF struct jc_buf document = {0};
    JC_AUTO(jc_json) struct jc_json *json = NULL;
    jc_buf_printf(&document, "[%s]", id);
    ENSURE(!document.failed && jc_json_parse(document.data, document.n, &json, &where) == JC_OK);
    const json_t *value = json_array_get(jc_json_root(json), 0);
    ENSURE(json_array_size(jc_json_root(json)) == 1 && (json_is_string(value) || json_is_integer(value)));
}

static void check_taken(const struct jc_codec_request *request)
{
    ENSURE(request->n_postings >= 1 && request->n_postings <= config.limits.postings);
    ENSURE(request->top_n >= 1 && request->top_n <= config.limits.top_n);
    ENSURE(!request->single || request->n_postings == 1);
    for (size_t i = 0; i < request->n_postings; i++) {
        const struct jc_posting *posting = &request->postings[i].posting;
        ENSURE(posting->title || posting->body);
        ENSURE(posting->n_title <= 4 * config.limits.title_chars && is_utf8(posting->title, posting->n_title));
        ENSURE(posting->n_body <= 4 * config.limits.text_chars && is_utf8(posting->body, posting->n_body));
        if (request->postings[i].id)
            check_id(request->postings[i].id);
    }
}

static void check_refused(const struct jc_problem *problem)
{
    int status = jc_problem_status(problem->kind);
    ENSURE(status == 400 || status == 422);
    ENSURE(*problem->detail && (!*problem->pointer || *problem->pointer == '/'));
    struct jc_buf document = {0};
    jc_problem_put(problem, "id", &document);
    json_error_t where;
    struct jc_json *json = NULL;
    ENSURE(!document.failed && jc_json_parse(document.data, document.n, &json, &where) == JC_OK);
    jc_json_destroy(json);
    jc_buf_finish(&document);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    load_config();
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    struct jc_problem problem = {0};
    if (jc_codec_parse((const char *)data, n, &config, &request, &problem) == JC_OK)
        check_taken(&request);
    else
        check_refused(&problem);
    return 0;
}
