"""Random bytes, mutated JSON and broken HTTP: never a 5xx, never a crash, and the next request is answered."""
import collections
import json
import random

from harness import SPEC, Server, long_title, post_bytes

DOCUMENTED = {int(status) for status in SPEC["paths"]["/v1/classify"]["post"]["responses"]}


def send_all(server, bodies, at_once=50):
    """Statuses of the bodies, posted down one keep-alive connection, `at_once` in flight."""
    statuses = collections.Counter()
    with server.raw() as raw:
        for start in range(0, len(bodies), at_once):
            some = bodies[start:start + at_once]
            raw.send(b"".join(post_bytes(body) for body in some))
            for body in some:
                answer = raw.read()
                assert answer is not None, f"no answer to {body!r}"
                assert answer.status in DOCUMENTED and answer.status < 500, (answer.status, body)
                json.loads(answer.body)
                statuses[answer.status] += 1
    return statuses


def test_random_bodies(server):
    chosen = random.Random(20240501)
    bodies = [chosen.randbytes(chosen.choice((0, 1, 2, 7, 30, 200))) for _ in range(10000)]
    statuses = send_all(server, bodies)
    assert statuses.total() == 10000
    assert statuses[400] > 9900


SEEDS = [json.dumps(document).encode() for document in (
    {"title": "Registered nurse", "body": "<p>x &amp; y</p>", "top_n": 3, "id": "a"},
    {"postings": [{"id": 1, "title": "a"}, {"title": "\u00e9\ud83d\ude00", "body": None}], "top_n": 100},
    {"postings": [{"title": "<script>", "body": "&#x41;&#99999999;&amp"}] * 3},
    {"id": 2**62, "title": "http://x <a href='", "top_n": 1, "level": "minor"},
)] + ['{"title":"é日😀\u0301\u200d","id":"ü"}'.encode()]
SPLICES = [b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u", b"\\ud800", b"null", b"-", b"1e999", b"0" * 30, b"\xff", b"\x00", b"<", b"&#",
           b"\xf0\x9f\x98\x80", b"postings", b'"title":', b",", b":"]


def mutate(chosen, body):
    body = bytearray(body)
    for _ in range(chosen.randint(1, 4)):
        at = chosen.randrange(len(body) + 1)
        kind = chosen.randrange(4)
        if kind == 0 and at < len(body):
            body[at] = chosen.randrange(256)
        elif kind == 1:
            del body[at:at + chosen.randint(1, 8)]
        elif kind == 2:
            body[at:at] = chosen.choice(SPLICES)
        else:
            body[at:at] = body[:chosen.randint(0, 20)]
    return bytes(body)


def test_mutated_json(server):
    chosen = random.Random(7)
    statuses = send_all(server, [mutate(chosen, chosen.choice(SEEDS)) for _ in range(6000)])
    assert statuses[200] > 100 and statuses[400] > 1000 and statuses[422] > 50, statuses


def test_nasty_texts(client):
    """Texts that have made other tokenisers and HTML strippers slow or wrong."""
    bodies = ["<" * 100000, "&" * 100000, "<!--" * 25000, "a" * 100000, "e" + "\u0301" * 99999, "<a " * 33333, "&#x" * 33333,
              "http://" * 14000, "\u202e\u200d\ufeff" * 30000, "日" * 100000, "😀" * 100000, "<script>" * 12000, "\n" * 100000,
              "<p title='" + ">" * 90000]
    for body in bodies:
        assert client.post({"body": body}).status in (200, 422)
    assert client.post({"postings": [{"title": long_title(1), "body": body} for body in bodies]}).status == 200


def test_broken_http(bundle):
    """Bytes that are not HTTP: an error or a closed connection, not a hang."""
    chosen = random.Random(3)
    samples = [chosen.randbytes(chosen.randint(1, 300)) + b"\r\n\r\n" for _ in range(200)]
    samples += [
        b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /livez HTTP/1.1\r\n: x\r\n\r\n", b"\r\n\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"GET /v1/classify?" + b"&" * 10000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/classify?" + b"a=b&" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    sets = ("http.idle_timeout=3s", "http.header_timeout=3s", "http.body_timeout=3s")
    with Server(bundle, *sets) as server:  # what is not even refused ends with them
        for sample in samples:
            assert_harmless(server, sample)
        with server.client() as client:
            assert client.post({"title": "nurse"}).status == 200


def assert_harmless(server, sample):
    with server.raw() as raw:
        try:
            raw.send(sample)
            raw.socket.shutdown(1)
            answer = raw.read()
        except OSError:
            return  # closed with bytes unread
        assert answer is None or answer.status < 500 or answer.status == 505, (answer.status, sample)
