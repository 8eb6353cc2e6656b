/* posting: what cleaning takes away and what it must leave; texts made to take long. */
#include "text/posting.h"

#include "check.h"
#include "text/html.h"
#include "text/utf8.h"

static struct jc_err err;

static void check_text(int line, const char *title, const char *body, const char *want)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    struct jc_posting posting = {title, title ? strlen(title) : 0, body, body ? strlen(body) : 0};
    REQUIRE_OK(jc_posting_text(&posting, JC_POSTING_TITLE, &text, &err));
    const char *got = text.n ? text.data : "";
    check_report(strcmp(got, want) == 0, __FILE__, line, "'%s' gives '%s', not '%s'", title ? title : body, got, want);
}

#define CHECK_TITLE(title, want) check_text(__LINE__, title, NULL, want)
#define CHECK_KEPT(title) check_text(__LINE__, title, NULL, title)

static void test_kept(void)
{
    CHECK_KEPT("C++ / C# Developer");
    CHECK_KEPT("R&D Manager");
    CHECK_KEPT("Node.js Dev");
    CHECK_KEPT("AT&T Tech");
    CHECK_KEPT(".NET Engineer");
    CHECK_KEPT("$20/hr - Driver");
    CHECK_KEPT("Sr. Nurse @ Mercy");
    CHECK_KEPT("Nurse @Mercy");
    CHECK_KEPT("2 @10.50 an hour");
    CHECK_KEPT("a < b");
    CHECK_KEPT("a <");
    CHECK_KEPT("C++ <developer");
    CHECK_KEPT("C++ <developer href=\"x");
    CHECK_KEPT("Manager <3 people");
    CHECK_KEPT("x << y >> z");
    CHECK_KEPT("<- back");
    CHECK_KEPT("wwwoman at work");
    CHECK_KEPT("http server developer");
    CHECK_KEPT("Q&A; T&E &c &#; &#x; &unknown; &");
    CHECK_KEPT("&ampere; &lter");
    CHECK_KEPT("\xe7\x9c\x8b\xe8\xad\xb7\xe5\xb8\xab");
}

static void test_white_space(void)
{
    CHECK_TITLE("  ICU\t\r\n Nurse  ", "ICU Nurse");
    CHECK_TITLE("a\xc2\xa0\xe3\x80\x80\xe2\x80\x89"
                "b\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe1\x9a\x80",
                "a b");
    CHECK_TITLE("a\xe2\x80\x8b"
                "b",
                "a\xe2\x80\x8b"
                "b"); /* zero-width space is none */
}

static void test_tags(void)
{
    CHECK_TITLE("<p>Registered</p><p>Nurse</p>", "Registered Nurse");
    CHECK_TITLE("Java<b>Script</b> <i>Dev</I>", "JavaScript Dev");
    CHECK_TITLE("Cook<br/>Chef<BR>Baker", "Cook Chef Baker");
    CHECK_TITLE("<a title=\"x > y\" href='z>'>Nurse</a>", "Nurse");
    CHECK_TITLE("<a title = \"x <b> y\">Nurse</a>", "Nurse");
    CHECK_TITLE("<a title=\"x>Nurse</a>", "Nurse"); /* the quotation mark is never closed */
    CHECK_TITLE("<a title=don't>Nurse's aide</a>", "Nurse's aide");
    CHECK_TITLE("<script>if (a < b) alert('</p>')</script>Nurse", "Nurse");
    CHECK_TITLE("Nurse<STYLE type=x>p > a {}</style >Aide", "Nurse Aide");
    CHECK_TITLE("Nurse<script>var x = '</scripting>'; unclosed", "Nurse");
    CHECK_TITLE("<scripted>Nurse", "Nurse");
    CHECK_TITLE("Nurse<!-- <b>not</b> this -->Aide", "Nurse Aide");
    CHECK_TITLE("Nurse<!-->Aide<!--->Cook<!---->Chef", "Nurse Aide Cook Chef");
    CHECK_TITLE("Nurse<!-- cut off", "Nurse");
    CHECK_TITLE("<!DOCTYPE html><?xml version=\"1.0\"?><html><body>Nurse</body>", "Nurse");
    CHECK_TITLE("<![CDATA[<p>Nurse</p> a]]b]]> Aide ]]>", "Nurse a]]b Aide ]]>");
    CHECK_TITLE("<![if !mso]>Nurse<![endif]>", "Nurse");
    CHECK_TITLE("<o:p>Nurse</o:p></>", "Nurse");
    CHECK_TITLE("a <b and <i>c</i>", "a <b and c");
    CHECK_TITLE("Wow <! nurse", "Wow <! nurse");
}

