/* API keys as a file holds them. See keys.h. */
#include "server/policy/keys.h"

#include <string.h>

#include "base/own.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

bool jc_key_name_is_valid(const char *name)
{
    size_t n = strspn(name, NAME_CHARS);
    return n > 0 && n < JC_KEY_NAME && !name[n];
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* `text`: 2 * JC_SHA256_BYTES characters. */
static bool parse_digest(const char *text, unsigned char ret_digest[JC_SHA256_BYTES])
{
    for (size_t i = 0; i < JC_SHA256_BYTES; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_digest[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static jc_code intern(struct jc_keys *keys, const char *name, size_t line, size_t *ret_index, struct jc_err *err)
{
    for (*ret_index = 0; *ret_index < keys->n_names; ++*ret_index)
        if (strcmp(keys->names[*ret_index], name) == 0)
            return JC_OK;
    if (keys->n_names == JC_KEY_NAMES_MAX)
        return jc_fail(err, JC_E_TOO_LARGE, "line %zu: more than %d names", line, JC_KEY_NAMES_MAX);
    memcpy(keys->names[keys->n_names++], name, strlen(name) + 1);
    return JC_OK;
}

static jc_code add_key(struct jc_keys *keys, const struct jc_key *key, size_t line, struct jc_err *err)
{
    for (size_t i = 0; i < keys->n_keys; i++)
        if (memcmp(keys->keys[i].digest, key->digest, sizeof key->digest) == 0)
            return jc_fail(err, JC_E_INVALID, "line %zu: the same key stands in a line above", line);
    if (keys->n_keys == JC_KEYS_MAX)
        return jc_fail(err, JC_E_TOO_LARGE, "line %zu: more than %d keys", line, JC_KEYS_MAX);
    keys->keys[keys->n_keys++] = *key;
    return JC_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static jc_code parse_line(struct jc_keys *keys, const char *text, size_t n, size_t line, struct jc_err *err)
{
    while (n && is_blank(text[n - 1]))
        n--;
    for (; n && is_blank(*text); n--)
        text++;
    if (n == 0 || *text == '#')
        return JC_OK;

    const char *colon = memchr(text, ':', n);
    size_t n_name = colon ? (size_t)(colon - text) : n;
    char name[JC_KEY_NAME] = "";
    if (n_name < sizeof name)
        memcpy(name, text, n_name);
    /* strlen: a NUL in the name must not pass for its end. */
    if (!colon || !jc_key_name_is_valid(name) || strlen(name) != n_name)
        return jc_fail(err, JC_E_INVALID, "line %zu: expected name:sha256, the name of 1 to %d characters A-Za-z0-9._-",
                       line, JC_KEY_NAME - 1);
    struct jc_key key;
    if (n - n_name - 1 != (size_t)(JC_SHA256_HEX - 1) || !parse_digest(colon + 1, key.digest))
        return jc_fail(err, JC_E_INVALID, "line %zu: expected the key's SHA-256, %d hexadecimal digits, behind '%s:'",
                       line, JC_SHA256_HEX - 1, name);
    jc_code code = intern(keys, name, line, &key.name, err);
    return code ? code : add_key(keys, &key, line, err);
}

jc_code jc_keys_parse(const char *text, size_t n, struct jc_keys *ret_keys, struct jc_err *err)
{
    JC_AUTO_FINISH(jc_keys)
    struct jc_keys keys = {.keys = calloc(JC_KEYS_MAX, sizeof(struct jc_key)),
                           .names = calloc(JC_KEY_NAMES_MAX, sizeof(char[JC_KEY_NAME]))};
    if (!keys.keys || !keys.names)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t line = 1, at = 0; at < n; line++) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t n_line = end ? (size_t)(end - text) - at : n - at;
        jc_code code = parse_line(&keys, text + at, n_line, line, err);
        if (code)
            return code;
        at += n_line + 1;
    }
    *ret_keys = keys;
    keys = (struct jc_keys){0};
    return JC_OK;
}

void jc_keys_finish(struct jc_keys *keys)
{
    free(keys->keys);
    free(keys->names);
    *keys = (struct jc_keys){0};
}

size_t jc_keys_find(const struct jc_keys *keys, const unsigned char digest[JC_SHA256_BYTES])
{
    size_t found = keys->n_names;
    for (size_t i = 0; i < keys->n_keys; i++) {
        unsigned different = 0;
        for (size_t b = 0; b < JC_SHA256_BYTES; b++)
            different |= keys->keys[i].digest[b] ^ digest[b];
        /* All ones where nothing differs: a selection without a branch. */
        size_t mask = (size_t)0 - (size_t)((different - 1U) >> 31);
        found = (found & ~mask) | (keys->keys[i].name & mask);
    }
    return found;
}
