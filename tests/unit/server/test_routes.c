/* The route table: look-ups by method and path, HEAD, Allow, names. */
#include "server/api/routes.h"

#include "check.h"

enum { EVERYWHERE = JC_ROUTES_PUBLIC | JC_ROUTES_PROBES | JC_ROUTES_METRICS | JC_ROUTES_ADMIN };

static void test_every_row(void)
{
    for (size_t i = 0; i < jc_n_routes; i++) {
        const struct jc_route *route = &jc_routes[i];
        bool exists = false;
        CHECK(route->handle != NULL);
        if (strcmp(route->path, "*") == 0)
            continue;
        bool is_of_many = route->path[strlen(route->path) - 1] == '*'; /* and of many media types */
        CHECK(is_of_many ? !route->produces : route->produces && strchr(route->produces, '/'));
        CHECK(route->path[0] == '/');
        CHECK_INT(jc_route_find(route->set, route->method, route->path, &exists), i); /* and no row hides another */
        CHECK(exists);

        char name[JC_ROUTE_NAME], want[JC_ROUTE_NAME];
        snprintf(want, sizeof want, "%s %s", route->method, route->path);
        jc_route_name(i, name);
        CHECK_STR(name, want);
        CHECK_CONTAINS(jc_route_allow(route->set, route->path), route->method);
    }
}

static void test_find(void)
{
    bool exists = true;
    size_t get = jc_route_find(EVERYWHERE, "GET", "/v1/classify", &exists);
    REQUIRE(get < jc_n_routes);
    CHECK(!jc_routes[get].has_body);
    CHECK_INT(jc_route_find(EVERYWHERE, "HEAD", "/v1/classify", &exists), get);
    size_t file = jc_route_find(EVERYWHERE, "GET", "/page/app.js", &exists);
    REQUIRE(file < jc_n_routes);
    CHECK_STR(jc_routes[file].path, "/page/*");
    size_t post = jc_route_find(EVERYWHERE, "POST", "/v1/classify", &exists);
    REQUIRE(post < jc_n_routes);
    CHECK(jc_routes[post].has_body);

    static const char *const absent[] = {"",        "//",   "/page", "/v1", "/v1/", "/v1/classify/", "/V1/classify",
                                         "/livez ", "livez"};
    for (size_t i = 0; i < JC_COUNT(absent); i++) {
        exists = true;
        CHECK_INT(jc_route_find(EVERYWHERE, "GET", absent[i], &exists), jc_n_routes);
        check_report(!exists, __FILE__, __LINE__, "'%s' exists", absent[i]);
    }
    static const char *const methods[] = {"DELETE", "PUT", "options", "get", "", "GETS", "HEAD "};
    for (size_t i = 0; i < JC_COUNT(methods); i++) {
        exists = false;
        CHECK_INT(jc_route_find(EVERYWHERE, methods[i], "/v1/classify", &exists), jc_n_routes);
        check_report(exists, __FILE__, __LINE__, "%s: the path does not exist", methods[i]);
    }
    CHECK_INT(jc_route_find(EVERYWHERE, "POST", "/livez", &exists), jc_n_routes);
    CHECK(exists);
}

/* What a listener does not offer is not there at all, whatever the method. */
static void test_sets(void)
{
    static const unsigned public = JC_ROUTES_PUBLIC | JC_ROUTES_PROBES | JC_ROUTES_METRICS;
    static const unsigned admin = JC_ROUTES_ADMIN | JC_ROUTES_PROBES | JC_ROUTES_METRICS;
    bool exists = true;
    for (size_t i = 0; i < jc_n_routes; i++) {
        const struct jc_route *route = &jc_routes[i];
        bool is_admin = strncmp(route->path, "/admin/", 7) == 0;
        CHECK((route->set == JC_ROUTES_ADMIN) == is_admin);
        CHECK((jc_route_find(public, route->method, route->path, &exists) < jc_n_routes) == !is_admin);
        CHECK(exists == !is_admin);
    }
    CHECK_INT(jc_route_find(public, "GET", "/admin/reload", &exists), jc_n_routes);
    CHECK(!exists);
    CHECK_INT(jc_route_find(admin, "GET", "/admin/reload", &exists), jc_n_routes);
    CHECK(exists);
    CHECK_INT(jc_route_find(admin, "POST", "/v1/classify", &exists), jc_n_routes);
    CHECK(!exists);
    CHECK(jc_route_find(admin, "GET", "/metrics", &exists) < jc_n_routes);
    CHECK(jc_route_find(admin, "GET", "/readyz", &exists) < jc_n_routes);
    CHECK(jc_route_find(public & ~(unsigned)JC_ROUTES_METRICS, "GET", "/metrics", &exists) == jc_n_routes);
    CHECK_STR(jc_route_allow(admin, "/admin/reload"), "POST, OPTIONS");
}

static void test_allow(void)
{
    CHECK_STR(jc_route_allow(EVERYWHERE, "/v1/classify"), "GET, HEAD, POST, OPTIONS");
    CHECK_STR(jc_route_allow(EVERYWHERE, "/livez"), "GET, HEAD, OPTIONS");

    char name[JC_ROUTE_NAME];
    jc_route_name(jc_n_routes, name);
    CHECK_STR(name, "none");
}

static void test_options(void)
{
    bool exists = false;
    size_t row = jc_route_find(EVERYWHERE, "OPTIONS", "/v1/classify", &exists);
    REQUIRE(row < jc_n_routes);
    CHECK(exists && !jc_routes[row].needs_key);
    CHECK_INT(jc_route_find(EVERYWHERE, "OPTIONS", "/livez", &exists), row);
    CHECK_INT(jc_route_find(EVERYWHERE, "OPTIONS", "/nothing", &exists), jc_n_routes);
    CHECK(!exists);
    CHECK_INT(jc_route_find(EVERYWHERE, "GET", "*", &exists), jc_n_routes);
}

/* A probe has no key, and data is not given without one. */
static void test_keys(void)
{
    static const struct {
        const char *method, *path;
        bool needs_key;
    } rows[] = {{"POST", "/v1/classify", true}, {"GET", "/v1/classify", true},  {"GET", "/metrics", true},
                {"GET", "/livez", false},       {"GET", "/readyz", false},      {"HEAD", "/healthz", false},
                {"GET", "/startupz", false},    {"POST", "/admin/reload", true}};
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        bool exists;
        size_t row = jc_route_find(EVERYWHERE, rows[i].method, rows[i].path, &exists);
        REQUIRE(row < jc_n_routes);
        CHECK(jc_routes[row].needs_key == rows[i].needs_key);
    }
}

int main(void)
{
    test_every_row();
    test_options();
    test_keys();
    test_find();
    test_sets();
    test_allow();
    return check_finish();
}
