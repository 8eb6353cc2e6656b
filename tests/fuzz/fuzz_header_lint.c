/*
 * libFuzzer: bytes as a request's head, cut up in place as libmicrohttpd does it, and linted. Checked besides the
 * sanitizers: what passes is, on its bytes as they came, a head by the strict grammar, with one meaning. Also addresses
 * and X-Forwarded-For out of the same bytes.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "fuzz.h"
#include "mhd_head.h"
#include "server/wire/client_address.h"

/* CR LF, or the NUL LF that cannot be told from it (header_lint.h). */
static bool is_line_end(const char *at, const char *end)
{
    return end - at >= 2 && (*at == '\r' || *at == '\0') && at[1] == '\n';
}

/* The end of the last line and the empty line: CR LF CR LF, or any four of NUL, CR and LF with a NUL among them. */
static bool is_head_end(const char *at, const char *end)
{
    if (end - at != 4)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (at[i] && at[i] != '\r' && at[i] != '\n')
            return false;
    return memchr(at, '\0', 4) || memcmp(at, "\r\n\r\n", 4) == 0;
}

static bool is_name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_value_char(char c)
{
    return c == '\t' || (unsigned char)c >= ' ';
}

static bool is_field(const char *line, const char *end, const char *name)
{
    size_t n = strlen(name);
    return (size_t)(end - line) > n && strncasecmp(line, name, n) == 0 && line[n] == ':';
}

/* The strict grammar of RFC 9112 over the head as it came; aborts where the head is not of it. */
static void check_strictly(const char *at, const char *end)
{
    size_t n_hosts = 0, n_lengths = 0, n_codings = 0;
    const char *method = at;
    while (at < end && is_name_char(*at))
        at++;
    ENSURE(at > method && at < end && *at == ' ');
    const char *target = ++at;
    while (at<end && * at> ' ' && *at < 0x7f && *at != '#')
        at++;
    ENSURE(at > target && end - at > 9 && memcmp(at, " HTTP/1.", 8) == 0 && (at[8] == '0' || at[8] == '1'));
    bool is_1_1 = at[8] == '1';
    at += 9;
    while (!is_head_end(at, end)) {
        ENSURE(is_line_end(at, end));
        const char *line = at += 2;
        n_hosts += is_field(line, end, "Host");
        n_lengths += is_field(line, end, "Content-Length");
        n_codings += is_field(line, end, "Transfer-Encoding");
        while (at < end && is_name_char(*at))
            at++;
        ENSURE(at > line && at < end && *at == ':');
        for (at++; at < end && is_value_char(*at) && *at != 0x7f;)
            at++;
    }
    ENSURE(n_hosts == 1 || (n_hosts == 0 && !is_1_1));
    ENSURE(n_lengths + n_codings <= 1 && (is_1_1 || !n_codings));
}

static void check_head(const char *data, size_t n)
{
    JC_AUTO_FREE char *bytes = malloc(n + 1);
    ENSURE(bytes);
    memcpy(bytes, data, n);
    struct mhd_head head;
    if (mhd_head_parse(bytes, n, &head)) {
        const char *reason = mhd_head_lint(&head);
        ENSURE(!reason || *reason);
        const char *begin = data + (head.method - bytes);
        if (!reason)
            check_strictly(begin, begin + head.n_head);
    }
    mhd_head_finish(&head);
}

static void check_addresses(const char *data, size_t n)
{
    static struct jc_networks *proxies;
    static const char *const items[] = {"10.0.0.0/8", "::/1"};
    struct jc_err err;
    if (!proxies)
        ENSURE(jc_networks_create(items, 2, &proxies, &err) == JC_OK);
    struct jc_address peer, again;
    ENSURE(jc_address_parse("10.0.0.1", 8, &peer));
    struct jc_client_address client;
    jc_client_address_begin(&client, proxies, &peer);
    jc_client_address_add(&client, data, n);
    struct jc_address found = jc_client_address_end(&client);
    char text[JC_ADDRESS_TEXT];
    jc_address_put(&found, text);
    ENSURE(jc_address_parse(text, strlen(text), &again) && memcmp(&found, &again, sizeof found) == 0);

    JC_AUTO_FREE char *item = strndup(data, n);
    struct jc_networks *networks = NULL;
    ENSURE(item);
    if (jc_networks_create((const char *const[]){item}, 1, &networks, &err) != JC_OK)
        ENSURE(err.code == JC_E_INVALID && !networks);
    jc_networks_destroy(networks);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    check_head((const char *)data, n);
    check_addresses((const char *)data, n);
    return 0;
}
