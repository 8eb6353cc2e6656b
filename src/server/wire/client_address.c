/* Addresses, networks, and the client behind proxies. See client_address.h. */
#include "server/wire/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"
#include "text/ascii.h"

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool jc_address_is_v4(const struct jc_address *address)
{
    return memcmp(address->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

static struct jc_address map_v4(const struct in_addr *v4)
{
    struct jc_address address;
    memcpy(address.bytes, v4_prefix, sizeof v4_prefix);
    memcpy(address.bytes + sizeof v4_prefix, v4, sizeof *v4);
    return address;
}

void jc_address_put(const struct jc_address *address, char ret_text[JC_ADDRESS_TEXT])
{
    bool v4 = jc_address_is_v4(address);
    ret_text[0] = '\0';
    inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? sizeof v4_prefix : 0), ret_text, JC_ADDRESS_TEXT);
}

bool jc_address_from_socket(const struct sockaddr *socket_address, struct jc_address *ret_address)
{
    if (socket_address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, socket_address, sizeof v4);
        *ret_address = map_v4(&v4.sin_addr);
        return true;
    }
    if (socket_address->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, socket_address, sizeof v6);
    memcpy(ret_address->bytes, &v6.sin6_addr, sizeof ret_address->bytes);
    return true;
}

/* A bare address. */
static bool parse_bare(const char *text, size_t n, struct jc_address *ret_address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (!n || n >= sizeof copy || memchr(text, '\0', n))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        *ret_address = map_v4(&v4);
        return true;
    }
    if (inet_pton(AF_INET6, copy, &v6) != 1)
        return false;
    memcpy(ret_address->bytes, &v6, sizeof ret_address->bytes);
    return true;
}

static bool is_port(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!jc_ascii_is_digit(text[i]))
            return false;
    return n >= 1 && n <= 5;
}

bool jc_address_parse(const char *text, size_t n, struct jc_address *ret_address)
{
    const char *colon = n ? memchr(text, ':', n) : NULL, *close = n ? memchr(text, ']', n) : NULL;
    if (n && text[0] == '[') {
        size_t n_inside = close ? (size_t)(close - text) - 1 : 0, n_rest = close ? n - n_inside - 2 : 0;
        bool rest = !n_rest || (close[1] == ':' && is_port(close + 2, n_rest - 1));
        return close && rest && memchr(text + 1, ':', n_inside) && parse_bare(text + 1, n_inside, ret_address);
    }
    size_t n_host = colon ? (size_t)(colon - text) : n;
    if (colon && !memchr(colon + 1, ':', n - n_host - 1)) /* one colon: no IPv6 address has but one */
        return is_port(colon + 1, n - n_host - 1) && parse_bare(text, n_host, ret_address);
    return parse_bare(text, n, ret_address);
}

struct network {
    struct jc_address address; /* zero behind its prefix */
    unsigned n_bits;           /* of 128 */
};

struct jc_networks {
    size_t n;
    struct network items[];
};

/* The address's first n_bits bits, then zeros. */
static struct jc_address mask(const struct jc_address *address, unsigned n_bits)
{
    struct jc_address masked = {{0}};
    memcpy(masked.bytes, address->bytes, n_bits / 8);
    if (n_bits % 8)
        masked.bytes[n_bits / 8] = (uint8_t)(address->bytes[n_bits / 8] & 0xff00u >> n_bits % 8);
    return masked;
}

static jc_code parse_network(const char *text, struct network *ret_network, struct jc_err *err)
{
    struct jc_address address;
    const char *slash = strchr(text, '/');
    if (!parse_bare(text, slash ? (size_t)(slash - text) : strlen(text), &address))
        return jc_fail(err, JC_E_INVALID, "'%s': expected an address or a network such as 10.0.0.0/8", text);
    unsigned n_skip = jc_address_is_v4(&address) && !memchr(text, ':', strlen(text)) ? 96 : 0;
    uint64_t n_bits = 128 - n_skip;
    if (slash && (jc_parse_u64(slash + 1, &n_bits, err) != JC_OK || n_bits > 128 - n_skip))
        return jc_fail(err, JC_E_INVALID, "'%s': a prefix has 0 to %u bits", text, 128 - n_skip);
    struct network network = {.n_bits = (unsigned)n_bits + n_skip};
    network.address = mask(&address, network.n_bits);
    if (memcmp(&network.address, &address, sizeof address) != 0)
        return jc_fail(err, JC_E_INVALID, "'%s': bits are set behind the prefix", text);
    *ret_network = network;
    return JC_OK;
}

jc_code jc_networks_create(const char *const *items, size_t n_items, struct jc_networks **ret_networks,
                           struct jc_err *err)
{
    JC_AUTO(jc_networks)
    struct jc_networks *networks = calloc(1, sizeof *networks + n_items * sizeof networks->items[0]);
    if (!networks)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n_items; i++) {
        jc_code code = parse_network(items[i], &networks->items[i], err);
        if (code)
            return code;
        networks->n++;
    }
    *ret_networks = TAKE(networks);
    return JC_OK;
}

void jc_networks_destroy(struct jc_networks *networks)
{
    free(networks);
}

bool jc_networks_have(const struct jc_networks *networks, const struct jc_address *address)
{
    for (size_t i = 0; i < networks->n; i++) {
        struct jc_address masked = mask(address, networks->items[i].n_bits);
        if (memcmp(&masked, &networks->items[i].address, sizeof masked) == 0)
            return true;
    }
    return false;
}

void jc_client_address_begin(struct jc_client_address *client, const struct jc_networks *proxies,
                             const struct jc_address *peer)
{
    *client = (struct jc_client_address){.proxies = proxies, .peer = *peer};
}

/* One entry, left to right: an untrusted address outdoes all before it, a proxy's only fills a gap, and what is no
 * address wipes out what stands left of it. */
static void add_entry(struct jc_client_address *client, const char *text, size_t n)
{
    struct jc_address address;
    while (n && (*text == ' ' || *text == '\t'))
        text++, n--;
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    if (!jc_address_parse(text, n, &address)) {
        client->has_found = false;
        return;
    }
    if (client->has_found && jc_networks_have(client->proxies, &address))
        return;
    client->found = address;
    client->has_found = true;
}

void jc_client_address_add(struct jc_client_address *client, const char *value, size_t n)
{
    if (!jc_networks_have(client->proxies, &client->peer))
        return;
    const char *end = value + n;
    for (;;) {
        const char *comma = n ? memchr(value, ',', (size_t)(end - value)) : NULL;
        add_entry(client, value, (size_t)((comma ? comma : end) - value));
        if (!comma)
            return;
        value = comma + 1;
    }
}

struct jc_address jc_client_address_end(const struct jc_client_address *client)
{
    return client->has_found ? client->found : client->peer;
}
