/* Origins: which are allowed into the configuration, and which a request's are. */
#include "server/policy/cors.h"

#include "check.h"

static void test_check(void)
{
    static const char *const good[] = {"*",
                                       "https://app.example",
                                       "http://localhost:3000",
                                       "http://127.0.0.1:8081",
                                       "http://[::1]:8080",
                                       "https://[2001:db8::1]",
                                       "https://xn--bcher-kva.example",
                                       "https://a.example:80",
                                       "http://a.example:443",
                                       "capacitor://localhost",
                                       "chrome-extension://abcdefghijklmnop"};
    struct jc_err err;
    for (size_t i = 0; i < JC_COUNT(good); i++)
        check_report(jc_cors_check_origin(good[i], &err) == JC_OK, __FILE__, __LINE__, "%s: %s", good[i], err.text);

    static const struct {
        const char *origin, *part;
    } bad[] = {
        {"", "expected *"},
        {"null", "expected *"},
        {"app.example", "expected *"},
        {"//app.example", "expected *"},
        {"HTTPS://app.example", "expected *"},
        {"1https://app.example", "expected *"},
        {"**", "expected *"},
        {"https://*.example", "expected a host"},
        {"https://App.example", "expected a host"},
        {"https://aPP.example", "nothing comes behind"},
        {"https://", "expected a host"},
        {"https://[::1", "expected a host"},
        {"https://[]", "expected a host"},
        {"https://:80", "expected a host"},
        {"https://app.example/", "slash"},
        {"https://app.example/path", "slash"},
        {"https://user@app.example", "nothing comes behind"},
        {"https://app.example?x", "nothing comes behind"},
        {"https://app.example ", "nothing comes behind"},
        {"https://app.example:", "port"},
        {"https://app.example:0", "port"},
        {"https://app.example:080", "port"},
        {"https://app.example:65536", "port"},
        {"https://app.example:99999999999999999999", "port"},
        {"https://app.example:8x", "port"},
        {"https://app.example:8080/", "port"},
        {"https://app.example:443", "default port"},
        {"http://app.example:80", "default port"},
    };
    for (size_t i = 0; i < JC_COUNT(bad); i++)
        CHECK_FAILS(jc_cors_check_origin(bad[i].origin, &err), JC_E_INVALID, bad[i].part);
}

static void check_allowed(const struct jc_conf_list *origins, const char *origin, const char *want)
{
    const char *got = jc_cors_allow_origin(origins, origin);
    check_report(want ? got && strcmp(got, want) == 0 : !got, __FILE__, __LINE__, "%s gives %s, not %s",
                 origin ? origin : "(none)", got ? got : "(none)", want ? want : "(none)");
}

static void test_allow(void)
{
    static const char *const two[] = {"https://a.example", "http://b.example:8080"}, *const any[] = {"*"};
    const struct jc_conf_list none = {0}, named = {.items = two, .n = 2}, all = {.items = any, .n = 1};
    check_allowed(&named, "https://a.example", "https://a.example");
    check_allowed(&named, "http://b.example:8080", "http://b.example:8080");
    static const char *const others[] = {"http://a.example",
                                         "https://a.example:443",
                                         "https://a.example:8443",
                                         "https://a.example.evil",
                                         "https://a.exampl",
                                         "https://A.example",
                                         "https://a.example/",
                                         "http://b.example",
                                         "https://a.example, http://b.example:8080",
                                         "null",
                                         "*",
                                         "",
                                         NULL};
    for (size_t i = 0; i < JC_COUNT(others); i++) {
        check_allowed(&named, others[i], NULL);
        check_allowed(&none, others[i], NULL);
    }
    check_allowed(&all, "https://whoever.example", "*");
    check_allowed(&all, "null", "*");
    check_allowed(&all, NULL, NULL);
    CHECK(!jc_cors_varies(&none));
    CHECK(jc_cors_varies(&named) && jc_cors_varies(&all));
}

int main(void)
{
    test_check();
    test_allow();
    return check_finish();
}
