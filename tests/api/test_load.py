"""Memory stays level over many requests of every kind."""
import json

from harness import SANITIZED, long_title, post_bytes

GET_METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
GET_NOTHING = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
GET_QUERY = b"GET /v1/classify?title=ICU+Nurse&top_n=9 HTTP/1.1\r\nHost: x\r\n\r\n"
ROUND = [
    post_bytes({"title": "nurse", "id": "x" * 100}),
    post_bytes({"postings": [{"id": i, "title": f"driver {i}", "body": "<p>" * 50} for i in range(20)], "top_n": 40}),
    post_bytes({"postings": [{"title": ""}, {"title": "cook"}]}),
    post_bytes({"title": ""}),
    post_bytes({"postings": [{"id": "leak?", "title": "x"}, {"id": "leak?", "title": 7}]}),
    post_bytes(b'{"title":'),
    post_bytes({"title": long_title(5)}),
    GET_QUERY,
    GET_NOTHING,
    GET_METRICS,
]


def send_rounds(server, count):
    """`count` rounds, on a new connection every ten."""
    for _ in range(count // 10):
        with server.raw() as raw:
            raw.send(b"".join(ROUND) * 10)
            for _ in range(len(ROUND) * 10):
                answer = raw.read()
                assert answer.status in (200, 400, 404, 422)
                if answer.headers["content-type"] != "text/plain; version=0.0.4; charset=utf-8":
                    json.loads(answer.body)


def test_memory_stays_level(server):
    send_rounds(server, 300)
    before = server.rss_kib()
    send_rounds(server, 2000)  # 20,000 requests
    grown = server.rss_kib() - before
    assert grown < (300 if SANITIZED else 8) * 1024, f"{grown} KiB more after 20,000 requests"
