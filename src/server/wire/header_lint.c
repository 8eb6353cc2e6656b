/* The header lint. See header_lint.h. */
#include "server/wire/header_lint.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "text/ascii.h"

/* 18446744073709551615 has 20; a length of 19 digits is beyond any body and within 64 bits. */
#define MAX_LENGTH_DIGITS 19

enum field {
    HOST,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    AUTHORIZATION,
    ORIGIN,
    EXPECT,
    CONNECTION,
    TRAILER,
    TE,
};

static bool equals(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(text, word, n) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_token(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!jc_ascii_is_alnum(text[i]) && (!text[i] || !strchr("!#$%&'*+-.^_`|~", text[i])))
            return false;
    return n > 0;
}

/* Whether the comma-separated list has one of the words, perhaps with parameters behind it. */
static bool lists_one_of(const char *list, size_t n, const char *const *words)
{
    for (size_t at = 0; at < n; at++) {
        const char *comma = memchr(list + at, ',', n - at);
        size_t end = comma ? (size_t)(comma - list) : n;
        while (at < end && is_blank(list[at]))
            at++;
        const char *semicolon = memchr(list + at, ';', end - at);
        size_t last = semicolon ? (size_t)(semicolon - list) : end;
        while (last > at && is_blank(list[last - 1]))
            last--;
        for (const char *const *word = words; *word; word++)
            if (equals(list + at, last - at, *word))
                return true;
        at = end;
    }
    return false;
}

static bool is_version_1_1(const struct jc_header_lint *lint)
{
    return lint->head->version[7] == '1';
}

static const char *check_host(struct jc_header_lint *lint, const char *value, size_t n)
{
    while (n && is_blank(value[n - 1]))
        n--;
    return jc_authority_parse(value, n, &lint->host) ? "Host is empty or malformed" : NULL;
}

static const char *check_content_length(struct jc_header_lint *lint, const char *value, size_t n)
{
    (void)lint;
    bool digits = n > 0 && n <= MAX_LENGTH_DIGITS;
    for (size_t i = 0; i < n && digits; i++)
        digits = jc_ascii_is_digit(value[i]);
    return digits ? NULL : "Content-Length is not a plain number";
}

static const char *check_transfer_encoding(struct jc_header_lint *lint, const char *value, size_t n)
{
    if (!is_version_1_1(lint))
        return "Transfer-Encoding in HTTP/1.0";
    return equals(value, n, "chunked") ? NULL : "Transfer-Encoding is not exactly chunked";
}

/* Fields that decide where a request ends, whom it is for or what it is: not to be dropped by the next hop, and not to
 * come behind the body. */
static const char *const decisive[] = {"Content-Length", "Transfer-Encoding", "Host",       "Content-Type",
                                       "Authorization",  "Content-Encoding",  "Connection", NULL};

static const char *check_connection(struct jc_header_lint *lint, const char *value, size_t n)
{
    (void)lint;
    return lists_one_of(value, n, decisive) ? "Connection names a field that is not hop-by-hop" : NULL;
}

static const char *check_trailer(struct jc_header_lint *lint, const char *value, size_t n)
{
    (void)lint;
    return lists_one_of(value, n, decisive) ? "Trailer names a field that cannot come last" : NULL;
}

static const char *check_te(struct jc_header_lint *lint, const char *value, size_t n)
{
    static const char *const chunked[] = {"chunked", NULL};
    (void)lint;
    return lists_one_of(value, n, chunked) ? "TE names chunked" : NULL;
}

static const struct {
    const char *name;
    const char *repeated; /* the reason where it comes twice; NULL = it may */
    const char *(*check)(struct jc_header_lint *lint, const char *value, size_t n);
} fields[] = {
    [HOST] = {"Host", "more than one Host", check_host},
    [CONTENT_LENGTH] = {"Content-Length", "more than one Content-Length", check_content_length},
    [TRANSFER_ENCODING] = {"Transfer-Encoding", "more than one Transfer-Encoding", check_transfer_encoding},
    [CONTENT_TYPE] = {"Content-Type", "more than one Content-Type", NULL},
    [CONTENT_ENCODING] = {"Content-Encoding", "more than one Content-Encoding", NULL},
    [AUTHORIZATION] = {"Authorization", "more than one Authorization", NULL},
    [ORIGIN] = {"Origin", "more than one Origin", NULL},
    [EXPECT] = {"Expect", "more than one Expect", NULL},
    [CONNECTION] = {"Connection", NULL, check_connection},
    [TRAILER] = {"Trailer", NULL, check_trailer},
    [TE] = {"TE", NULL, check_te},
};

