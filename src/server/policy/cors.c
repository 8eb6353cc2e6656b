/* Cross-origin requests. See cors.h. */
#include "server/policy/cors.h"

#include <stdint.h>
#include <string.h>

#include "base/parse.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool is_any(const char *origin)
{
    return strcmp(origin, "*") == 0;
}

/* `host` begins behind "://". Returns its length, or 0. */
static size_t host_length(const char *host)
{
    if (host[0] != '[')
        return strspn(host, LOWER DIGITS "-._~");
    size_t n = 1 + strspn(host + 1, "abcdef" DIGITS ":");
    return n > 1 && host[n] == ']' ? n + 1 : 0;
}

static bool is_default_port(const char *origin, size_t n_scheme, uint64_t port)
{
    static const struct {
        const char *scheme;
        uint64_t port;
    } defaults[] = {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}, {"ftp", 21}};
    for (size_t i = 0; i < JC_COUNT(defaults); i++)
        if (strlen(defaults[i].scheme) == n_scheme && memcmp(origin, defaults[i].scheme, n_scheme) == 0)
            return port == defaults[i].port;
    return false;
}

static jc_code check_port(const char *origin, size_t n_scheme, const char *text, struct jc_err *err)
{
    struct jc_err unused;
    uint64_t port;
    if (strspn(text, DIGITS) != strlen(text) || text[0] == '0' || jc_parse_u64(text, &port, &unused) != JC_OK ||
        port > UINT16_MAX)
        return jc_fail(err, JC_E_INVALID, "'%s': expected a port from 1 to 65535 behind the host, and nothing else",
                       origin);
    if (is_default_port(origin, n_scheme, port))
        return jc_fail(err, JC_E_INVALID, "'%s': leave the default port out, as browsers do", origin);
    return JC_OK;
}

jc_code jc_cors_check_origin(const char *origin, struct jc_err *err)
{
    if (is_any(origin))
        return JC_OK;
    size_t n_scheme = strspn(origin, LOWER DIGITS "+-.");
    if (n_scheme == 0 || !strchr(LOWER, origin[0]) || strncmp(origin + n_scheme, "://", 3) != 0)
        return jc_fail(err, JC_E_INVALID, "'%s': expected *, or an origin like https://app.example, in lower case",
                       origin);
    const char *host = origin + n_scheme + 3;
    size_t n_host = host_length(host);
    if (n_host == 0)
        return jc_fail(err, JC_E_INVALID, "'%s': expected a host in lower case behind ://", origin);
    if (!host[n_host])
        return JC_OK;
    if (host[n_host] != ':')
        return jc_fail(err, JC_E_INVALID, "'%s': nothing comes behind the host and its port, not even a slash", origin);
    return check_port(origin, n_scheme, host + n_host + 1, err);
}

const char *jc_cors_allow_origin(const struct jc_conf_list *origins, const char *origin)
{
    if (!origin)
        return NULL;
    for (size_t i = 0; i < origins->n; i++) {
        if (is_any(origins->items[i]))
            return "*";
        if (strcmp(origins->items[i], origin) == 0)
            return origins->items[i];
    }
    return NULL;
}

bool jc_cors_varies(const struct jc_conf_list *origins)
{
    return origins->n > 0;
}
