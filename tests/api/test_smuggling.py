"""Request smuggling: heads that two readers could take differently are refused and end their connection, bytes behind
them are never taken for a request, and what is merely unusual is served."""
import re

import pytest

from harness import CLASSIFY, JSON, SPEC, Server, validate

HOST = b"Host: x\r\n"
TYPE = f"Content-Type: {JSON}\r\n".encode()
BODY = b'{"title":"nurse"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
# What an attacker wants served: it stands behind every head below.
SMUGGLED = b"GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n"


def get(fields=b"", line=b"GET /livez HTTP/1.1", host=HOST):
    return line + b"\r\n" + host + fields + b"\r\n"


def post(fields, body=BODY, line=f"POST {CLASSIFY} HTTP/1.1".encode(), host=HOST):
    return line + b"\r\n" + host + TYPE + fields + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# why it is ambiguous, the bytes: each is refused by the header lint
LINTED = [
    # where the request ends
    ("both framings, length first", post(LENGTH + CHUNKED, CHUNKS)),
    ("both framings, chunked first", post(CHUNKED + LENGTH, CHUNKS)),
    ("both framings, length 0", post(b"Content-Length: 0\r\n" + CHUNKED, CHUNKS)),
    ("two lengths that differ", post(LENGTH + b"Content-Length: 3\r\n")),
    ("two equal lengths", post(LENGTH + LENGTH)),
    ("two lengths in different case", post(LENGTH + b"content-length: 3\r\n")),
    ("a length of 0 behind a real one", post(LENGTH + b"Content-Length: 0\r\n")),
    ("a length that is no number behind chunked", post(CHUNKED + b"Content-Length: x\r\n", CHUNKS)),
    ("length name with a space", post(b"Content-Length : 17\r\n")),
    ("length name with a tab", post(b"Content-Length\t: 17\r\n")),
    ("length name with a leading space as the first field", get(host=b" Content-Length: 5\r\nHost: x\r\n")),
    ("a real length and one with a space", post(LENGTH + b"Content-Length : 3\r\n")),
    ("chunked with a space before the colon", post(LENGTH + b"Transfer-Encoding : chunked\r\n")),
    ("chunked twice", post(CHUNKED + CHUNKED, CHUNKS)),
    ("chunked and identity", post(CHUNKED + b"Transfer-Encoding: identity\r\n", CHUNKS)),
    ("coding list", post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS)),
    ("chunked, chunked", post(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS)),
    ("identity", post(b"Transfer-Encoding: identity\r\n" + LENGTH)),
    ("xchunked", post(b"Transfer-Encoding: xchunked\r\n", CHUNKS)),
    ("chunked with a parameter", post(b"Transfer-Encoding: chunked;q=1\r\n", CHUNKS)),
    ("chunked with a blank behind it", post(b"Transfer-Encoding: chunked \r\n", CHUNKS)),
    ("chunked with a tab behind it", post(b"Transfer-Encoding: chunked\t\r\n", CHUNKS)),
    ("chunked in quotes", post(b'Transfer-Encoding: "chunked"\r\n', CHUNKS)),
    ("empty coding", post(b"Transfer-Encoding:\r\n" + LENGTH)),
    ("chunked with a control character before it", post(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS)),
    ("chunked in HTTP/1.0", post(CHUNKED, CHUNKS, line=b"POST /v1/classify HTTP/1.0")),
    ("Connection drops the length", post(LENGTH + b"Connection: close, Content-Length\r\n")),
    ("Connection drops the coding", post(CHUNKED + b"Connection: transfer-encoding\r\n", CHUNKS)),
    ("Connection drops the host", get(b"Connection: keep-alive , HOST\r\n")),
    ("Trailer announces a length", post(CHUNKED + b"Trailer: Content-Length\r\n", CHUNKS)),
    ("Trailer announces a coding", post(CHUNKED + b"Trailer: X, transfer-encoding\r\n", CHUNKS)),
    ("TE names chunked", get(b"TE: trailers, chunked;q=0.5\r\n")),
    # lines
    ("bare LF at the end of the request line", b"GET /livez HTTP/1.1\nHost: x\r\n\r\n"),
    ("bare LF at the end of a field", b"GET /livez HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
    ("bare LF everywhere", b"GET /livez HTTP/1.1\nHost: x\n\n"),
    ("bare LF ends the head", b"GET /livez HTTP/1.1\r\nHost: x\r\n\n"),
    ("bare LF hides a length", post(b"A: b\nContent-Length: 17\r\n")),
    ("folded value", get(b"A: b\r\n c\r\n")),
    ("folded value with a tab", get(b"A: b\r\n\tc\r\n")),
    ("folded line that completes a name", post(b"Content-Lengt: 17\r\n h\r\n")),
    ("folded coding", post(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS)),
    ("folded with nothing", get(b"A: b\r\n \r\n")),
    ("CR in a value", get(b"A: b\rContent-Length: 5\r\n")),
    ("CR CR LF", get(b"A: b\r\r\n")),
    ("NUL in a value", get(b"A: b\0c\r\n")),
    ("NUL cuts a length", post(b"Content-Length: 17\x000\r\n")),
    ("NUL cuts a coding", post(b"Transfer-Encoding: chunked\0x\r\n", CHUNKS)),
    ("NUL at a value's end", get(b"A: b\0\r\n")),
    ("NUL NUL for a line's end", get(b"A: b\0\0C: d\r\n")),
    ("NUL for each cut of a hidden field", get(b"A: b\0\0Content-Length\0 5\r\n")),
    ("a line that begins with NUL ends the head", get(b"A: b\r\n\0C: d\r\n")),
    ("BEL in a value", get(b"A: b\x07\r\n")),
    ("DEL in a value", get(b"A: b\x7f\r\n")),
    ("blank in a name", get(b"A B: c\r\n")),
    ("parenthesis in a name", get(b"A(B): c\r\n")),
    ("byte over 127 in a name", get(b"A\xc3\xa9: c\r\n")),
    ("control character in a name", get(b"A\x0b: c\r\n")),
    ("empty name", get(b": c\r\n")),
    ("quoted name", get(b'"Content-Length": 5\r\n')),
    # the request line
    ("two blanks before the target", get(line=b"GET  /livez HTTP/1.1")),
    ("two blanks behind the target", get(line=b"GET /livez  HTTP/1.1")),
    ("blank in the target", get(line=b"GET /livez /x HTTP/1.1")),
    ("a version as part of the target", get(line=b"GET /livez HTTP/1.1 HTTP/1.1")),
    ("tab in the target", get(line=b"GET /livez\t HTTP/1.1")),
    ("NUL in the target", get(line=b"GET /livez\0/x HTTP/1.1")),
    ("NUL in the method", get(line=b"GE\0T /livez HTTP/1.1")),
    ("control character in the method", get(line=b"GET\x01 /livez HTTP/1.1")),
    ("CR before the method", get(line=b"\rGET /livez HTTP/1.1")),
    ("colon in the method", get(line=b"GET: /livez HTTP/1.1")),
    ("HTTP/1.2", get(line=b"GET /livez HTTP/1.2")),
    ("HTTP/1.9", get(line=b"GET /livez HTTP/1.9")),
    ("fragment", get(line=b"GET /livez#x HTTP/1.1")),
    ("fragment in the query", get(line=b"GET /v1/classify?title=c#x HTTP/1.1")),
    ("byte over 127 in the target", get(line=b"GET /liv\xc3\xa9z HTTP/1.1")),
    ("DEL in the target", get(line=b"GET /livez\x7f HTTP/1.1")),
    ("encoded NUL in the path", get(line=b"GET /livez%00 HTTP/1.1")),
    ("encoded line end in the path", get(line=b"GET /livez%0d%0aA:b HTTP/1.1")),
    ("encoded slash", get(line=b"GET /v1%2Fclassify?title=x HTTP/1.1")),
    ("encoded backslash", get(line=b"GET /v1%5cclassify HTTP/1.1")),
    ("backslash", get(line=b"GET \\livez HTTP/1.1")),
    ("backslash in the path", get(line=b"GET /v1\\classify HTTP/1.1")),
    ("broken percent-encoding", get(line=b"GET /livez%zz HTTP/1.1")),
    ("cut percent-encoding", get(line=b"GET /livez%4 HTTP/1.1")),
    ("target without a slash", get(line=b"GET livez HTTP/1.1")),
    ("other scheme", get(line=b"GET ftp://x/livez HTTP/1.1")),
    ("asterisk for GET", get(line=b"GET * HTTP/1.1")),
    # whom it is for
    ("no Host", get(host=b"")),
    ("two Hosts", get(b"Host: y\r\n")),
    ("two equal Hosts", get(HOST)),
    ("empty Host", get(host=b"Host:\r\n")),
    ("blank Host", get(host=b"Host: \t \r\n")),
    ("Host list", get(host=b"Host: x, y\r\n")),
    ("Host with a path", get(host=b"Host: x/livez\r\n")),
    ("Host with a user", get(host=b"Host: u@x\r\n")),
    ("Host with a blank", get(host=b"Host: x y\r\n")),
    ("Host with a bad port", get(host=b"Host: x:8a\r\n")),
    ("Host with a port over 65535", get(host=b"Host: x:65536\r\n")),
    ("Host with two ports", get(host=b"Host: x:80:81\r\n")),
    ("Host of an unclosed IPv6 address", get(host=b"Host: [::1\r\n")),
    ("Host of a broken IPv6 address", get(host=b"Host: [::g]\r\n")),
    ("Host with a space before the colon", get(host=b"Host : x\r\n")),
    ("URL and Host disagree", get(line=b"GET http://y/livez HTTP/1.1")),
    ("URL and Host disagree on the port", get(line=b"GET http://x:81/livez HTTP/1.1")),
    ("URL with a user", get(line=b"GET http://u@x/livez HTTP/1.1")),
    ("URL without a host", get(line=b"GET http:///livez HTTP/1.1")),
    ("CONNECT", get(line=b"CONNECT x:80 HTTP/1.1")),
    ("CONNECT to a path", get(line=b"CONNECT /livez HTTP/1.1")),
    ("authority for GET", get(line=b"GET x:80 HTTP/1.1")),
    # what it is
    ("two types", post(LENGTH + b"content-type: text/plain\r\n")),
    ("two authorizations", get(b"Authorization: a\r\nAuthorization: b\r\n")),
    ("two origins", get(b"Origin: http://a\r\nOrigin: http://b\r\n")),
    ("two expectations", post(LENGTH + b"Expect: 100-continue\r\nExpect: 100-continue\r\n")),
]

