/* Requests' JSON: both forms, every error with its pointer, limits, echoed ids, big inputs; scores against printf. */
#include "server/api/codec.h"

#include <inttypes.h>

#include "base/rng.h"
#include "check.h"

static struct jc_conf *conf;
static struct jc_server_config config;

static void load_config(void)
{
    static const char *const sets[] = {"limits.postings=3", "limits.title_chars=10", "limits.text_chars=20",
                                       "limits.top_n=7"};
    struct jc_err err;
    REQUIRE_OK(jc_server_config_load(NULL, sets, JC_COUNT(sets), &config, &conf, &err));
}

/* Parses from a block of exactly n bytes: sanitizers see a read behind the end. */
static jc_code parse(const char *text, size_t n, struct jc_codec_request *request, struct jc_problem *problem)
{
    JC_AUTO_FREE char *copy = malloc(n ? n : 1);
    REQUIRE(copy);
    memcpy(copy, text, n);
    *problem = (struct jc_problem){0};
    return jc_codec_parse(copy, n, &config, request, problem);
}

static void check_good(const char *text, struct jc_codec_request *request)
{
    struct jc_problem problem;
    jc_code code = parse(text, strlen(text), request, &problem);
    check_report(code == JC_OK, __FILE__, __LINE__, "%s: %s", text, problem.detail);
}

static void test_single(void)
{
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    check_good("{\"title\":\"Nurse\",\"body\":\"<p>x</p>\",\"top_n\":2,\"id\":\"a\"}", &request);
    REQUIRE(request.n_postings == 1);
    CHECK(request.single);
    CHECK_INT(request.top_n, 2);
    CHECK_STR(request.postings[0].posting.title, "Nurse");
    CHECK_INT(request.postings[0].posting.n_title, 5);
    CHECK_STR(request.postings[0].posting.body, "<p>x</p>");
    CHECK_INT(request.postings[0].posting.n_body, 8);
    CHECK_STR(request.postings[0].id, "\"a\"");
}

static void test_list(void)
{
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    check_good(
        " {\"top_n\":7,\"postings\":[{\"title\":\"A\"},{\"body\":\"B\",\"title\":null},{\"id\":-5,\"title\":\"\"}]}\n",
        &request);
    REQUIRE(request.n_postings == 3);
    CHECK(!request.single);
    CHECK_INT(request.top_n, 7);
    CHECK_STR(request.postings[0].posting.title, "A");
    CHECK(!request.postings[0].posting.body && !request.postings[0].id);
    CHECK(!request.postings[1].posting.title && request.postings[1].posting.n_title == 0);
    CHECK_STR(request.postings[1].posting.body, "B");
    CHECK_STR(request.postings[2].id, "-5");
    CHECK_STR(request.postings[2].posting.title, "");
}

static void test_default_top_n(void)
{
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    check_good("{\"title\":\"x\"}", &request);
    CHECK_INT(request.top_n, config.model.top_n);
    CHECK_INT(request.level, JC_LEVEL_NONE);
}

static void test_levels(void)
{
    static const char *const names[] = {"major", "minor", "broad", "detailed"};
    static const char *const forms[] = {"{\"title\":\"x\",\"level\":\"%s\"}", "{\"level\":\"%s\",\"title\":\"x\"}",
                                        "{\"postings\":[{\"title\":\"x\"}],\"level\":\"%s\",\"top_n\":1}"};
    for (size_t i = 0; i < JC_COUNT(names); i++)
        for (size_t form = 0; form < JC_COUNT(forms); form++) {
            JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
            JC_AUTO_BUF struct jc_buf text = {0};
            const char *at = strstr(forms[form], "%s");
            jc_buf_put(&text, forms[form], (size_t)(at - forms[form]));
            jc_buf_puts(&text, names[i]);
            jc_buf_puts(&text, at + 2);
            check_good(text.data, &request);
            CHECK_INT(request.level, JC_LEVEL_MAJOR + i);
        }
}

