/* Problem documents: every kind's status and code, escaping, and what an error of the layers below becomes. */
#include "server/api/problem.h"

#include <jansson.h>

#include "check.h"

/* The interface: what clients rely on. Written out again here, so that a change of the table is noticed. */
static const struct {
    enum jc_problem_kind kind;
    int status;
    const char *code;
} promised[] = {
    {JC_PROBLEM_MALFORMED_JSON, 400, "malformed_json"},
    {JC_PROBLEM_AMBIGUOUS_REQUEST, 400, "ambiguous_request"},
    {JC_PROBLEM_NOT_FOUND, 404, "not_found"},
    {JC_PROBLEM_METHOD_NOT_ALLOWED, 405, "method_not_allowed"},
    {JC_PROBLEM_NOT_ACCEPTABLE, 406, "not_acceptable"},
    {JC_PROBLEM_REQUEST_TIMEOUT, 408, "request_timeout"},
    {JC_PROBLEM_BODY_TOO_LARGE, 413, "body_too_large"},
    {JC_PROBLEM_UNSUPPORTED_TYPE, 415, "unsupported_media_type"},
    {JC_PROBLEM_INVALID_MEMBER, 422, "invalid_member"},
    {JC_PROBLEM_UNKNOWN_MEMBER, 422, "unknown_member"},
    {JC_PROBLEM_TOO_MANY_POSTINGS, 422, "too_many_postings"},
    {JC_PROBLEM_TEXT_TOO_LONG, 422, "text_too_long"},
    {JC_PROBLEM_EMPTY_TEXT, 422, "empty_text"},
    {JC_PROBLEM_INTERNAL, 500, "internal"},
    {JC_PROBLEM_OUT_OF_MEMORY, 503, "out_of_memory"},
    {JC_PROBLEM_OVERLOADED, 503, "overloaded"},
    {JC_PROBLEM_CONNECTION_LIMIT, 503, "too_many_connections"},
    {JC_PROBLEM_SHUTTING_DOWN, 503, "shutting_down"},
    {JC_PROBLEM_DEADLINE, 504, "deadline_exceeded"},
};

static json_t *write_and_parse(const struct jc_problem *problem, const char *id)
{
    JC_AUTO_BUF struct jc_buf out = {0};
    jc_problem_put(problem, id, &out);
    REQUIRE(!out.failed && out.n);
    json_t *document = json_loadb(out.data, out.n, JSON_REJECT_DUPLICATES, NULL);
    REQUIRE(document);
    return document;
}

static const char *text_of(const json_t *document, const char *name)
{
    return json_string_value(json_object_get(document, name));
}

static void test_every_kind(void)
{
    for (size_t i = 0; i < JC_COUNT(promised); i++) {
        struct jc_problem problem = {.retry_after_s = 7};
        CHECK_INT(jc_problem_set(&problem, promised[i].kind, "/a", "number %d", 3), JC_E_INVALID);
        CHECK_INT(problem.retry_after_s, 0);
        CHECK_INT(jc_problem_status(promised[i].kind), promised[i].status);
        CHECK_STR(jc_problem_code(promised[i].kind), promised[i].code);

        json_t *document = write_and_parse(&problem, "0123456789abcdef");
        CHECK_STR(text_of(document, "type"), "about:blank");
        CHECK(text_of(document, "title") && *text_of(document, "title"));
        CHECK_INT(json_integer_value(json_object_get(document, "status")), promised[i].status);
        CHECK_STR(text_of(document, "code"), promised[i].code);
        CHECK_STR(text_of(document, "detail"), "number 3");
        CHECK_STR(text_of(document, "pointer"), "/a");
        CHECK_STR(text_of(document, "request_id"), "0123456789abcdef");
        CHECK_INT(json_object_size(document), 7);
        json_decref(document);
    }
}

static void test_hostile_text(void)
{
    struct jc_problem problem = {0};
    jc_problem_set(&problem, JC_PROBLEM_UNKNOWN_MEMBER, "/\"\\\n\xff", "%s", "a\"b\\c\x01\xc3(");
    json_t *document = write_and_parse(&problem, "x");
    CHECK_STR(text_of(document, "pointer"), "/\"\\\n\xef\xbf\xbd");
    CHECK_STR(text_of(document, "detail"), "a\"b\\c\x01\xef\xbf\xbd(");
    json_decref(document);

    char longest[2000];
    memset(longest, 'y', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    jc_problem_set(&problem, JC_PROBLEM_NOT_FOUND, longest, "%s", longest);
    CHECK_INT(strlen(problem.pointer), sizeof problem.pointer - 1);
    CHECK_INT(strlen(problem.detail), sizeof problem.detail - 1);

    jc_problem_set(&problem, JC_PROBLEM_NOT_FOUND, NULL, "x");
    document = write_and_parse(&problem, "x");
    CHECK(!json_object_get(document, "pointer"));
    json_decref(document);
}

static void test_from_err(void)
{
    static const struct {
        jc_code code;
        enum jc_problem_kind kind;
    } rows[] = {
        {JC_E_INVALID, JC_PROBLEM_INVALID_MEMBER},
        {JC_E_TOO_LARGE, JC_PROBLEM_TEXT_TOO_LONG},
        {JC_E_UNSUPPORTED, JC_PROBLEM_INVALID_MEMBER},
        {JC_E_NOT_FOUND, JC_PROBLEM_NOT_FOUND},
        {JC_E_OVERLOADED, JC_PROBLEM_OVERLOADED},
        {JC_E_DEADLINE, JC_PROBLEM_DEADLINE},
        {JC_E_CANCELLED, JC_PROBLEM_SHUTTING_DOWN},
        {JC_E_IO, JC_PROBLEM_INTERNAL},
        {JC_E_FORMAT, JC_PROBLEM_INTERNAL},
        {JC_E_MODEL, JC_PROBLEM_INTERNAL},
        {JC_E_DEVICE, JC_PROBLEM_SHUTTING_DOWN},
        {JC_E_NOMEM, JC_PROBLEM_OUT_OF_MEMORY},
        {JC_E_INTERNAL, JC_PROBLEM_INTERNAL},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_err err;
        struct jc_problem problem;
        if (jc_fail(&err, rows[i].code, "secret %%s") != rows[i].code)
            CHECK(false);
        jc_problem_from_err(&problem, &err);
        CHECK_INT(problem.kind, rows[i].kind);
        bool ours = problem.kind == JC_PROBLEM_INTERNAL || problem.kind == JC_PROBLEM_OUT_OF_MEMORY ||
                    rows[i].code == JC_E_DEVICE;
        CHECK((strstr(problem.detail, "secret") == NULL) == ours);
    }
}

int main(void)
{
    test_every_kind();
    test_hostile_text();
    test_from_err();
    return check_finish();
}
