/* normalize: words of known texts; the order of marks against utf8proc's own whole-string decomposition. */
#include "text/normalize.h"

#include <utf8proc.h>

#include "base/buf.h"
#include "base/rng.h"
#include "check.h"
#include "text/utf8.h"

static bool put_word(void *context, const char *word, size_t n)
{
    struct jc_buf *words = context;
    if (words->n > 0)
        jc_buf_putc(words, '|');
    jc_buf_put(words, word ? word : "LONG", word ? n : 4);
    return true;
}

static void check_words(const char *text, size_t n, const char *want)
{
    JC_AUTO_BUF struct jc_buf words = {0};
    jc_normalize(text, n, put_word, &words);
    CHECK_STR(words.n ? words.data : "", want);
}

#define CHECK_WORDS(text, want) check_words(text, sizeof text - 1, want)

static void test_known(void)
{
    CHECK_WORDS("", "");
    CHECK_WORDS(" \t\r\n ", "");
    CHECK_WORDS("Sr. Nurse (ICU)", "sr|.|nurse|(|icu|)");
    CHECK_WORDS("C++/C#", "c|+|+|/|c|#");
    CHECK_WORDS("R\xc3\xa9sum\xc3\xa9 \xc3\x85ngstr\xc3\xb6m", "resume|angstrom");
    CHECK_WORDS("e\xcc\x81\xcc\x82x", "ex");                 /* combining acute, circumflex */
    CHECK_WORDS("\xc4\xb0stanbul", "istanbul");              /* dotted capital I */
    CHECK_WORDS("\xce\x9f\xce\xa3", "\xce\xbf\xcf\x83");     /* no final sigma */
    CHECK_WORDS("\xc3\x9f\xe1\xba\x9e", "\xc3\x9f\xc3\x9f"); /* sharp s stays */
    CHECK_WORDS("a\xe6\xbc\xa2\xe5\xad\x97z", "a|\xe6\xbc\xa2|\xe5\xad\x97|z");
    CHECK_WORDS("\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"); /* Hangul falls apart into jamo */
    CHECK_WORDS("\xe3\x81\x8c", "\xe3\x81\x8b");                         /* GA loses its voicing mark */
    CHECK_WORDS("a\xe2\x80\x8b\xe2\x80\x8d\xc2\xad\xef\xbb\xbf"
                "b",
                "ab"); /* ZWSP, ZWJ, soft hyphen, BOM */
    CHECK_WORDS("a\0b\x7f"
                "c\xc2\x85"
                "d",
                "abcd");
    CHECK_WORDS("a\xef\xbf\xbd"
                "b\xee\x80\x80"
                "c",
                "abc"); /* U+FFFD, private use */
    CHECK_WORDS("a\xc2\xa0"
                "b\xe3\x80\x80"
                "c\xe2\x80\xa8"
                "d",
                "a|b|c|d");
    CHECK_WORDS("a\xcd\xbe"
                "b",
                "a|;|b"); /* Greek question mark is ';' */
    CHECK_WORDS("a\xe2\x89\xa0"
                "b",
                "a|=|b"); /* not-equal is '=' and a mark */
    CHECK_WORDS("a\x0b"
                "b",
                "ab"); /* vertical tab is a control character */
    CHECK_WORDS("\xe2\x80\x9cq\xe2\x80\x9d\xe2\x82\xac", "\xe2\x80\x9c|q|\xe2\x80\x9d|\xe2\x82\xac");
    CHECK_WORDS("\xe2\x82\xac"
                "5",
                "\xe2\x82\xac"
                "5"); /* a currency sign is no punctuation */
}