# Refused by libmicrohttpd itself, or closed without a word.
LIBRARY = [
    ("length with a sign", post(b"Content-Length: +17\r\n")),
    ("negative length", post(b"Content-Length: -17\r\n")),
    ("hexadecimal length", post(b"Content-Length: 0x11\r\n")),
    ("length list", post(b"Content-Length: 17, 17\r\n")),
    ("length with a blank inside", post(b"Content-Length: 1 7\r\n")),
    ("length with a blank behind it", post(b"Content-Length: 17 \r\n")),
    ("length with a decimal point", post(b"Content-Length: 17.0\r\n")),
    ("length of 2**64 + 17", post(b"Content-Length: 18446744073709551633\r\n")),
    ("empty length", post(b"Content-Length:\r\n")),
    ("line without a colon", get(b"Content-Length 5\r\n")),
    ("NUL in a name", get(b"A\0B: c\r\n")),
    ("blank before the method", get(line=b" GET /livez HTTP/1.1")),
    ("blank behind the version", get(line=b"GET /livez HTTP/1.1 ")),
    ("tabs in the request line", get(line=b"GET\t/livez\tHTTP/1.1")),
    ("no version", get(line=b"GET /livez")),
    ("version in lower case", get(line=b"GET /livez http/1.1")),
    ("HTTP/1.10", get(line=b"GET /livez HTTP/1.10")),
    ("HTTP/2.0", get(line=b"GET /livez HTTP/2.0")),
    ("HTTP/0.9", get(line=b"GET /livez HTTP/0.9")),
    ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("signed version", get(line=b"GET /livez HTTP/+1.1")),
    ("empty method", get(line=b" /livez HTTP/1.1")),
]

