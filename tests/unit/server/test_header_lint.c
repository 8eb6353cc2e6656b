/* The header lint on heads cut up in place: each rule's reason, and what passes. The corpus of whole requests, against
 * the server, is tests/api/test_smuggling.py. */
#include "server/wire/header_lint.h"

#include "base/own.h"
#include "check.h"
#include "mhd_head.h"

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: x\r\n"
#define REFUSED "refused by libmicrohttpd"

/* The reason; "" where it passes. In a block of its exact size: sanitizers see a read behind the end. */
static const char *lint(const char *text, size_t n)
{
    JC_AUTO_FREE char *bytes = malloc(n);
    struct mhd_head head;
    REQUIRE(bytes);
    memcpy(bytes, text, n);
    const char *reason = mhd_head_parse(bytes, n, &head) ? mhd_head_lint(&head) : REFUSED;
    mhd_head_finish(&head);
    return reason ? reason : "";
}

static void test_reasons(void)
{
    static const struct {
        const char *text;
        size_t n;
        const char *reason;
    } rows[] = {
#define ROW(text, reason) {text, sizeof(text) - 1, reason}
        ROW(LINE HOST "\r\n", ""),
        ROW("\r\n" LINE HOST "\r\n", ""),
        ROW(LINE "hOST:x\t\r\nA:\r\nB: \t c: d \r\n\r\n", ""),
        ROW("GET /a?b=c HTTP/1.0\r\n\r\n", ""),
        ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\n", ""),
        ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", ""),
        ROW("GET HTTPS://X:443/ HTTP/1.1\r\n" HOST "\r\n", ""),
        ROW("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", ""),
        ROW(LINE HOST "TE: trailers;q=1\r\nConnection: TE,, close\r\nTrailer: X\r\n\r\n", ""),
        ROW(LINE "\r\n", "no Host"),
        ROW(LINE HOST HOST "\r\n", "more than one Host"),
        ROW(LINE "Host: a b\r\n\r\n", "Host is empty"),
        ROW(LINE HOST "Content-Length: 1\r\ncontent-length: 1\r\n\r\n", "more than one Content-Length"),
        ROW(LINE HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"),
        ROW(LINE HOST "Content-Length: +1\r\n\r\n", "plain number"),
        ROW(LINE HOST "Content-Length:\r\n\r\n", "plain number"),
        ROW(LINE HOST "Content-Length: 99999999999999999999\r\n\r\n", "plain number"),
        ROW(LINE HOST "Transfer-Encoding: x, chunked\r\n\r\n", "exactly chunked"),
        ROW("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"),
        ROW(LINE HOST "Connection: a ,\tcontent-length ; x\r\n\r\n", "hop-by-hop"),
        ROW(LINE HOST "Trailer: host\r\n\r\n", "come last"),
        ROW(LINE HOST "TE: a,chunked\r\n\r\n", "TE names"),
        ROW(LINE HOST "A : b\r\n\r\n", "field name"),
        ROW(LINE HOST "A: \x01\r\n\r\n", "control character"),
        ROW(LINE HOST "A: b\nC: d\r\n\r\n", "folded"),
        ROW(LINE HOST "A: b\r\n\tc\r\n\r\n", "folded"),
        ROW(LINE HOST "Content-Lengt: 5\r\n h\r\n\r\n", "folded"),
        ROW(LINE HOST "A: b\0c\r\n\r\n", "folded"),
        ROW(LINE HOST "A: b\0\0Content-Length\0 5\r\n\r\n", "ends without"),
        ROW(LINE HOST "A: b\r\n\n", "ends without"),
        ROW(LINE HOST "A: b\r\n\0C: d\r\n\r\n", "ends without"),
        ROW("GET  / HTTP/1.1\r\n" HOST "\r\n", "request line"),
        ROW("GET /  HTTP/1.1\r\n" HOST "\r\n", "target"),
        ROW("GET / HTTP/1.1\n" HOST "\r\n", "request line"),
        ROW("GE\0T / HTTP/1.1\r\n" HOST "\r\n", "request line"),
        ROW("GET /\0 HTTP/1.1\r\n" HOST "\r\n", "request line"),
        ROW("G(T / HTTP/1.1\r\n" HOST "\r\n", "method"),
        ROW("GET / HTTP/1.3\r\n" HOST "\r\n", "version"),
        ROW("CONNECT / HTTP/1.1\r\n" HOST "\r\n", "tunnel"),
        ROW("GET * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS"),
        ROW("GET http://y/ HTTP/1.1\r\n" HOST "\r\n", "disagree"),
        ROW("GET http://x:81/ HTTP/1.1\r\n" HOST "\r\n", "disagree"),
        ROW("GET / HTTP/1.1 \r\n" HOST "\r\n", REFUSED),
        ROW(LINE HOST "A\0: b\r\n\r\n", REFUSED),
#undef ROW
    };
    for (size_t i = 0; i < JC_COUNT(rows); i++) {
        const char *reason = lint(rows[i].text, rows[i].n);
        check_report(*rows[i].reason ? strstr(reason, rows[i].reason) != NULL : !*reason, __FILE__, __LINE__,
                     "row %zu: '%s' where '%s' is expected", i, reason, rows[i].reason);
    }
}

/* A legal head with any one byte changed to NUL, CR or LF, or taken out, passes only where it is legal again. */
static void test_every_byte_counts(void)
{
    static const char text[] = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nA: b\r\n\r\n";
    size_t n = sizeof text - 1;
    CHECK_STR(lint(text, n), "");
    for (size_t i = 0; i < n; i++) {
        char changed[sizeof text];
        memcpy(changed, text, sizeof text);
        for (const char *c = "\n\r"; *c; c++) {
            changed[i] = *c;
            bool is_empty_line = i == 0 && *c == '\n'; /* and then OST for POST */
            check_report(text[i] == *c || is_empty_line || *lint(changed, n), __FILE__, __LINE__,
                         "byte %zu as %d passes", i, *c);
        }
        changed[i] = '\0'; /* NUL LF for CR LF is what cannot be seen: header_lint.h */
        check_report(text[i] == '\r' || *lint(changed, n), __FILE__, __LINE__, "byte %zu as NUL passes", i);
    }
}

int main(void)
{
    test_reasons();
    test_every_byte_counts();
    return check_finish();
}