static const char *check_meaning(struct jc_header_lint *lint, const char *name, size_t n_name, const char *value,
                                 size_t n_value)
{
    for (size_t i = 0; i < JC_COUNT(fields); i++) {
        if (!equals(name, n_name, fields[i].name))
            continue;
        if (fields[i].repeated && lint->seen & 1u << i)
            return fields[i].repeated;
        lint->seen |= 1u << i;
        return fields[i].check ? fields[i].check(lint, value, n_value) : NULL;
    }
    return NULL;
}

/* Whether `n` cut bytes stand at `at`, within the head. */
static bool is_cut(const struct jc_header_lint *lint, const char *at, size_t n)
{
    if (at < lint->head->bytes || at > lint->end || (size_t)(lint->end - at) < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (at[i])
            return false;
    return true;
}

static const char *check_request_line(struct jc_header_lint *lint)
{
    const struct jc_request_head *head = lint->head;
    size_t n_method = strnlen(head->bytes, head->n_bytes);
    if (!is_token(head->bytes, n_method))
        return "the method is malformed";
    if (head->target != head->bytes + n_method + 1 || head->version != head->target + head->parsed->n + 1 ||
        !is_cut(lint, head->version + strlen("HTTP/1.1"), 2))
        return "the request line is malformed";
    if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
        return "the version is neither HTTP/1.1 nor HTTP/1.0";
    if (strcmp(head->bytes, "CONNECT") == 0)
        return "CONNECT asks for a tunnel";
    if (head->parsed->form == JC_TARGET_ASTERISK && strcmp(head->bytes, "OPTIONS") != 0)
        return "the target * is for OPTIONS alone";
    return NULL;
}

void jc_header_lint_begin(struct jc_header_lint *lint, const struct jc_request_head *head)
{
    *lint = (struct jc_header_lint){.head = head, .at = head->bytes, .end = head->bytes + head->n_bytes};
    lint->reason = check_request_line(lint);
    if (!lint->reason)
        lint->at = head->version + strlen("HTTP/1.1") + 2;
}

/* Moves on to the next line where this one is NAME ":" blanks VALUE CR LF with nothing else in it. */
static const char *check_line(struct jc_header_lint *lint, const char *name, size_t n_name, const char *value,
                              size_t n_value)
{
    if (name != lint->at || !is_cut(lint, name + n_name, 1))
        return "a line of the head is folded, ends without CR LF, or has a NUL";
    if (!is_token(name, n_name))
        return "a field name is malformed";
    const char *begin = name + n_name + 1;
    while (begin < lint->end && is_blank(*begin))
        begin++;
    if (value != begin || !is_cut(lint, value + n_value, 2))
        return "a line of the head is folded, ends without CR LF, or has a NUL";
    for (size_t i = 0; i < n_value; i++)
        if (((unsigned char)value[i] < ' ' && value[i] != '\t') || value[i] == 0x7f)
            return "a control character in a field value";
    lint->at = value + n_value + 2;
    return NULL;
}

void jc_header_lint_field(struct jc_header_lint *lint, const char *name, size_t n_name, const char *value,
                          size_t n_value)
{
    if (!lint->reason)
        lint->reason = check_line(lint, name, n_name, value, n_value);
    if (!lint->reason)
        lint->reason = check_meaning(lint, name, n_name, value, n_value);
}

static const char *check_whole(struct jc_header_lint *lint)
{
    const struct jc_target *target = lint->head->parsed;
    bool has_host = lint->seen & 1u << HOST;
    if (lint->end - lint->at != 2 || !is_cut(lint, lint->at, 2))
        return "the head ends without CR LF, or has a NUL";
    if (!has_host && is_version_1_1(lint))
        return "no Host";
    if (lint->seen & 1u << CONTENT_LENGTH && lint->seen & 1u << TRANSFER_ENCODING)
        return "both Content-Length and Transfer-Encoding";
    if (target->form != JC_TARGET_ABSOLUTE || !has_host)
        return NULL;
    struct jc_authority authority;
    const char *text = lint->head->target + target->authority_at;
    if (jc_authority_parse(text, target->n_authority, &authority) ||
        !jc_authority_equal(&authority, &lint->host, target->default_port))
        return "the target and Host disagree";
    return NULL;
}

const char *jc_header_lint_end(struct jc_header_lint *lint)
{
    return lint->reason ? lint->reason : check_whole(lint);
}