# The framing of a chunked body cannot be seen: however it is taken, its connection ends with the answer.
CHUNKED_BODIES = [
    ("plain", CHUNKS),
    ("bare LF", b"11\n" + BODY + b"\n0\n\n"),
    ("bare LF in the trailers", b"11\r\n" + BODY + b"\r\n0\r\nA: b\n\n"),
    ("bare LF ends them", b"11\r\n" + BODY + b"\r\n0\r\n\n"),
    ("extension", b"11;a=b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("extension with a line end", b"11;a=\n" + BODY + b"\r\n0\r\n\r\n"),
    ("trailers that would frame", b"11\r\n" + BODY + b"\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nHost: y\r\n\r\n"),
    ("line of NUL in the trailers", b"11\r\n" + BODY + b"\r\n0\r\n\0A\r\n"),
    ("size with a sign", b"+11\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("size with a prefix", b"0x11\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("size over 64 bits", b"10000000000000011\r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("size with a blank", b"11 \r\n" + BODY + b"\r\n0\r\n\r\n"),
    ("more than its size", b"10\r\n" + BODY + b"\r\n0\r\n\r\n"),
]

# Unusual and legal: what, the bytes, the status.
LEGAL = [
    ("empty line in front", b"\r\n" + get(), 200),
    ("names in any case", b"GET /livez HTTP/1.1\r\nhOsT: x\r\naCCEPT: */*\r\n\r\n", 200),
    ("no blank behind the colon", get(host=b"Host:x\r\n"), 200),
    ("many blanks and tabs behind the colon", get(host=b"Host: \t  x\r\n"), 200),
    ("blanks behind a value", get(b"A: b \t\r\n", host=b"Host: x \t\r\n"), 200),
    ("empty value", get(b"A:\r\n"), 200),
    ("tab in a value", get(b"A: b\tc\r\n"), 200),
    ("bytes over 127 in a value", get(b"A: caf\xc3\xa9 \xff\r\n"), 200),
    ("colons in a value", get(b"A: b:c: d\r\n"), 200),
    ("every character of a name", get(b"!#$%&'*+-.^_`|~09azAZ: b\r\n"), 200),
    ("a field repeated", get(b"A: b\r\nA: c\r\nVia: 1.1 a\r\nVia: 1.1 b\r\n"), 200),
    ("several cookies", get(b"Cookie: a=b; c=\"d, e\"\r\nCookie: f\r\n"), 200),
    ("URL of the same host", get(line=b"GET http://x/livez HTTP/1.1"), 200),
    ("URL in another case, with the default port", get(line=b"GET HTTP://X:80/livez HTTP/1.1"), 200),
    ("URL with a query", get(line=b"GET http://x/v1/categories?limit=1 HTTP/1.1"), 200),
    ("URL without a path", get(line=b"GET http://x HTTP/1.1"), 200),
    ("URL without a path and with a query", get(line=b"GET http://x?a=b HTTP/1.1"), 200),
    ("encoded letters of a path", get(line=b"GET /%6civez HTTP/1.1"), 200),
    ("odd escapes in a query", get(line=b"GET /v1/classify?title=100%+a|b{c}[d]%zz%00 HTTP/1.1"), 200),
    ("two question marks", get(line=b"GET /v1/categories?q=a?b HTTP/1.1"), 200),
    ("OPTIONS *", get(line=b"OPTIONS * HTTP/1.1"), 204),
    ("unknown method", get(line=b"M-SEARCH /livez HTTP/1.1"), 405),
    ("Host with a port", get(host=b"Host: x:8080\r\n"), 200),
    ("Host with an empty port", get(host=b"Host: x:\r\n"), 200),
    ("Host of an IPv4 address", get(host=b"Host: 127.0.0.1:8080\r\n"), 200),
    ("Host of an IPv6 address", get(host=b"Host: [2001:db8::1]:8080\r\n"), 200),
    ("Host of a service", get(host=b"Host: job_code.default.svc.cluster.local.\r\n"), 200),
    ("upgrade to HTTP/2 is not taken", get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), 200),
    ("TE: trailers", get(b"TE: trailers\r\nConnection: TE\r\n"), 200),
    ("length with leading zeros", post(b"Content-Length: 000017\r\n"), 200),
    ("GET with a body", get(b"Content-Length: 5\r\n") + b"abcde", 200),
    ("HEAD-like length of 0", get(b"Content-Length: 0\r\n"), 200),
    ("expectation", post(LENGTH + b"Expect: 100-continue\r\n"), 200),
    ("a head of 12 KB", get(b"A: " + b"b" * 12000 + b"\r\n"), 200),
    ("a head of many fields", get(b"".join(b"A%d: b\r\n" % number for number in range(90))), 200),
]
LEGAL_LAST = [
    ("HTTP/1.0 without Host", get(line=b"GET /livez HTTP/1.0", host=b""), 200),
    ("chunked", post(CHUNKED, CHUNKS), 200),
    ("chunked in another case", post(b"transfer-encoding: CHUNKED\r\n", CHUNKS), 200),
    ("chunked with an announced trailer", post(CHUNKED + b"Trailer: X-Sum\r\n", CHUNKS[:-2] + b"X-Sum: 5\r\n\r\n"), 200),
    ("asked to close", get(b"Connection: close\r\n"), 200),
]


def ids(cases):
    return [case[0] for case in cases]


def exchange(server, data):
    """All that comes back."""
    with server.raw() as raw:
        try:
            raw.send(data)
        except ConnectionError:
            pass
        return raw.read_all()


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received) if status != b"100"]


