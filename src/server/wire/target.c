/* Request targets and authorities. See target.h. */
#include "server/wire/target.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "text/ascii.h"

static int hex_value(char c)
{
    if (jc_ascii_is_digit(c))
        return c - '0';
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static const char *check_path(const char *path, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (path[i] == '\\')
            return "a backslash in the path";
        if (path[i] != '%')
            continue;
        int high = n - i > 2 ? hex_value(path[i + 1]) : -1, low = n - i > 2 ? hex_value(path[i + 2]) : -1;
        if (high < 0 || low < 0)
            return "broken percent-encoding in the path";
        int byte = high * 16 + low;
        if (byte < 0x20 || byte == 0x7f)
            return "an encoded control character in the path";
        if (byte == '/' || byte == '\\')
            return "an encoded slash or backslash in the path";
    }
    return NULL;
}

static const char *check_bytes(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == 0x7f)
            return "a blank or control character in the target";
        if (c > 0x7f)
            return "a byte in the target that is not ASCII";
        if (c == '#')
            return "a fragment in the target";
    }
    return NULL;
}

static size_t length_before(const char *text, size_t n, const char *any)
{
    size_t i = 0;
    while (i < n && !strchr(any, text[i]))
        i++;
    return i;
}

/* The scheme and authority of an absolute target; reasons as jc_target_parse. */
static const char *parse_absolute(const char *text, size_t n, struct jc_target *target)
{
    static const struct {
        const char *prefix;
        size_t n;
        unsigned port;
    } schemes[] = {{"http://", 7, 80}, {"https://", 8, 443}};
    for (size_t i = 0; i < JC_COUNT(schemes); i++) {
        if (n < schemes[i].n || strncasecmp(text, schemes[i].prefix, schemes[i].n) != 0)
            continue;
        struct jc_authority ignored;
        target->form = JC_TARGET_ABSOLUTE;
        target->default_port = schemes[i].port;
        target->authority_at = schemes[i].n;
        target->n_authority = length_before(text + schemes[i].n, n - schemes[i].n, "/?");
        target->path_at = schemes[i].n + target->n_authority;
        return jc_authority_parse(text + target->authority_at, target->n_authority, &ignored)
                   ? "the target's authority is malformed"
                   : NULL;
    }
    return "the target is neither a path nor an http URL";
}

const char *jc_target_parse(const char *text, size_t n, struct jc_target *ret_target)
{
    struct jc_target target = {.form = JC_TARGET_ORIGIN, .n = n};
    const char *reason = n ? check_bytes(text, n) : "no target";
    if (reason)
        return reason;
    if (n == 1 && text[0] == '*')
        target.form = JC_TARGET_ASTERISK;
    else if (text[0] != '/')
        reason = parse_absolute(text, n, &target);
    if (reason)
        return reason;
    target.n_path = length_before(text + target.path_at, n - target.path_at, "?");
    reason = check_path(text + target.path_at, target.n_path);
    if (!reason)
        *ret_target = target;
    return reason;
}

static bool is_name_char(char c)
{
    return jc_ascii_is_alnum(c) || (c && strchr("-._~", c));
}

/* Bytes of the host at the beginning of `text`; 0 where there is none. */
static size_t host_length(const char *text, size_t n)
{
    size_t i = 0;
    if (!n || text[0] != '[') {
        while (i < n && is_name_char(text[i]))
            i++;
        return i;
    }
    char address[INET6_ADDRSTRLEN];
    const char *end = memchr(text, ']', n);
    size_t n_address = end ? (size_t)(end - text) - 1 : sizeof address;
    if (n_address >= sizeof address)
        return 0;
    memcpy(address, text + 1, n_address);
    address[n_address] = '\0';
    unsigned char bytes[16];
    return strlen(address) == n_address && inet_pton(AF_INET6, address, bytes) == 1 ? n_address + 2 : 0;
}

const char *jc_authority_parse(const char *text, size_t n, struct jc_authority *ret_authority)
{
    struct jc_authority authority = {.host = text, .n_host = host_length(text, n), .port = -1};
    size_t at = authority.n_host;
    if (!at)
        return "no host name";
    if (at < n && text[at++] != ':')
        return "the host name is malformed";
    for (; at < n; at++) {
        if (!jc_ascii_is_digit(text[at]))
            return "the port is malformed";
        authority.port = (authority.port < 0 ? 0 : authority.port) * 10 + (text[at] - '0');
        if (authority.port > 65535)
            return "the port is over 65535";
    }
    *ret_authority = authority;
    return NULL;
}

bool jc_authority_equal(const struct jc_authority *a, const struct jc_authority *b, unsigned default_port)
{
    int port_a = a->port < 0 ? (int)default_port : a->port, port_b = b->port < 0 ? (int)default_port : b->port;
    return port_a == port_b && a->n_host == b->n_host && strncasecmp(a->host, b->host, a->n_host) == 0;
}
