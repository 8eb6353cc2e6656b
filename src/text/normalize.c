/*
 * Text to words, one code point at a time: drop or map (clean text), set ideographs apart, decompose canonically,
 * order the marks, drop the non-spacing ones, lower the case, split. ASCII takes a short way through.
 */
#include "text/normalize.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "text/ascii.h"
#include "text/unicode_delta.h"
#include "text/utf8.h"

#define MAX_DECOMPOSITION 8 /* code points; Unicode's longest canonical one has 4 */

enum kind { KIND_WORD, KIND_SPACE, KIND_PUNCTUATION, KIND_CONTROL, KIND_MARK };

struct mark {
    uint32_t c;
    uint8_t ccc; /* canonical combining class, not 0 */
};

/* The word under way. Marks that are kept wait in `marks`, in canonical order, until a character of class 0 comes.
 * One more than a word may hold is enough to know that it is too long, and then their order no longer matters. */
struct splitter {
    jc_word_sink *sink;
    void *context;
    bool stopped;
    size_t n_chars; /* in word and marks together; counts on beyond the maximum */
    size_t n;       /* bytes in word */
    size_t n_marks;
    char word[4 * (JC_WORD_MAX_CHARS + 1)];
    struct mark marks[JC_WORD_MAX_CHARS + 1];
};

static enum kind classify_ascii(uint32_t c)
{
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        return KIND_SPACE;
    if (c < 0x20 || c == 0x7F)
        return KIND_CONTROL;
    return jc_ascii_is_alnum((char)c) ? KIND_WORD : KIND_PUNCTUATION;
}

static enum kind classify(uint32_t c)
{
    if (c < 0x80)
        return classify_ascii(c);
    if (c == 0xFFFD)
        return KIND_CONTROL;
    /* These three changed their category after Unicode 8. */
    if (c == 0x1734)
        return KIND_MARK;
    if (c == 0x166D || c == 0x111C9)
        return KIND_PUNCTUATION;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return KIND_SPACE;
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CO:
        return KIND_CONTROL;
    case UTF8PROC_CATEGORY_CF:
        return jc_unicode_is_plain(c) ? KIND_WORD : KIND_CONTROL;
    case UTF8PROC_CATEGORY_MN:
        return jc_unicode_is_plain(c) ? KIND_WORD : KIND_MARK;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return jc_unicode_is_plain(c) ? KIND_WORD : KIND_PUNCTUATION;
    default: /* unassigned characters too are parts of words */
        return KIND_WORD;
    }
}

/* The blocks that BERT sets apart; Hangul and Kana are not among them, nor is the gap of extension E. */
static bool is_ideograph(uint32_t c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x2F800 && c <= 0x2FA1F);
}

static uint8_t combining_class(uint32_t c)
{
    utf8proc_propval_t ccc = utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
    return ccc != 0 && jc_unicode_is_classless(c) ? 0 : (uint8_t)ccc;
}

static void append_char(struct splitter *s, uint32_t c)
{
    if (s->n + 4 <= sizeof s->word)
        s->n += jc_utf8_put(c, s->word + s->n);
}

static void flush_marks(struct splitter *s)
{
    for (size_t i = 0; i < s->n_marks; i++)
        append_char(s, s->marks[i].c);
    s->n_marks = 0;
}

static void end_word(struct splitter *s)
{
    flush_marks(s);
    if (s->n_chars > 0 && !s->stopped) {
        bool fits = s->n_chars <= JC_WORD_MAX_CHARS;
        s->stopped = !s->sink(s->context, fits ? s->word : NULL, fits ? s->n : 0);
    }
    s->n = s->n_chars = 0;
}

/* Inserts behind the marks of the same or a lower class: the canonical ordering algorithm. */
static void insert_mark(struct splitter *s, struct mark mark)
{
    s->n_chars++;
    if (s->n_marks == sizeof s->marks / sizeof s->marks[0])
        return;
    size_t at = s->n_marks++;
    for (; at > 0 && s->marks[at - 1].ccc > mark.ccc; at--)
        s->marks[at] = s->marks[at - 1];
    s->marks[at] = mark;
}

static uint32_t lower(uint32_t c)
{
    return jc_unicode_tolower((uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
}

/* Takes one code point of the decomposed text. */
static void take_decomposed(struct splitter *s, uint32_t c)
{
    enum kind kind = classify(c);
    uint8_t ccc = combining_class(c);
    if (ccc == 0)
        flush_marks(s);
    if (kind == KIND_MARK)
        return;
    if (kind == KIND_SPACE || kind == KIND_PUNCTUATION)
        end_word(s);
    if (kind == KIND_SPACE)
        return;
    if (ccc != 0) {
        insert_mark(s, (struct mark){.c = c, .ccc = ccc});
        return;
    }
    s->n_chars++;
    append_char(s, lower(c));
    if (kind == KIND_PUNCTUATION)
        end_word(s);
}

static void take_char(struct splitter *s, uint32_t c)
{
    enum kind kind = classify(c);
    if (kind == KIND_CONTROL)
        return;
    if (kind == KIND_SPACE) {
        end_word(s);
        return;
    }
    bool apart = is_ideograph(c);
    if (apart)
        end_word(s);
    utf8proc_int32_t parts[MAX_DECOMPOSITION] = {(utf8proc_int32_t)c};
    int boundary = 0;
    utf8proc_ssize_t n = 1;
    /* U+11938 has a decomposition only since Unicode 13. */
    if (c >= 0x80 && c != 0x11938)
        n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, MAX_DECOMPOSITION, UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && i < MAX_DECOMPOSITION; i++)
        take_decomposed(s, (uint32_t)parts[i]);
    if (apart)
        end_word(s);
}

/* A letter or digit of ASCII; what take_char would do, without the questions. */
static void take_ascii(struct splitter *s, char c)
{
    if (s->n_marks > 0)
        flush_marks(s);
    s->n_chars++;
    if (s->n + 4 <= sizeof s->word)
        s->word[s->n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

void jc_normalize(const char *text, size_t n, jc_word_sink *sink, void *context)
{
    struct splitter s; /* the arrays need no clearing */
    s.sink = sink;
    s.context = context;
    s.stopped = false;
    s.n_chars = s.n = s.n_marks = 0;
    for (size_t i = 0; i < n && !s.stopped;) {
        char c = text[i];
        if (jc_ascii_is_alnum(c)) {
            take_ascii(&s, c);
            i++;
        } else if (c == ' ') {
            end_word(&s);
            i++;
        } else {
            take_char(&s, jc_utf8_next(text, &i));
        }
    }
    end_word(&s);
}
