/*
 * libFuzzer: bytes as what a client says in headers (Accept, Accept-Encoding, X-Request-Id, traceparent, Origin), and
 * as a keys file and an origin of the configuration. Checked besides the sanitizers: what is taken is as the headers of
 * src/server say.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/own.h"
#include "fuzz.h"
#include "server/policy/accept.h"
#include "server/policy/cors.h"
#include "server/policy/keys.h"
#include "server/policy/request_id.h"
#include "server/policy/trace_context.h"

static void check_names(const char *text)
{
    char id[JC_REQUEST_ID];
    jc_request_id_choose(text, id);
    size_t n = strlen(id);
    ENSURE(n >= 1 && n < JC_REQUEST_ID && !strpbrk(id, "\"\\<> \r\n"));

    struct jc_trace_context context = {0};
    if (!jc_trace_context_parse(text, &context))
        return;
    char back[64];
    int n_back = snprintf(back, sizeof back, "%.2s-%s-%s-", text, context.trace_id, context.parent_id);
    ENSURE(n_back == 53 && strncmp(text, back, 53) == 0);
    ENSURE(strlen(text) == 55 || text[55] == '-');
    ENSURE(strlen(context.span_id) == 16);
}

static void check_accept(const char *text)
{
    jc_media_type_is(text, "application/json");
    jc_accept_allows(text, "application/json");
    bool gzip = jc_accept_encoding_prefers(text, "gzip");
    ENSURE(!gzip || strcasestr(text, "gzip") || strchr(text, '*'));
}

static void check_origin(const char *text)
{
    struct jc_err err = {0};
    const struct jc_conf_list origins = {.items = &text, .n = 1};
    if (jc_cors_check_origin(text, &err) != JC_OK) {
        ENSURE(err.code == JC_E_INVALID && *err.text);
        return;
    }
    for (const char *c = text; *c; c++)
        ENSURE(!isupper((unsigned char)*c) && *c > ' ' && *c < 0x7f);
    ENSURE(text[strlen(text) - 1] != '/');
    ENSURE(jc_cors_allow_origin(&origins, text) == text || strcmp(text, "*") == 0);
}

static void check_keys(const char *text, size_t n)
{
    struct jc_err err = {0};
    JC_AUTO_FINISH(jc_keys) struct jc_keys keys = {0};
    if (jc_keys_parse(text, n, &keys, &err) != JC_OK) {
        ENSURE(strncmp(err.text, "line ", 5) == 0 && !keys.keys && !keys.names);
        return;
    }
    ENSURE(keys.n_keys <= JC_KEYS_MAX && keys.n_names <= keys.n_keys && keys.n_names <= JC_KEY_NAMES_MAX);
    for (size_t i = 0; i < keys.n_keys; i++) {
        ENSURE(jc_keys_find(&keys, keys.keys[i].digest) == keys.keys[i].name);
        ENSURE(jc_key_name_is_valid(keys.names[keys.keys[i].name]));
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    JC_AUTO_FREE char *text = strndup((const char *)data, n);
    ENSURE(text);
    check_names(text);
    check_accept(text);
    check_origin(text);
    check_keys((const char *)data, n);
    return 0;
}