static void test_errors(void)
{
    static const struct {
        const char *text;
        enum jc_problem_kind kind;
        const char *pointer, *detail;
    } rows[] = {
        /* JSON itself */
        {"", JC_PROBLEM_MALFORMED_JSON, "", "Line 1, column 0"},
        {"{", JC_PROBLEM_MALFORMED_JSON, "", "Line 1, column 1"},
        {"{\"title\":\n  \"x\"\n  7}", JC_PROBLEM_MALFORMED_JSON, "", "Line 3, column 3"},
        {"{\"title\":\"x\"} x", JC_PROBLEM_MALFORMED_JSON, "", "end of file expected"},
        {"{'title':'x'}", JC_PROBLEM_MALFORMED_JSON, "", "Line 1, column"},
        {"{\"title\":\"\xff\"}", JC_PROBLEM_MALFORMED_JSON, "", "byte 0xff"},
        {"{\"title\":\"\\ud800\"}", JC_PROBLEM_MALFORMED_JSON, "", "Line 1"},
        {"{\"title\":\"a\\u0000b\"}", JC_PROBLEM_MALFORMED_JSON, "", "Line 1"},
        {"{\"title\":\"x\",\"title\":\"y\"}", JC_PROBLEM_MALFORMED_JSON, "", "duplicate"},
        {"{\"top_n\":99999999999999999999}", JC_PROBLEM_MALFORMED_JSON, "", "too big integer"},
        {"{\"top_n\":NaN}", JC_PROBLEM_MALFORMED_JSON, "", "Line 1"},
        /* the whole */
        {"[]", JC_PROBLEM_INVALID_MEMBER, "", "an object"},
        {"[{\"title\":\"x\"}]", JC_PROBLEM_INVALID_MEMBER, "", "an object"},
        {"{}", JC_PROBLEM_INVALID_MEMBER, "", "needs \"title\" or \"body\""},
        {"{\"id\":\"a\"}", JC_PROBLEM_INVALID_MEMBER, "", "needs \"title\" or \"body\""},
        {"{\"title\":null,\"body\":null}", JC_PROBLEM_INVALID_MEMBER, "", "needs \"title\" or \"body\""},
        {"{\"Title\":\"x\"}", JC_PROBLEM_UNKNOWN_MEMBER, "/Title",
         "id, title, body, top_n, level; or postings, top_n, level"},
        {"{\"a/b~c\":1,\"title\":\"x\"}", JC_PROBLEM_UNKNOWN_MEMBER, "/a~1b~0c", "Unknown member"},
        {"{\"\":1,\"title\":\"x\"}", JC_PROBLEM_UNKNOWN_MEMBER, "/", "Unknown member"},
        {"{\"title\":7}", JC_PROBLEM_INVALID_MEMBER, "/title", "a string"},
        {"{\"title\":[\"x\"]}", JC_PROBLEM_INVALID_MEMBER, "/title", "a string"},
        {"{\"title\":\"x\",\"body\":false}", JC_PROBLEM_INVALID_MEMBER, "/body", "a string"},
        {"{\"title\":\"x\",\"id\":1.5}", JC_PROBLEM_INVALID_MEMBER, "/id", "an integer"},
        {"{\"title\":\"x\",\"id\":null}", JC_PROBLEM_INVALID_MEMBER, "/id", "an integer"},
        {"{\"title\":\"x\",\"id\":{}}", JC_PROBLEM_INVALID_MEMBER, "/id", "an integer"},
        {"{\"title\":\"x\",\"top_n\":0}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"title\":\"x\",\"top_n\":8}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"title\":\"x\",\"top_n\":-1}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"title\":\"x\",\"top_n\":\"3\"}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"title\":\"x\",\"top_n\":3.0}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"title\":\"x\",\"top_n\":null}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"title\":\"x\",\"top_n\":4294967297}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"title\":\"x\",\"level\":\"Major\"}", JC_PROBLEM_INVALID_MEMBER, "/level",
         "Expected \"major\", \"minor\", \"broad\" or \"detailed\"."},
        {"{\"title\":\"x\",\"level\":\"\"}", JC_PROBLEM_INVALID_MEMBER, "/level", "\"major\""},
        {"{\"title\":\"x\",\"level\":\"majors\"}", JC_PROBLEM_INVALID_MEMBER, "/level", "\"major\""},
        {"{\"title\":\"x\",\"level\":null}", JC_PROBLEM_INVALID_MEMBER, "/level", "\"major\""},
        {"{\"title\":\"x\",\"level\":2}", JC_PROBLEM_INVALID_MEMBER, "/level", "\"major\""},
        {"{\"title\":\"x\",\"level\":[\"major\"]}", JC_PROBLEM_INVALID_MEMBER, "/level", "\"major\""},
        /* the list */
        {"{\"postings\":[]}", JC_PROBLEM_INVALID_MEMBER, "/postings", "at least one"},
        {"{\"postings\":null}", JC_PROBLEM_INVALID_MEMBER, "/postings", "an array"},
        {"{\"postings\":{\"title\":\"x\"}}", JC_PROBLEM_INVALID_MEMBER, "/postings", "an array"},
        {"{\"postings\":[{\"title\":\"x\"}],\"title\":\"y\"}", JC_PROBLEM_UNKNOWN_MEMBER, "/title",
         "postings, top_n, level"},
        {"{\"postings\":[{\"title\":\"x\"}],\"top_n\":true}", JC_PROBLEM_INVALID_MEMBER, "/top_n", "from 1 to 7"},
        {"{\"postings\":[{},{},{},{}]}", JC_PROBLEM_TOO_MANY_POSTINGS, "/postings", "4 postings; the limit is 3"},
        {"{\"postings\":[\"x\"]}", JC_PROBLEM_INVALID_MEMBER, "/postings/0", "an object"},
        {"{\"postings\":[{\"title\":\"x\"},{}]}", JC_PROBLEM_INVALID_MEMBER, "/postings/1", "needs"},
        {"{\"postings\":[{\"title\":\"x\"},{\"title\":\"y\",\"body\":1}]}", JC_PROBLEM_INVALID_MEMBER,
         "/postings/1/body", "a string"},
        {"{\"postings\":[{\"title\":\"x\",\"top_n\":3}]}", JC_PROBLEM_UNKNOWN_MEMBER, "/postings/0/top_n",
         "id, title, body."},
        {"{\"postings\":[{\"title\":\"x\",\"level\":\"major\"}]}", JC_PROBLEM_UNKNOWN_MEMBER, "/postings/0/level",
         "id, title, body."},
        {"{\"postings\":[{\"title\":\"x\"}],\"level\":\"all\"}", JC_PROBLEM_INVALID_MEMBER, "/level", "\"detailed\""},
        /* lengths count characters, not bytes */
        {"{\"title\":\"12345678901\"}", JC_PROBLEM_TEXT_TOO_LONG, "/title", "11 characters; the limit is 10"},
        {"{\"title\":\"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\"}",
         JC_PROBLEM_TEXT_TOO_LONG, "/title", "11 characters"},
        {"{\"postings\":[{\"title\":\"x\"},{\"body\":\"123456789012345678901\"}]}", JC_PROBLEM_TEXT_TOO_LONG,
         "/postings/1/body", "21 characters; the limit is 20"},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
        struct jc_problem problem;
        jc_code code = parse(rows[i].text, strlen(rows[i].text), &request, &problem);
        if (!check_report(code == JC_E_INVALID, __FILE__, __LINE__, "%s: code %d", rows[i].text, code))
            continue;
        check_report(problem.kind == rows[i].kind && strcmp(problem.pointer, rows[i].pointer) == 0 &&
                         strstr(problem.detail, rows[i].detail),
                     __FILE__, __LINE__, "%s: %s '%s' \"%s\"", rows[i].text, jc_problem_code(problem.kind),
                     problem.pointer, problem.detail);
    }
}

