/* HTML to plain text in one pass. Where a rule is the HTML standard's, its tokeniser state is named. */
#include "text/html.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "text/ascii.h"
#include "text/utf8.h"

#define REPLACEMENT 0xFFFDu
#define MAX_CODE_POINT 0x10FFFFu

struct scanner {
    struct jc_buf *out;
    const char *text;
    size_t n;
    size_t i;
    size_t n_patience; /* bytes that may still be looked at in vain for the end of a tag with quoted attributes */
    bool in_cdata;
};

/* Tags within a line of text, which leave nothing behind; every other tag leaves a blank. */
static const char *const inline_tags[] = {
    "a",    "abbr",   "acronym", "b",   "bdi", "bdo",  "big",  "cite", "code", "del",  "dfn",
    "em",   "font",   "i",       "ins", "kbd", "mark", "nobr", "q",    "s",    "samp", "small",
    "span", "strike", "strong",  "sub", "sup", "tt",   "u",    "var",  "wbr",
};

static bool starts_with(const struct scanner *s, size_t at, const char *prefix)
{
    size_t n = strlen(prefix);
    return s->n - at >= n && memcmp(s->text + at, prefix, n) == 0;
}

/* The tag name at text[at..]: letters and digits. */
static size_t measure_name(const struct scanner *s, size_t at)
{
    size_t end = at;
    while (end < s->n && jc_ascii_is_alnum(s->text[end]))
        end++;
    return end - at;
}

static bool name_is(const char *name, size_t n, const char *want)
{
    return strlen(want) == n && strncasecmp(name, want, n) == 0;
}

static bool is_inline(const char *name, size_t n)
{
    for (size_t i = 0; i < JC_COUNT(inline_tags); i++)
        if (name_is(name, n, inline_tags[i]))
            return true;
    return false;
}

/* Looks for the '>' of the tag that begins at `at`; an attribute value in quotes may hold '<' and '>'. Returns where
 * the look ended: behind the '>', or, with *ret_found false, at another '<' or at the end of the text. */
static size_t look_for_tag_end(const struct scanner *s, size_t at, bool with_quotes, bool *ret_found)
{
    char quote = 0;
    bool is_value = false; /* an '=' stands before */
    *ret_found = false;
    for (size_t i = at + 1; i < s->n; i++) {
        char c = s->text[i];
        if (quote) {
            if (c == quote)
                quote = 0;
            continue;
        }
        if (c == '<')
            return i;
        if (c == '>') {
            *ret_found = true;
            return i + 1;
        }
        if (with_quotes && is_value && (c == '"' || c == '\''))
            quote = c;
        is_value = c == '=' || (is_value && jc_ascii_is_space(c));
    }
    return s->n;
}

/* Where the tag at `at` ends, 0 where it does not. A quote that is never closed is no quote. Looks in vain over quoted
 * text could add up to the square of n; they are given up after n bytes in all. */
static size_t find_tag_end(struct scanner *s, size_t at)
{
    bool found = false;
    size_t end = 0;
    if (s->n_patience > 0) {
        end = look_for_tag_end(s, at, true, &found);
        if (found)
            return end;
        s->n_patience -= end - at < s->n_patience ? end - at : s->n_patience;
    }
    end = look_for_tag_end(s, at, false, &found);
    return found ? end : 0;
}

/* Where the content of <script> or <style> that begins at `at` ends: behind its closing tag, else at the end of the
 * text (RAWTEXT state). */
static size_t find_raw_text_end(const struct scanner *s, size_t at, const char *name)
{
    size_t n_name = strlen(name);
    while (at < s->n) {
        const char *close = memmem(s->text + at, s->n - at, "</", 2);
        if (!close)
            return s->n;
        at = (size_t)(close - s->text) + 2;
        if (!name_is(s->text + at, measure_name(s, at), name))
            continue;
        const char *end = memchr(s->text + at + n_name, '>', s->n - at - n_name);
        return end ? (size_t)(end - s->text) + 1 : s->n;
    }
    return s->n;
}

/* "<!--" up to "-->", which may share its hyphens ("<!-->"); a comment that is not closed runs to the end of the text
 * (comment state). */
static void skip_comment(struct scanner *s)
{
    const char *end = memmem(s->text + s->i + 2, s->n - s->i - 2, "-->", 3);
    s->i = end ? (size_t)(end - s->text) + 3 : s->n;
}

/* Whether a tag, a declaration or a processing instruction can begin with the '<' at hand (tag open state, and
 * stricter for "<!", "</" and "<?", so that they may be text). */
static bool opens_tag(const struct scanner *s)
{
    char next = s->i + 1 < s->n ? s->text[s->i + 1] : 0;
    char second = s->i + 2 < s->n ? s->text[s->i + 2] : 0;
    if (next == '/')
        return jc_ascii_is_letter(second) || second == '>';
    if (next == '!' || next == '?')
        return jc_ascii_is_letter(second) || second == '[';
    return jc_ascii_is_letter(next);
}