static void test_references(void)
{
    CHECK_TITLE("R&amp;D", "R&D");
    CHECK_TITLE("R&amp D&nbsp", "R& D");
    CHECK_TITLE("Caf&eacute; &#233;&#xe9;&#XE9; &Eacute;", "Caf\xc3\xa9 \xc3\xa9\xc3\xa9\xc3\xa9 \xc3\x89");
    CHECK_TITLE("a&nbsp;&ensp;&#160;b", "a b");
    CHECK_TITLE("Chef&#8217;s &ndash; &thetasym;&euro;", "Chef\xe2\x80\x99s \xe2\x80\x93 \xcf\x91\xe2\x82\xac");
    CHECK_TITLE("Chef&#146;s", "Chef\xe2\x80\x99s"); /* Windows-1252 */
    CHECK_TITLE("x&#0;&#xD800;&#x110000;&#99999999999999999999;&#x100000041;",
                "x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    CHECK_TITLE("x&#65", "xA");
    CHECK_TITLE("&#128512;x", "\xf0\x9f\x98\x80x");
    CHECK_TITLE("&amp;lt;b&amp;gt; x", "&lt;b&gt; x"); /* once */
    CHECK_TITLE("&lt;b&gt; x", "<b> x");
    CHECK_TITLE("&eacute", "&eacute");
    CHECK_INT(jc_html_entity("Aacute", 6), 0xC1);
    CHECK_INT(jc_html_entity("zwnj", 4), 0x200C);
    CHECK_INT(jc_html_entity("AElig", 5), 0xC6);
    CHECK_INT(jc_html_entity("amp", 2), 0);
    CHECK_INT(jc_html_entity("", 0), 0);
    CHECK_INT(jc_html_entity("waytoolong", 10), 0);
}

static void test_addresses(void)
{
    CHECK_TITLE("Nurse https://example.com/jobs?a=1&amp;b=2 ICU", "Nurse ICU");
    CHECK_TITLE("Nurse (HTTP://EXAMPLE.com/x), ICU", "Nurse ( ), ICU");
    CHECK_TITLE("www.example.com: Nurse", ": Nurse");
    CHECK_TITLE("Nurse ftp://example.com/a.", "Nurse .");
    CHECK_TITLE("Nurse https://", "Nurse https://");
    CHECK_TITLE("xhttp://y www. z", "xhttp://y www. z");
    CHECK_TITLE("see \"http://example.com/a\"now", "see \" \"now");
    CHECK_TITLE("Nurse http://example.com\xc2\xa0ICU", "Nurse ICU");
    CHECK_TITLE("Nurse jobs@example.com ICU", "Nurse ICU");
    CHECK_TITLE("jobs.a-b+c@mail.example.co.uk. Nurse", ". Nurse");
    CHECK_TITLE("mailto:jobs@example.com, Nurse", ", Nurse");
    CHECK_TITLE("a@b c@d.e f@g.hi", "a@b c@d.e");
    CHECK_TITLE("a@@b.com @b.com x", "a@@b.com @b.com x");
    CHECK_TITLE("a@b.com@c.com x", "@c.com x");
    CHECK_TITLE("<a href=\"mailto:x@y.org\">Nurse</a>", "Nurse");
}

static void test_fallback(void)
{
    check_text(__LINE__, "Nurse", "<p>Body</p>", "Nurse");
    check_text(__LINE__, "", "<p>Body</p>", "Body");
    check_text(__LINE__, NULL, "Body", "Body");
    check_text(__LINE__, "<b> </b>", "Body", "Body");
    check_text(__LINE__, "*** !! ---", "Body", "Body");
    check_text(__LINE__, "http://example.com/", "Body", "Body");
    check_text(__LINE__, "\xf0\x9f\x98\x80", "Body", "Body");
    check_text(__LINE__, "\xd9\xa3", "Body", "\xd9\xa3"); /* an Arabic digit */
    check_text(__LINE__, "<!-- x", "***", "");
    check_text(__LINE__, NULL, NULL, "");
}

static void check_part(int line, enum jc_posting_part part, const char *title, const char *body, const char *want)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    struct jc_posting posting = {title, title ? strlen(title) : 0, body, body ? strlen(body) : 0};
    REQUIRE_OK(jc_posting_text(&posting, part, &text, &err));
    const char *got = text.n ? text.data : "";
    check_report(strcmp(got, want) == 0, __FILE__, line, "%s gives '%s', not '%s'", jc_posting_part_name(part), got,
                 want);
}

#define CHECK_PART(part, title, body, want) check_part(__LINE__, part, title, body, want)