static void test_characters_at_the_limit(void)
{
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    check_good("{\"title\":\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00"
               "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"}",
               &request);
    CHECK_INT(request.postings[0].posting.n_title, 40);
}

static void check_id(const char *sent, const char *want)
{
    char text[2000];
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    snprintf(text, sizeof text, "{\"title\":\"x\",\"id\":%s}", sent);
    check_good(text, &request);
    CHECK_STR(request.postings[0].id, want);
}

static void test_ids(void)
{
    check_id("\"\"", "\"\"");
    check_id("0", "0");
    check_id("-9223372036854775808", "-9223372036854775808");
    check_id("9223372036854775807", "9223372036854775807");
    check_id("\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\xf0\x9f\x98\x80\"");
    check_id("\"a\\\"b\\\\c\\n\\u0001\\/\"", "\"a\\\"b\\\\c\\n\\u0001/\"");

    char longest[1100] = "\"", text[1200];
    for (int i = 0; i < 256; i++)
        strcat(longest, "\xf0\x9f\x98\x80");
    strcat(longest, "\"");
    check_id(longest, longest);
    snprintf(text, sizeof text, "{\"title\":\"x\",\"id\":%.*sx\"}", (int)strlen(longest) - 1, longest);
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    struct jc_problem problem;
    CHECK_INT(parse(text, strlen(text), &request, &problem), JC_E_INVALID);
    CHECK_STR(problem.pointer, "/id");
}

