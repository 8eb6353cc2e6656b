/* The cleaning of a posting: HTML out (html.c), then in place URLs, e-mail addresses and surplus white space. */
#include "text/posting.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/attr.h"
#include "text/ascii.h"
#include "text/html.h"
#include "text/utf8.h"

/* Squeezes text in place: what is written never overtakes what is read. */
struct squeezer {
    char *text;
    size_t n;
    size_t read;
    size_t written;
    bool blank_due; /* before the next character, unless it is the first */
};

/* Unlike with strchr, NUL is one of none. */
static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

/* Bytes of the white-space character at text[0..n), n > 0: 0 where there is none. Unicode's White_Space. */
static size_t measure_space(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    if (p[0] < 0x80)
        return p[0] == ' ' || (p[0] >= '\t' && p[0] <= '\r');
    if (p[0] == 0xC2)
        return n > 1 && (p[1] == 0x85 || p[1] == 0xA0) ? 2 : 0;
    if (n < 3)
        return 0;
    unsigned tail = (unsigned)p[1] << 8 | p[2];
    switch (p[0]) {
    case 0xE1: /* U+1680 */
        return tail == 0x9A80 ? 3 : 0;
    case 0xE2: /* U+2000..200A, 2028, 2029, 202F, 205F */
        return (tail >= 0x8080 && tail <= 0x808A) || tail == 0x80A8 || tail == 0x80A9 || tail == 0x80AF ||
                       tail == 0x819F
                   ? 3
                   : 0;
    case 0xE3: /* U+3000 */
        return tail == 0x8080 ? 3 : 0;
    default:
        return 0;
    }
}

/* Bytes of the URL at the reading place, 0 where there is none: from a known start, at the beginning of a word, to
 * white space, a quotation mark or an angle bracket; punctuation that ends it belongs to the sentence around it. */
static size_t measure_url(const struct squeezer *s)
{
    static const char *const starts[] = {"http://", "https://", "ftp://", "www."};
    const char *url = s->text + s->read;
    size_t n_left = s->n - s->read;
    if (s->read > 0 && jc_ascii_is_alnum(url[-1]))
        return 0;
    size_t n_start = 0;
    for (size_t i = 0; i < JC_COUNT(starts) && n_start == 0; i++) {
        size_t n = strlen(starts[i]);
        if (n_left > n && strncasecmp(url, starts[i], n) == 0)
            n_start = n;
    }
    if (n_start == 0 || measure_space(url + n_start, n_left - n_start))
        return 0;
    size_t n = n_start;
    while (n < n_left && !is_one_of(url[n], "<>\"") && !measure_space(url + n, n_left - n))
        n++;
    while (n > n_start && is_one_of(url[n - 1], ".,;:!?)]}'"))
        n--;
    return n;
}

/* Bytes of "@host.domain" at the reading place, 0 where there is none: two names or more, the last of two letters or
 * more and nothing else ("2 @10.50" is a price). */
static size_t measure_domain(const struct squeezer *s)
{
    const char *p = s->text + s->read;
    size_t n_left = s->n - s->read;
    size_t n_domain = 0; /* up to the last name that may be the last */
    for (size_t begin = 1, end; begin < n_left; begin = end + 1) {
        bool is_letters = true;
        for (end = begin; end < n_left && (jc_ascii_is_alnum(p[end]) || p[end] == '-'); end++)
            is_letters = is_letters && jc_ascii_is_letter(p[end]);
        if (end == begin)
            break;
        if (begin > 1 && is_letters && end - begin >= 2)
            n_domain = end;
        if (end == n_left || p[end] != '.')
            break;
    }
    return n_domain;
}

/* Bytes of "mailto:name" that were just written, 0 where no name stands there. */
static size_t measure_mailbox(const struct squeezer *s)
{
    static const char scheme[] = "mailto:";
    size_t n = 0;
    if (s->blank_due)
        return 0;
    while (n < s->written) {
        char c = s->text[s->written - n - 1];
        if (!jc_ascii_is_alnum(c) && !is_one_of(c, "._%+-"))
            break;
        n++;
    }
    size_t n_scheme = sizeof scheme - 1;
    if (n > 0 && s->written - n >= n_scheme && strncasecmp(s->text + s->written - n - n_scheme, scheme, n_scheme) == 0)
        n += n_scheme;
    return n;
}

