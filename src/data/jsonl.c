/* A flat object's members, decoded as they are passed. */
#include "data/jsonl.h"

#include <string.h>

#include "text/utf8.h"

enum { MAX_DEPTH = 64 };

static bool skip_value(struct jc_jsonl *jsonl, int depth, const char **why);

void jc_jsonl_init(struct jc_jsonl *jsonl, const char *row, size_t n, char *to)
{
    *jsonl = (struct jc_jsonl){.row = row, .at = row, .end = row + n, .to = to};
}

static void skip_blanks(struct jc_jsonl *jsonl)
{
    while (jsonl->at < jsonl->end && strchr(" \t\r\n", *jsonl->at))
        jsonl->at++;
}

/* The character here, or NUL at the end (the text has none). */
static char peek(const struct jc_jsonl *jsonl)
{
    return jsonl->at < jsonl->end ? *jsonl->at : '\0';
}

static bool take(struct jc_jsonl *jsonl, char c)
{
    if (peek(jsonl) != c)
        return false;
    jsonl->at++;
    return true;
}

static bool take_word(struct jc_jsonl *jsonl, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(jsonl->end - jsonl->at) < n || memcmp(jsonl->at, word, n) != 0)
        return false;
    jsonl->at += n;
    return true;
}

static bool take_hex4(struct jc_jsonl *jsonl, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(jsonl);
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit == 16)
            return false;
        unit = unit << 4 | digit;
        jsonl->at++;
    }
    *ret_unit = unit;
    return true;
}

/* Behind "\u": a code point, of two units where the first is a high surrogate. */
static bool take_code_point(struct jc_jsonl *jsonl, const char **why)
{
    uint32_t c, low;
    *why = "four hexadecimal digits are wanted";
    if (!take_hex4(jsonl, &c))
        return false;
    *why = "\\u0000 is no text";
    if (c == 0)
        return false;
    *why = "half a surrogate pair";
    if (c >= 0xDC00 && c <= 0xDFFF)
        return false;
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (!take_word(jsonl, "\\u") || !take_hex4(jsonl, &low) || low < 0xDC00 || low > 0xDFFF)
            return false;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    jsonl->to += jc_utf8_put(c, jsonl->to);
    return true;
}

/* Behind a backslash. */
static bool take_escape(struct jc_jsonl *jsonl, const char **why)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (take(jsonl, 'u'))
        return take_code_point(jsonl, why);
    const char *name = peek(jsonl) ? strchr(names, peek(jsonl)) : NULL;
    *why = "no such escape";
    if (!name)
        return false;
    *jsonl->to++ = values[name - names];
    jsonl->at++;
    return true;
}