def is_refusal(answers):
    """Once, or nothing at all; libmicrohttpd sends the head of its page on a bad Content-Length twice."""
    return answers in ([], [400], [413], [505], [400, 400], [413, 413])


def test_enough_cases():
    for cases in (LINTED, LIBRARY, CHUNKED_BODIES, LEGAL, LEGAL_LAST):
        assert len(set(ids(cases))) == len(cases)
        assert len({case[1] for case in cases}) == len(cases)
    assert len(LINTED) + len(LIBRARY) >= 60 and len(LEGAL) + len(LEGAL_LAST) >= 15


@pytest.mark.parametrize("why, data", LINTED, ids=ids(LINTED))
def test_lint(server, client, why, data):
    before = client.metrics()['jobcode_requests_refused_total{reason="ambiguous_request"}']
    received = exchange(server, data + SMUGGLED)
    assert statuses(received) == [400], received
    head, body = received.split(b"\r\n\r\n", 1)
    assert b"\r\nConnection: close" in head and b"application/problem+json" in head
    assert b'"code":"ambiguous_request"' in body
    assert client.metrics()['jobcode_requests_refused_total{reason="ambiguous_request"}'] == before + 1


@pytest.mark.parametrize("why, data", LIBRARY, ids=ids(LIBRARY))
def test_library(server, why, data):
    received = exchange(server, data + SMUGGLED)
    assert is_refusal(statuses(received)), received