/* Passes over an e-mail address whose '@' is at hand; its name was written already and is taken back. */
static bool skip_address(struct squeezer *s)
{
    size_t n_mailbox = measure_mailbox(s);
    size_t n_domain = n_mailbox > 0 ? measure_domain(s) : 0;
    if (n_domain == 0)
        return false;
    s->written -= n_mailbox;
    if (s->written > 0 && s->text[s->written - 1] == ' ')
        s->written--;
    s->read += n_domain;
    s->blank_due = true;
    return true;
}

static void squeeze(struct jc_buf *text)
{
    struct squeezer s = {.text = text->data, .n = text->n};
    while (s.read < s.n) {
        size_t n_skip = measure_space(s.text + s.read, s.n - s.read);
        if (n_skip == 0 && is_one_of(s.text[s.read], "hHfFwW"))
            n_skip = measure_url(&s);
        if (n_skip > 0) {
            s.blank_due = true;
            s.read += n_skip;
            continue;
        }
        if (s.text[s.read] == '@' && skip_address(&s))
            continue;
        if (s.blank_due && s.written > 0)
            s.text[s.written++] = ' ';
        s.blank_due = false;
        s.text[s.written++] = s.text[s.read++];
    }
    text->n = s.written;
    text->data[text->n] = 0;
}

/* Whether anything of the text can be read aloud: a letter or a digit of any script. */
static bool has_letter_or_digit(const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (jc_ascii_is_alnum(text[i]))
            return true;
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)jc_utf8_next(text, &i));
        if ((category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
            (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO))
            return true;
    }
    return false;
}

/* Puts the cleaned text of one part into the empty *text; leaves it empty where nothing readable is left. */
static void clean_part(struct jc_buf *text, const char *part, size_t n)
{
    jc_html_put_text(text, part, n);
    if (text->failed || text->n == 0)
        return;
    squeeze(text);
    if (!has_letter_or_digit(text->data, text->n))
        jc_buf_clear(text);
}

static const char *const part_names[] = {
    [JC_POSTING_TITLE] = "title", [JC_POSTING_BODY] = "body", [JC_POSTING_TITLE_BODY] = "title_body"};

const char *jc_posting_part_name(enum jc_posting_part part)
{
    return part_names[part];
}

jc_code jc_posting_part_parse(const char *name, enum jc_posting_part *ret_part, struct jc_err *err)
{
    for (size_t i = 0; i < JC_COUNT(part_names); i++)
        if (strcmp(name, part_names[i]) == 0) {
            *ret_part = (enum jc_posting_part)i;
            return JC_OK;
        }
    return jc_fail(err, JC_E_INVALID, "'%.40s' is no part of a posting; title, body and title_body are", name);
}

/* Puts ". " and the cleaned body behind the cleaned title. */
static void append_body(struct jc_buf *text, const struct jc_posting *posting)
{
    JC_AUTO_BUF struct jc_buf body = {0};
    clean_part(&body, posting->body, posting->n_body);
    if (body.n) {
        jc_buf_puts(text, ". ");
        jc_buf_put(text, body.data, body.n);
    }
    text->failed |= body.failed;
}

jc_code jc_posting_text(const struct jc_posting *posting, enum jc_posting_part part, struct jc_buf *text,
                        struct jc_err *err)
{
    jc_buf_clear(text);
    jc_code code = jc_utf8_check("title", posting->title, posting->n_title, err);
    if (code == JC_OK)
        code = jc_utf8_check("body", posting->body, posting->n_body, err);
    if (code != JC_OK)
        return code;
    if (part == JC_POSTING_BODY)
        clean_part(text, posting->body, posting->n_body);
    if (text->n == 0)
        clean_part(text, posting->title, posting->n_title);
    if (text->n == 0 && part != JC_POSTING_BODY)
        clean_part(text, posting->body, posting->n_body);
    else if (part == JC_POSTING_TITLE_BODY)
        append_body(text, posting);
    return jc_buf_check(text, err);
}