/* Behind the opening quote: decodes the string to `to`. Its text never takes more bytes than it takes here. */
static bool take_string(struct jc_jsonl *jsonl, struct jc_field *ret_text, const char **why)
{
    char *text = jsonl->to;
    for (;;) {
        const char *p = jsonl->at;
        while (p < jsonl->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
            p++;
        memcpy(jsonl->to, jsonl->at, (size_t)(p - jsonl->at));
        jsonl->to += p - jsonl->at;
        jsonl->at = p;
        if (take(jsonl, '"'))
            break;
        *why = p == jsonl->end ? "a string does not end" : "a control character in a string";
        if (!take(jsonl, '\\') || !take_escape(jsonl, why))
            return false;
    }
    *ret_text = (struct jc_field){.text = text, .n = (size_t)(jsonl->to - text)};
    *jsonl->to++ = '\0';
    return true;
}

static bool take_digits(struct jc_jsonl *jsonl)
{
    const char *start = jsonl->at;
    while (peek(jsonl) >= '0' && peek(jsonl) <= '9')
        jsonl->at++;
    return jsonl->at > start;
}

static bool take_number(struct jc_jsonl *jsonl, const char **why)
{
    *why = "a number is malformed";
    take(jsonl, '-');
    if (!take(jsonl, '0') && !take_digits(jsonl))
        return false;
    if (take(jsonl, '.') && !take_digits(jsonl))
        return false;
    if (take(jsonl, 'e') || take(jsonl, 'E')) {
        if (!take(jsonl, '+'))
            take(jsonl, '-');
        return take_digits(jsonl);
    }
    return true;
}

/* Behind the opening bracket of an array or brace of an object: passes over the rest. */
static bool skip_nested(struct jc_jsonl *jsonl, bool object, int depth, const char **why)
{
    char close = object ? '}' : ']';
    char *to = jsonl->to;
    struct jc_field key;
    skip_blanks(jsonl);
    if (take(jsonl, close))
        return true;
    do {
        if (object) {
            skip_blanks(jsonl);
            *why = "a key is wanted";
            if (!take(jsonl, '"') || !take_string(jsonl, &key, why))
                return false;
            skip_blanks(jsonl);
            *why = "':' is wanted";
            if (!take(jsonl, ':'))
                return false;
        }
        if (!skip_value(jsonl, depth, why))
            return false;
        jsonl->to = to;
        skip_blanks(jsonl);
    } while (take(jsonl, ','));
    *why = object ? "',' or '}' is wanted" : "',' or ']' is wanted";
    return take(jsonl, close);
}

static bool take_value(struct jc_jsonl *jsonl, int depth, enum jc_json_kind *ret_kind, struct jc_field *ret_text,
                       const char **why)
{
    skip_blanks(jsonl);
    *ret_text = (struct jc_field){.text = ""};
    *why = "values nested too deep";
    if (depth == MAX_DEPTH)
        return false;
    const char *start = jsonl->at;
    char c = peek(jsonl);
    if (take(jsonl, '"')) {
        *ret_kind = JC_JSON_STRING;
        return take_string(jsonl, ret_text, why);
    }
    if (c == '[' || c == '{') {
        jsonl->at++;
        *ret_kind = c == '{' ? JC_JSON_OBJECT : JC_JSON_ARRAY;
        return skip_nested(jsonl, c == '{', depth + 1, why);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        *ret_kind = JC_JSON_NUMBER;
        if (!take_number(jsonl, why))
            return false;
        *ret_text = (struct jc_field){.text = jsonl->to, .n = (size_t)(jsonl->at - start)};
        memcpy(jsonl->to, start, ret_text->n);
        jsonl->to += ret_text->n;
        *jsonl->to++ = '\0';
        return true;
    }
    *ret_kind = take_word(jsonl, "null") ? JC_JSON_NULL : JC_JSON_BOOL;
    *why = "a value is wanted";
    return *ret_kind == JC_JSON_NULL || take_word(jsonl, "true") || take_word(jsonl, "false");
}

static bool skip_value(struct jc_jsonl *jsonl, int depth, const char **why)
{
    enum jc_json_kind kind;
    struct jc_field text;
    return take_value(jsonl, depth, &kind, &text, why);
}

/* The opening brace before the first member, the comma before the others, or the closing brace. */
static bool take_mark(struct jc_jsonl *jsonl, bool *ret_more, const char **why)
{
    bool first = !jsonl->begun;
    skip_blanks(jsonl);
    *why = "an object is wanted";
    if (first && !take(jsonl, '{'))
        return false;
    jsonl->begun = true;
    skip_blanks(jsonl);
    if (take(jsonl, '}')) {
        *ret_more = false;
        skip_blanks(jsonl);
        *why = "text behind the object";
        return jsonl->at == jsonl->end;
    }
    *ret_more = true;
    *why = "',' or '}' is wanted";
    return first || take(jsonl, ',');
}

static bool take_member(struct jc_jsonl *jsonl, struct jc_json_member *ret_member, const char **why)
{
    skip_blanks(jsonl);
    *why = "a key is wanted";
    if (!take(jsonl, '"') || !take_string(jsonl, &ret_member->key, why))
        return false;
    skip_blanks(jsonl);
    *why = "':' is wanted";
    return take(jsonl, ':') && take_value(jsonl, 0, &ret_member->kind, &ret_member->value, why);
}

jc_code jc_jsonl_next(struct jc_jsonl *jsonl, bool *ret_more, struct jc_json_member *ret_member, struct jc_err *err)
{
    const char *why;
    if (take_mark(jsonl, ret_more, &why) && (!*ret_more || take_member(jsonl, ret_member, &why)))
        return JC_OK;
    return jc_fail(err, JC_E_INVALID, "invalid JSON at column %zu: %s",
                   jc_utf8_count(jsonl->row, (size_t)(jsonl->at - jsonl->row)) + 1, why);
}

const char *jc_json_kind_name(enum jc_json_kind kind)
{
    static const char *const names[] = {"a string", "a number", "null", "true or false", "an array", "an object"};
    return names[kind];
}
