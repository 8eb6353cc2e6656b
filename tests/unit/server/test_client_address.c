/* Addresses, networks, and X-Forwarded-For with hostile values. */
#include "server/wire/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "check.h"

static struct jc_address address(const char *text)
{
    struct jc_address parsed;
    REQUIRE(jc_address_parse(text, strlen(text), &parsed));
    return parsed;
}

static void test_parse(void)
{
    static const struct {
        const char *text, *want; /* NULL = refused */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:65535", "192.0.2.1"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::", "::"},
        {"", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1 ", NULL},
        {"192.0.2.1:", NULL},
        {"192.0.2.1:x", NULL},
        {"192.0.2.1:123456", NULL},
        {"[192.0.2.1]", NULL},
        {"[::1", NULL},
        {"[]", NULL},
        {"[", NULL},
        {"]", NULL},
        {"[::1]1", NULL},
        {"[::1]:", NULL},
        {"::1]", NULL},
        {"::1%eth0", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"\"192.0.2.1\"", NULL},
        {"0000000000000000000000000000000000000000000000000001::", NULL},
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_address parsed;
        char text[JC_ADDRESS_TEXT];
        size_t n = strlen(rows[i].text);
        JC_AUTO_FREE char *exact = malloc(n + !n);
        REQUIRE(exact);
        memcpy(exact, rows[i].text, n);
        bool good = jc_address_parse(exact, n, &parsed);
        check_report(good == (rows[i].want != NULL), __FILE__, __LINE__, "'%s'", rows[i].text);
        if (good && rows[i].want) {
            jc_address_put(&parsed, text);
            CHECK_STR(text, rows[i].want);
        }
    }
    struct jc_address parsed;
    CHECK(!jc_address_parse("192.0.2.1\0", 10, &parsed));
}

static void test_sockets(void)
{
    struct jc_address got, want = address("192.0.2.1");
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr);
    REQUIRE(jc_address_from_socket((const struct sockaddr *)&v4, &got));
    CHECK(memcmp(&got, &want, sizeof got) == 0);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr);
    REQUIRE(jc_address_from_socket((const struct sockaddr *)&v6, &got));
    CHECK(memcmp(&got, &want, sizeof got) == 0 && jc_address_is_v4(&got));
    CHECK(!jc_address_from_socket((const struct sockaddr *)&local, &got));
}

static void test_networks(void)
{
    static const char *const items[] = {"10.0.0.0/8", "192.0.2.128/25", "198.51.100.7", "2001:db8::/33", "::1"};
    struct jc_err err;
    JC_AUTO(jc_networks) struct jc_networks *networks = NULL;
    REQUIRE_OK(jc_networks_create(items, JC_COUNT(items), &networks, &err));
    static const char *const in[] = {"10.0.0.0",   "10.255.255.255",   "192.0.2.128", "192.0.2.255",    "198.51.100.7",
                                     "2001:db8::", "2001:db8:7fff::1", "::1",         "::ffff:10.1.2.3"};
    static const char *const out[] = {
        "11.0.0.0", "9.255.255.255", "192.0.2.127", "198.51.100.6", "2001:db8:8000::", "::", "::2", "a00::"};
    for (size_t i = 0; i < JC_COUNT(in); i++) {
        struct jc_address one = address(in[i]);
        check_report(jc_networks_have(networks, &one), __FILE__, __LINE__, "%s is not in", in[i]);
    }
    for (size_t i = 0; i < JC_COUNT(out); i++) {
        struct jc_address one = address(out[i]);
        check_report(!jc_networks_have(networks, &one), __FILE__, __LINE__, "%s is in", out[i]);
    }

    static const char *const all[] = {"0.0.0.0/0"};
    JC_AUTO(jc_networks) struct jc_networks *every_v4 = NULL;
    REQUIRE_OK(jc_networks_create(all, 1, &every_v4, &err));
    struct jc_address v4 = address("203.0.113.9"), v6 = address("2001:db8::1");
    CHECK(jc_networks_have(every_v4, &v4) && !jc_networks_have(every_v4, &v6));
}

static void test_networks_refused(void)
{
    static const char *const rows[] = {"",
                                       "x",
                                       "10.0.0.0/",
                                       "10.0.0.0/33",
                                       "10.0.0.0/-1",
                                       "10.0.0.1/8",
                                       "::/129",
                                       "2001:db8::1/64",
                                       "10.0.0.0/8/8",
                                       "/8",
                                       "10.0.0.0/8x",
                                       "10/8"};
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_err err;
        struct jc_networks *networks = NULL;
        CHECK_FAILS(jc_networks_create(&rows[i], 1, &networks, &err), JC_E_INVALID, rows[i]);
    }
}

static void test_forwarded(void)
{
    static const char *const items[] = {"10.0.0.0/8", "::1"};
    static const struct {
        const char *peer, *first, *second, *want;
    } rows[] = {
        {"192.0.2.1", "198.51.100.1", NULL, "192.0.2.1"}, /* no proxy of ours: its word counts for nothing */
        {"10.0.0.1", NULL, NULL, "10.0.0.1"},
        {"10.0.0.1", "198.51.100.1", NULL, "198.51.100.1"},
        {"10.0.0.1", "1.1.1.1, 198.51.100.1", NULL, "198.51.100.1"},
        {"10.0.0.1", "1.1.1.1", "198.51.100.1 ,\t10.0.0.2", "198.51.100.1"},
        {"::1", "198.51.100.1:80,[::1]:99", NULL, "198.51.100.1"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", NULL, "10.0.0.3"}, /* all of it ours: where it began */
        {"10.0.0.1", "198.51.100.1, unknown", NULL, "10.0.0.1"},
        {"10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", NULL, "10.0.0.2"},
        {"10.0.0.1", "unknown, 198.51.100.1", NULL, "198.51.100.1"},
        {"10.0.0.1", "", NULL, "10.0.0.1"},
        {"10.0.0.1", ",,,", NULL, "10.0.0.1"},
        {"10.0.0.1", "198.51.100.1,", NULL, "10.0.0.1"},
        {"10.0.0.1", "  \t ", "198.51.100.1", "198.51.100.1"},
    };
    struct jc_err err;
    JC_AUTO(jc_networks) struct jc_networks *proxies = NULL;
    REQUIRE_OK(jc_networks_create(items, JC_COUNT(items), &proxies, &err));
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        struct jc_client_address client;
        char text[JC_ADDRESS_TEXT];
        struct jc_address peer = address(rows[i].peer);
        jc_client_address_begin(&client, proxies, &peer);
        if (rows[i].first)
            jc_client_address_add(&client, rows[i].first, strlen(rows[i].first));
        if (rows[i].second)
            jc_client_address_add(&client, rows[i].second, strlen(rows[i].second));
        struct jc_address got = jc_client_address_end(&client);
        jc_address_put(&got, text);
        check_report(strcmp(text, rows[i].want) == 0, __FILE__, __LINE__, "row %zu: %s", i, text);
    }
}

int main(void)
{
    test_parse();
    test_sockets();
    test_networks();
    test_networks_refused();
    test_forwarded();
    return check_finish();
}