static void take_tag(struct scanner *s)
{
    size_t end = opens_tag(s) ? find_tag_end(s, s->i) : 0;
    if (end == 0) {
        jc_buf_putc(s->out, s->text[s->i++]);
        return;
    }
    bool closes = s->text[s->i + 1] == '/';
    size_t at = s->i + 1 + closes;
    const char *name = s->text + at;
    size_t n_name = measure_name(s, at);
    if (!is_inline(name, n_name))
        jc_buf_putc(s->out, ' ');
    s->i = end;
    if (!closes && name_is(name, n_name, "script"))
        s->i = find_raw_text_end(s, end, "script");
    else if (!closes && name_is(name, n_name, "style"))
        s->i = find_raw_text_end(s, end, "style");
}

static void take_markup(struct scanner *s)
{
    static const char cdata[] = "<![CDATA[";
    if (starts_with(s, s->i, "<!--")) {
        jc_buf_putc(s->out, ' ');
        skip_comment(s);
    } else if (starts_with(s, s->i, cdata)) {
        s->in_cdata = true; /* feeds wrap whole descriptions, HTML and all: only the wrapper goes */
        s->i += sizeof cdata - 1;
    } else {
        take_tag(s);
    }
}

static void put_code_point(struct scanner *s, uint32_t c)
{
    char bytes[4];
    jc_buf_put(s->out, bytes, jc_utf8_put(c, bytes));
}

/* What a number stands for: 128 to 159 are Windows-1252 (numeric character reference end state), what is no character
 * is U+FFFD. */
static uint32_t decode_number(uint32_t number)
{
    static const uint16_t windows_1252[32] = {
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
    };
    if (number >= 0x80 && number < 0xA0)
        return windows_1252[number - 0x80];
    if (number == 0 || number > MAX_CODE_POINT || (number >= 0xD800 && number < 0xE000))
        return REPLACEMENT;
    return number;
}

/* The digit's value, or -1. */
static int digit_value(char c, bool is_hex)
{
    if (jc_ascii_is_digit(c))
        return c - '0';
    if (is_hex && jc_ascii_is_letter(c) && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* "&#233;" or "&#xE9;", also without the ';'. False where no digit follows. */
static bool take_number(struct scanner *s)
{
    size_t at = s->i + 2;
    bool is_hex = at < s->n && (s->text[at] | 0x20) == 'x';
    at += is_hex;
    size_t begin = at;
    uint32_t number = 0;
    for (int digit; at < s->n && (digit = digit_value(s->text[at], is_hex)) >= 0; at++)
        if (number <= MAX_CODE_POINT)
            number = number * (is_hex ? 16 : 10) + (uint32_t)digit;
    if (at == begin)
        return false;
    put_code_point(s, decode_number(number));
    s->i = at + (at < s->n && s->text[at] == ';');
    return true;
}

/* "&eacute;". Without the ';' only the five that people write so: "R&D" and "B&B" are no references. */
static bool take_name(struct scanner *s)
{
    static const char *const bare[] = {"amp", "gt", "lt", "nbsp", "quot"};
    const char *name = s->text + s->i + 1;
    size_t n = 0;
    while (s->i + 1 + n < s->n && n <= JC_HTML_ENTITY_MAX && jc_ascii_is_alnum(name[n]))
        n++;
    bool has_end = s->i + 1 + n < s->n && name[n] == ';';
    bool known = has_end;
    for (size_t i = 0; i < JC_COUNT(bare) && !known; i++)
        known = strlen(bare[i]) == n && memcmp(name, bare[i], n) == 0;
    uint32_t c = known ? jc_html_entity(name, n) : 0;
    if (c == 0)
        return false;
    put_code_point(s, c);
    s->i += 1 + n + has_end;
    return true;
}

static void take_reference(struct scanner *s)
{
    bool is_number = s->i + 1 < s->n && s->text[s->i + 1] == '#';
    if (!(is_number ? take_number(s) : take_name(s)))
        jc_buf_putc(s->out, s->text[s->i++]);
}

void jc_html_put_text(struct jc_buf *out, const char *html, size_t n)
{
    if (n == 0)
        return;
    if (!memchr(html, '<', n) && !memchr(html, '&', n)) {
        jc_buf_put(out, html, n);
        return;
    }
    struct scanner s = {.out = out, .text = html, .n = n, .n_patience = n};
    while (s.i < n) {
        size_t begin = s.i;
        while (s.i < n && html[s.i] != '<' && html[s.i] != '&' && !(s.in_cdata && html[s.i] == ']'))
            s.i++;
        jc_buf_put(out, html + begin, s.i - begin);
        if (s.i == n)
            break;
        if (html[s.i] == '<') {
            take_markup(&s);
        } else if (html[s.i] == '&') {
            take_reference(&s);
        } else if (starts_with(&s, s.i, "]]>")) {
            s.in_cdata = false;
            s.i += 3;
        } else {
            jc_buf_putc(out, html[s.i++]);
        }
    }
}