/* Where the reference's Unicode is another than utf8proc's. */
static void test_versions(void)
{
    CHECK_WORDS("a\xe1\x9c\xb4"
                "b",
                "ab"); /* U+1734: a non-spacing mark then */
    CHECK_WORDS("a\xe1\x99\xad"
                "b",
                "a|\xe1\x99\xad|b"); /* U+166D: punctuation then */
    CHECK_WORDS("a\xd8\x9d"
                "b",
                "a\xd8\x9d"
                "b"); /* U+061D came later */
    CHECK_WORDS("a\xf0\x91\xa4\xb8"
                "b",
                "a\xf0\x91\xa4\xb8"
                "b");                                    /* U+11938 does not fall apart */
    CHECK_WORDS("\xea\x9f\x8b", "\xc9\xa4");             /* U+A7CB has a lower case since Unicode 16 */
    CHECK_WORDS("\xf0\x90\xb5\x91", "\xf0\x90\xb5\xb1"); /* U+10D51 */
}

static void test_lengths(void)
{
    char text[4 * 400 + 1];
    for (size_t n = 99; n <= 102; n++) {
        memset(text, 'A', n);
        JC_AUTO_BUF struct jc_buf words = {0};
        jc_normalize(text, n, put_word, &words);
        CHECK_INT(words.n, n <= 100 ? n : 4);
        /* The same of characters of four bytes, and of marks that are kept (U+1B44, class 9). */
        for (size_t i = 0; i < n; i++)
            memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 4);
        jc_buf_clear(&words);
        jc_normalize(text, 4 * n, put_word, &words);
        CHECK_INT(words.n, n <= 100 ? 4 * n : 4);
        for (size_t i = 0; i < n; i++)
            memcpy(text + 3 * i, "\xe1\xad\x84", 3);
        jc_buf_clear(&words);
        jc_normalize(text, 3 * n, put_word, &words);
        CHECK_INT(words.n, n <= 100 ? 3 * n : 4);
    }
    /* Stripped marks count for nothing. */
    for (size_t i = 0; i < 400; i++)
        memcpy(text + 2 * i, "\xcc\x81", 2);
    text[800] = 'x';
    check_words(text, 801, "x");
}

static bool stop_at_second(void *context, const char *word, size_t n)
{
    (void)word;
    (void)n;
    return ++*(int *)context < 2;
}

static void test_stop(void)
{
    int n_words = 0;
    jc_normalize("a,b c d", 7, stop_at_second, &n_words);
    CHECK_INT(n_words, 2);
}

/* The plain way: decompose and order the whole string, then drop non-spacing marks. Only for letters and marks. */
static void normalize_plainly(const char *text, struct jc_buf *ret_word)
{
    JC_AUTO_FREE utf8proc_uint8_t *nfd = utf8proc_NFD((const utf8proc_uint8_t *)text);
    REQUIRE(nfd != NULL);
    const char *p = (const char *)nfd;
    for (size_t i = 0, n = strlen(p); i < n;) {
        utf8proc_int32_t c = (utf8proc_int32_t)jc_utf8_next(p, &i);
        char bytes[4];
        if (utf8proc_category(c) != UTF8PROC_CATEGORY_MN)
            jc_buf_put(ret_word, bytes, jc_utf8_put((uint32_t)utf8proc_tolower(c), bytes));
    }
}

static void test_mark_order(void)
{
    /* Kept marks of classes 9, 224, 216, 226; stripped ones of 0, 1, 220, 230; letters that decompose. */
    static const uint32_t chars[] = {0x1B44, 0x1BAA, 0x302E, 0x302F, 0x1D165, 0x1D166, 0x1D16D, 0x0900,  0x0334,
                                     0x0323, 0x0301, 0x0041, 0x00C5, 0x1EA8,  0xAC01,  0x0F77,  0x1D15E, 0x0929};
    struct jc_rng rng = jc_rng_seeded(3);
    for (int k = 0; k < 20000; k++) {
        char text[4 * 12 + 1];
        size_t n = 0;
        for (size_t i = 0; i < 1 + (size_t)k % 12; i++)
            n += jc_utf8_put(chars[jc_rng_next(&rng) % JC_COUNT(chars)], text + n);
        text[n] = 0;
        JC_AUTO_BUF struct jc_buf want = {0};
        normalize_plainly(text, &want);
        check_words(text, n, want.n ? want.data : "");
    }
}

int main(void)
{
    test_known();
    test_versions();
    test_lengths();
    test_stop();
    test_mark_order();
    return check_finish();
}