@pytest.mark.parametrize("why, data", LINTED + LIBRARY, ids=ids(LINTED + LIBRARY))
def test_behind_a_good_request(server, why, data):
    """Pipelined: the request in front is answered, and nothing behind."""
    answers = statuses(exchange(server, get() + data + SMUGGLED))
    assert answers[0] == 200 and is_refusal(answers[1:])


@pytest.mark.parametrize("why, body", CHUNKED_BODIES, ids=ids(CHUNKED_BODIES))
def test_chunked_ends_the_connection(server, why, body):
    answers = statuses(exchange(server, post(CHUNKED, body + SMUGGLED)))
    assert answers in ([], [200], [400], [413]), answers


@pytest.mark.parametrize("what, data, status", LEGAL, ids=ids(LEGAL))
def test_legal(server, what, data, status):
    """Answered, and the connection goes on."""
    with server.raw() as raw:
        for _ in range(2):
            raw.send(data)
            assert raw.read().status == status
        raw.send(get())
        assert raw.read().json() == {"status": "live"}


@pytest.mark.parametrize("what, data, status", LEGAL_LAST, ids=ids(LEGAL_LAST))
def test_legal_last(server, what, data, status):
    with server.raw() as raw:
        raw.send(data)
        answer = raw.read()
        assert answer.status == status and answer.headers["connection"].lower() == "close"
        assert raw.read() is None


@pytest.mark.parametrize("what, data, status", [case for case in LEGAL if len(case[1]) < 400],
                         ids=ids([case for case in LEGAL if len(case[1]) < 400]))
def test_legal_in_pieces(server, what, data, status):
    """The head is judged when it is whole, however it came."""
    with server.raw() as raw:
        for start in range(0, len(data), 7):
            raw.send(data[start:start + 7])
        assert raw.read().status == status


def test_problem_is_documented(bundle):
    with Server(bundle) as server, server.raw() as raw:
        raw.send(post(LENGTH + LENGTH))
        answer = raw.read()
        assert raw.read() is None
    validate(answer.json(), SPEC["components"]["schemas"]["Problem"])
    assert answer.json()["detail"] == "The request is refused: more than one Content-Length."
