/*
 * Whose request it is: addresses, networks ("10.0.0.0/8", "::1"), and the client behind trusted proxies from
 * X-Forwarded-For. IPv4 is kept as IPv4-mapped IPv6, so that a client is the same on either kind of listener.
 * Threads: any; nothing is shared but a const struct jc_networks.
 */
#ifndef JC_SERVER_WIRE_CLIENT_ADDRESS_H
#define JC_SERVER_WIRE_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"

struct sockaddr;

struct jc_address {
    uint8_t bytes[16]; /* all zero: not known */
};

#define JC_ADDRESS_TEXT 46 /* bytes of the longest text with its NUL */
void jc_address_put(const struct jc_address *address, char ret_text[JC_ADDRESS_TEXT]);

bool jc_address_is_v4(const struct jc_address *address);

/* False where it is neither IPv4 nor IPv6. */
bool jc_address_from_socket(const struct sockaddr *socket_address, struct jc_address *ret_address);

/* As proxies write it: an address, or one with a port ("192.0.2.1:80", "[2001:db8::1]:80"). `text` needs no NUL. */
bool jc_address_parse(const char *text, size_t n, struct jc_address *ret_address);

/* Networks. Errors: INVALID, naming the item. */
struct jc_networks;
JC_MUST_CHECK jc_code jc_networks_create(const char *const *items, size_t n_items, struct jc_networks **ret_networks,
                                         struct jc_err *err);
void jc_networks_destroy(struct jc_networks *networks);
JC_DEFINE_AUTO(jc_networks)
bool jc_networks_have(const struct jc_networks *networks, const struct jc_address *address);

/*
 * The client of a request: of the X-Forwarded-For values and behind them the peer, the rightmost address that is no
 * trusted proxy. What stands left of it the client may have written itself. Where an entry is no address ("unknown"),
 * it is the proxy that wrote that. Begin with the peer, add each value in the order sent, then take the result.
 */
struct jc_client_address {
    const struct jc_networks *proxies;
    struct jc_address peer, found;
    bool has_found;
};
void jc_client_address_begin(struct jc_client_address *client, const struct jc_networks *proxies,
                             const struct jc_address *peer);
void jc_client_address_add(struct jc_client_address *client, const char *value, size_t n);
struct jc_address jc_client_address_end(const struct jc_client_address *client);

#endif