/* A pointer that does not fit is cut, never overrun. */
static void test_long_member_name(void)
{
    static const char units[] = "~/x\xc3\xa9";
    for (size_t n = 100; n < 200; n++) {
        JC_AUTO_BUF struct jc_buf text = {0};
        jc_buf_puts(&text, "{\"title\":\"x\",\"");
        for (size_t i = 0; i < n; i++)
            jc_buf_put(&text, i % 4 == 3 ? units + 3 : units + i % 4, i % 4 == 3 ? 2 : 1);
        jc_buf_puts(&text, "\":1}");
        JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
        struct jc_problem problem;
        CHECK_INT(parse(text.data, text.n, &request, &problem), JC_E_INVALID);
        CHECK_INT(problem.kind, JC_PROBLEM_UNKNOWN_MEMBER);
        CHECK(strlen(problem.pointer) < sizeof problem.pointer);
        CHECK(strncmp(problem.pointer, "/~0~1x\xc3\xa9~0", 9) == 0);
    }
}

static void test_big_inputs(void)
{
    JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
    struct jc_problem problem;
    JC_AUTO_BUF struct jc_buf deep = {0};
    jc_buf_puts(&deep, "{\"title\":");
    for (int i = 0; i < 1000000; i++)
        jc_buf_putc(&deep, '[');
    CHECK_INT(parse(deep.data, deep.n, &request, &problem), JC_E_INVALID);
    CHECK_INT(problem.kind, JC_PROBLEM_MALFORMED_JSON);

    JC_AUTO_BUF struct jc_buf wide = {0};
    jc_buf_puts(&wide, "{\"postings\":[");
    for (int i = 0; i < 100000; i++)
        jc_buf_puts(&wide, i ? ",{\"title\":\"x\"}" : "{\"title\":\"x\"}");
    jc_buf_puts(&wide, "]}");
    CHECK_INT(parse(wide.data, wide.n, &request, &problem), JC_E_INVALID);
    CHECK_INT(problem.kind, JC_PROBLEM_TOO_MANY_POSTINGS);
    CHECK_CONTAINS(problem.detail, "100000 postings");
}

/* Every prefix of a good request is refused as malformed, none crashes. */
static void test_cut_requests(void)
{
    static const char text[] = "{\"postings\":[{\"id\":\"\\u00e9\",\"title\":\"x\",\"body\":null}],\"top_n\":3}";
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        JC_AUTO_FINISH(jc_codec_request) struct jc_codec_request request = {0};
        struct jc_problem problem;
        CHECK_INT(parse(text, n, &request, &problem), JC_E_INVALID);
        CHECK_INT(problem.kind, JC_PROBLEM_MALFORMED_JSON);
    }
}

static void check_score(float score)
{
    char want[32];
    snprintf(want, sizeof want, "%.4f", (double)score);
    JC_AUTO_BUF struct jc_buf out = {0};
    jc_codec_put_score(&out, score);
    CHECK_STR(out.data, strcmp(want, "-0.0000") == 0 ? "0.0000" : want);
}

static void test_scores(void)
{
    static const float picked[] = {0,      -0.0F,    1,        -1,         1.0000001F, 0.99995F, 0.99994F,     0.00005F,
                                   -1e-9F, 0.81235F, 0.50005F, 0.0001221F, 0.03125F,   0.46875F, -0.00006104F, 8.9999F};
    for (size_t i = 0; i < JC_COUNT(picked); i++)
        check_score(picked[i]);
    for (int i = -160; i <= 160; i++)
        check_score((float)i / 32768.0F * 16); /* exact ties among them */
    struct jc_rng rng = jc_rng_seeded(1);
    for (int i = 0; i < 200000; i++)
        check_score((float)(jc_rng_unit(&rng) * 2.2 - 1.1));
}

int main(void)
{
    load_config();
    test_single();
    test_list();
    test_default_top_n();
    test_levels();
    test_errors();
    test_characters_at_the_limit();
    test_ids();
    test_long_member_name();
    test_big_inputs();
    test_cut_requests();
    test_scores();
    jc_conf_destroy(conf);
    return check_finish();
}