static void test_parts(void)
{
    CHECK_PART(JC_POSTING_TITLE, " Nurse ", "<p>Care</p>", "Nurse");
    CHECK_PART(JC_POSTING_BODY, " Nurse ", "<p>Care</p>", "Care");
    CHECK_PART(JC_POSTING_TITLE_BODY, " Nurse ", "<p>Care</p>", "Nurse. Care");
    CHECK_PART(JC_POSTING_TITLE, "<br>", "Care", "Care");
    CHECK_PART(JC_POSTING_TITLE, NULL, "Care", "Care");
    CHECK_PART(JC_POSTING_BODY, "Nurse", "<p>***</p>", "Nurse");
    CHECK_PART(JC_POSTING_BODY, "Nurse", NULL, "Nurse");
    CHECK_PART(JC_POSTING_TITLE_BODY, "***", "Care", "Care");
    CHECK_PART(JC_POSTING_TITLE_BODY, NULL, "Care", "Care");
    CHECK_PART(JC_POSTING_TITLE_BODY, "Nurse", "&nbsp;", "Nurse");
    CHECK_PART(JC_POSTING_TITLE_BODY, "Nurse", NULL, "Nurse");
    CHECK_PART(JC_POSTING_TITLE_BODY, "a <script>", "</script> b", "a. b"); /* each is cleaned by itself */
    for (int part = JC_POSTING_TITLE; part <= JC_POSTING_TITLE_BODY; part++) {
        enum jc_posting_part parsed = JC_POSTING_TITLE;
        CHECK_PART((enum jc_posting_part)part, "", "", "");
        CHECK_PART((enum jc_posting_part)part, "--", "<p></p>", "");
        REQUIRE_OK(jc_posting_part_parse(jc_posting_part_name((enum jc_posting_part)part), &parsed, &err));
        CHECK_INT(parsed, part);
    }
    enum jc_posting_part parsed;
    CHECK_FAILS(jc_posting_part_parse("Title", &parsed, &err), JC_E_INVALID, "'Title' is no part");

    /* Both are looked at, whichever is used. */
    JC_AUTO_BUF struct jc_buf text = {0};
    const struct jc_posting bad_body = {"a", 1, "b\xff", 2}, bad_title = {"a\xff", 2, "b", 1};
    CHECK_FAILS(jc_posting_text(&bad_body, JC_POSTING_TITLE, &text, &err), JC_E_INVALID,
                "body: invalid UTF-8 at byte 1");
    CHECK_FAILS(jc_posting_text(&bad_title, JC_POSTING_BODY, &text, &err), JC_E_INVALID,
                "title: invalid UTF-8 at byte 1");
}

static void test_errors(void)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    struct jc_posting posting = {"abc\xff", 4, NULL, 0};
    CHECK_FAILS(jc_posting_text(&posting, JC_POSTING_TITLE, &text, &err), JC_E_INVALID,
                "title: invalid UTF-8 at byte 3");
    posting = (struct jc_posting){"abc", 3, "\xc3", 1};
    CHECK_FAILS(jc_posting_text(&posting, JC_POSTING_TITLE, &text, &err), JC_E_INVALID,
                "body: invalid UTF-8 at byte 0");
}

/* NUL bytes are characters like others, and the buffer is used again. */
static void test_bytes(void)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    jc_buf_puts(&text, "what stood here before");
    static const char title[] = "a\0b\0@x.com &\0;<\0 http://\0 c";
    static const char want[] = "a\0b\0@x.com &\0;<\0 c";
    struct jc_posting posting = {title, sizeof title - 1, NULL, 0};
    REQUIRE_OK(jc_posting_text(&posting, JC_POSTING_TITLE, &text, &err));
    CHECK_INT(text.n, sizeof want - 1);
    CHECK(memcmp(text.data, want, text.n) == 0);
    CHECK_INT(text.data[text.n], 0);
}

/* Half a megabyte of beginnings without an end: a square of this would outlast the test's time limit. */
static void test_hostile(void)
{
    static const char *const patterns[] = {
        "<a =\"<a \" ", "<a =\">\"",   "<a ='\"",   "<a ='>", "<",     "<!--",  "<!",    "<script>",
        "</script",     "<style><!--", "<![CDATA[", "]]",     "&",     "&#",    "&#x9",  "&amp",
        "a@",           "a@b.",        "http://",   "www.a)", "@a.bc", "a.",    "<a <b", "<a b=\"x\" ",
        "=\"<a \" ",    "mailto:",     "\xc2\xa0",  "<p>",    "&#0",   "&nang",
    };
    enum { N_BYTES = 1 << 19 };
    JC_AUTO_FREE char *title = malloc(N_BYTES);
    JC_AUTO_BUF struct jc_buf text = {0};
    REQUIRE(title != NULL);
    for (size_t i = 0; i < JC_COUNT(patterns); i++) {
        size_t n_pattern = strlen(patterns[i]), n = 0;
        for (; n + n_pattern <= N_BYTES; n += n_pattern)
            memcpy(title + n, patterns[i], n_pattern);
        for (int tail = 0; tail < 3; tail++) {
            title[n - 1] = tail == 0 ? title[n - 1] : tail == 1 ? '>' : '"';
            struct jc_posting posting = {title, n, title, n};
            if (jc_utf8_check("x", title, n, &err) == JC_OK) {
                REQUIRE_OK(jc_posting_text(&posting, JC_POSTING_TITLE, &text, &err));
                CHECK(text.n <= n);
            }
        }
    }
}

int main(void)
{
    test_kept();
    test_white_space();
    test_tags();
    test_references();
    test_addresses();
    test_fallback();
    test_parts();
    test_errors();
    test_bytes();
    test_hostile();
    return check_finish();
}
