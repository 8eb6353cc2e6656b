/* Media types and Accept headers. */
#include "server/policy/accept.h"

#include "base/own.h"
#include "check.h"

#define JSON "application/json"
#define TEXT "text/plain; version=0.0.4; charset=utf-8"

static void test_media_type(void)
{
    static const struct {
        const char *header;
        bool is_json;
    } rows[] = {
        {"application/json", true},
        {"Application/JSON", true},
        {" \tapplication/json ; charset=utf-8", true},
        {"application/json;charset=\"utf-8\"", true},
        {"application/json; a=b; c=d", true},
        {"", false},
        {";", false},
        {"application", false},
        {"application/", false},
        {"application/jso", false},
        {"application/json5", false},
        {"application/problem+json", false},
        {"text/json", false},
        {"application/json, text/plain", false},
        {"text/plain; x=application/json", false},
        {"application/x-www-form-urlencoded", false},
        {"*/*", false},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++)
        check_report(jc_media_type_is(rows[i].header, JSON) == rows[i].is_json, __FILE__, __LINE__, "'%s'",
                     rows[i].header);
}

static void test_accept(void)
{
    static const struct {
        const char *accept, *type;
        bool allowed;
    } rows[] = {
        {"", JSON, true},
        {"  ", JSON, true},
        {"*/*", JSON, true},
        {"application/*", JSON, true},
        {"APPLICATION/JSON", JSON, true},
        {"application/json;q=0.1", JSON, true},
        {"text/html, application/xhtml+xml, */*;q=0.8", JSON, true},
        {"text/html,,application/json", JSON, true},
        {" , application/json", JSON, true},
        {"application/json; charset=utf-8", JSON, true},
        {"text/html", JSON, false},
        {"text/*", JSON, false},
        {"application/jsonx", JSON, false},
        {"applicatio/*", JSON, false},
        {"application/problem+json", JSON, false},
        {"application/json;q=0", JSON, false},
        {"application/json; q=0.000", JSON, false},
        {"application/json ; Q=0", JSON, false},
        {"*/*;q=0", JSON, false},
        /* The most specific range decides, wherever it stands. */
        {"*/*, application/json;q=0", JSON, false},
        {"application/json;q=0, */*", JSON, false},
        {"application/*;q=0, application/json", JSON, true},
        {"*/*;q=0, application/*;q=0.5", JSON, true},
        /* A q that belongs to the next range is not this one's. */
        {"application/json, text/html;q=0", JSON, true},
        {"text/html;q=0, application/json", JSON, true},
        {"application/json;level=1;q=0", JSON, false},
        {"application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT, true},
        {"text/plain", TEXT, true},
        {"text/*;q=0.3", TEXT, true},
        {"text/html", TEXT, false},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++)
        check_report(jc_accept_allows(rows[i].accept, rows[i].type) == rows[i].allowed, __FILE__, __LINE__,
                     "'%s' for %s", rows[i].accept, rows[i].type);
}

/* qvalues as RFC 9110, section 12.4.2, has them; what is none weighs nothing. */
static void test_weights(void)
{
    static const struct {
        const char *q;
        bool wanted;
    } rows[] = {
        {"1", true},       {"0.001", true},  {"0.5", true},    {"1.", true},   {"1.000", true},
        {"0.5 ", true},    {"0", false},     {"0.", false},    {"0.0", false}, {"0.000", false},
        {"0.0001", false}, {"1.001", false}, {"2", false},     {"1.5", false}, {".5", false},
        {"-1", false},     {"+1", false},    {"inf", false},   {"nan", false}, {"0x1", false},
        {"1e0", false},    {"", false},      {"\"1\"", false}, {"0,5", false}, {"1.0000", false},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        char header[64];
        snprintf(header, sizeof header, "application/json;q=%s", rows[i].q);
        check_report(jc_accept_allows(header, JSON) == rows[i].wanted, __FILE__, __LINE__, "'%s'", header);
        snprintf(header, sizeof header, "gzip;q=%s", rows[i].q);
        check_report(jc_accept_encoding_prefers(header, "gzip") == rows[i].wanted, __FILE__, __LINE__, "'%s'", header);
    }
}

static void test_encodings(void)
{
    static const struct {
        const char *header;
        bool wanted;
    } rows[] = {
        {"gzip", true},
        {"GZip", true},
        {"gzip, deflate, br, zstd", true},
        {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {"*", true},
        {"deflate, *;q=0.5", true},
        {"identity;q=0.5, gzip", true},
        {"identity, gzip", true},
        {"identity;q=0, gzip;q=0.001", true},
        {" ,gzip ;q=1", true},
        {"", false},
        {"identity", false},
        {"deflate, br", false},
        {"gzip;q=0", false},
        {"gzip;q=0, *", false},
        {"*, gzip;q=0", false},
        {"*;q=0", false},
        {"gzip;q=0.5, identity", false},
        {"*;q=0.2, identity;q=0.3", false},
        {"xgzip, gzipx", false},
        {"g", false},
        {"deflate;gzip", false},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++)
        check_report(jc_accept_encoding_prefers(rows[i].header, "gzip") == rows[i].wanted, __FILE__, __LINE__, "'%s'",
                     rows[i].header);
}

/* Every prefix of a header, in a block of exactly its size: sanitizers see a read behind the end. */
static void test_cut_headers(void)
{
    static const char header[] = "text/html ;q=0.5, application/* ; q=0 ,,application/json; charset=\"x\";q=1, */*";
    for (size_t n = 0; n < sizeof header; n++) {
        JC_AUTO_FREE char *cut = strndup(header, n);
        REQUIRE(cut);
        jc_media_type_is(cut, JSON);
        jc_accept_allows(cut, TEXT);
        jc_accept_encoding_prefers(cut, "gzip");
    }
    CHECK(jc_accept_allows(header, JSON));
}

int main(void)
{
    test_media_type();
    test_accept();
    test_weights();
    test_encodings();
    test_cut_headers();
    return check_finish();
}
