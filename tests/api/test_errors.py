"""What is refused: every status, its code, its pointer and its headers."""
import json
import time

import pytest

from harness import CLASSIFY, JSON, SPEC, TIMEOUT_S, Server, expect_problem, post_bytes

GET_PATHS = [path for path, item in SPEC["paths"].items() if "get" in item]


@pytest.mark.parametrize("path", ["/page", "/docs/", "/index.html", "/v1", "/v1/", "/v1/classify/", "/v2/classify", "/V1/CLASSIFY", "/livez/x", "//livez",
                                  "/favicon.ico", "/openapi.yml", "/..", "/../etc/passwd", "/caf%C3%A9", "/%FF"])
def test_not_found(client, path):
    for method in ("GET", "POST", "HEAD", "DELETE"):
        answer = client.connection
        answer.request(method, path, headers={"Content-Type": JSON} if method == "POST" else {})
        response = answer.getresponse()
        body = response.read()
        assert response.status == 404
        assert response.getheader("Content-Type") == "application/problem+json"
        if method != "HEAD":
            assert json.loads(body)["code"] == "not_found"


@pytest.mark.parametrize("path", GET_PATHS)
def test_method_not_allowed(client, path):
    allow = "GET, HEAD, POST, OPTIONS" if path == CLASSIFY else "GET, HEAD, OPTIONS"
    methods = ["PUT", "DELETE", "PATCH", "TRACE", "BREW"] + (["POST"] if path != CLASSIFY else [])
    for method in methods:
        answer = client.request(method, path)
        expect_problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", GET_PATHS)
def test_head(client, path):
    target = path + ("?title=nurse" if path == CLASSIFY else "")
    get, head = client.request("GET", target), client.request("HEAD", target)
    assert head.status == get.status == 200
    assert head.headers["content-type"] == get.headers["content-type"]
    if path != "/metrics":
        assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("path", GET_PATHS)
def test_accept(client, path):
    target = path + ("?title=nurse" if path == CLASSIFY else "")
    produced = client.request("GET", target).headers["content-type"].split(";")[0]
    for accept in ("*/*", produced, produced.split("/")[0] + "/*", "image/png, */*;q=0.1", ""):
        assert client.request("GET", target, headers={"Accept": accept}).status == 200, accept
    for accept in ("image/png", "audio/*, video/*", f"{produced};q=0", "*/*;q=0", f"*/*, {produced};q=0.0"):
        expect_problem(client.request("GET", target, headers={"Accept": accept}), 406, "not_acceptable")


def test_content_type(client):
    body = json.dumps({"title": "nurse"})
    for value in (JSON, "Application/JSON; charset=utf-8", "application/json;x=y"):
        assert client.post(body, {"Content-Type": value}).status == 200
    for value in ("", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data; boundary=x"):
        expect_problem(client.post(body, {"Content-Type": value}), 415, "unsupported_media_type")
    for coding in ("gzip", "br", "identity, gzip"):
        expect_problem(client.post(body, {"Content-Encoding": coding}), 415, "unsupported_media_type")
    assert client.post(body).status == 200  # the same connection goes on


def test_content_type_missing(server):
    with server.raw() as raw:
        raw.send(b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n" + b'{"title":"x"}')
        expect_problem(raw.read(), 415, "unsupported_media_type")
        raw.send(post_bytes({"title": "x"}))
        assert raw.read().status == 200


@pytest.mark.parametrize("body, where", [
    (b"", "Line 1, column 0"),
    (b"{", "Line 1"),
    (b'{"title":"x"', "Line 1"),
    (b'{\n "title": "x",\n}', "Line 3"),
    (b'{"title":"x"}{}', "Line 1"),
    (b'{"title":"\xff"}', "Line 1"),
    (b'{"title":"x","title":"y"}', "duplicate"),
    (b"nurse", "Line 1"),
    (b"\xef\xbb\xbf{}", "Line 1"),
    (b"[" * 100000, "Line 1"),
    (b'{"title":"a\\u0000"}', "Line 1"),
    (b"\x00" * 50, "Line 1"),
])
def test_malformed_json(client, body, where):
    problem = client.refused(body, 400, "malformed_json")
    assert where in problem["detail"]


X = {"title": "x"}


@pytest.mark.parametrize("document, code, pointer", [
    ([], "invalid_member", None),
    ({}, "invalid_member", None),
    ({"title": None}, "invalid_member", None),
    ({"title": 1}, "invalid_member", "/title"),
    ({"title": "x", "body": []}, "invalid_member", "/body"),
    ({"title": "x", "id": 1.5}, "invalid_member", "/id"),
    ({"title": "x", "id": None}, "invalid_member", "/id"),
    ({"title": "x", "id": "i" * 257}, "invalid_member", "/id"),
    ({"title": "x", "top_n": 0}, "invalid_member", "/top_n"),
    ({"title": "x", "top_n": 101}, "invalid_member", "/top_n"),
    ({"title": "x", "top_n": "5"}, "invalid_member", "/top_n"),
    ({"title": "x", "top_n": 1.0}, "invalid_member", "/top_n"),
    ({"title": "x", "level": "category"}, "invalid_member", "/level"),
    ({"title": "x", "level": None}, "invalid_member", "/level"),
    ({"title": "x", "name": "y"}, "unknown_member", "/name"),
    ({"title": "x", "a/b": 1}, "unknown_member", "/a~1b"),
    ({"title": "x", "~": 1}, "unknown_member", "/~0"),
    ({"title": "x", "ключ😀": 1}, "unknown_member", "/ключ😀"),
    ({"postings": []}, "invalid_member", "/postings"),
    ({"postings": None}, "invalid_member", "/postings"),
    ({"postings": {}}, "invalid_member", "/postings"),
    ({"postings": [X], "title": "x"}, "unknown_member", "/title"),
    ({"postings": [X], "top_n": None}, "invalid_member", "/top_n"),
    ({"postings": [X, {}]}, "invalid_member", "/postings/1"),
    ({"postings": [X, []]}, "invalid_member", "/postings/1"),
    ({"postings": [X], "level": ["major"]}, "invalid_member", "/level"),
    ({"postings": [X, {"title": "x", "top_n": 1}]}, "unknown_member", "/postings/1/top_n"),
    ({"postings": [X, {"title": "x", "level": "major"}]}, "unknown_member", "/postings/1/level"),
    ({"postings": [X] * 3 + [{"body": 0}]}, "invalid_member", "/postings/3/body"),
    ({"postings": [X] * 1001}, "too_many_postings", "/postings"),
    ({"title": "x" * 1001}, "text_too_long", "/title"),
    ({"title": "é" * 1001}, "text_too_long", "/title"),
    ({"postings": [X, {"title": "x", "body": "y" * 100001}]}, "text_too_long", "/postings/1/body"),
])
def test_unprocessable(client, document, code, pointer):
    client.refused(document, 422, code, pointer)


def test_at_the_limits(client):
    client.classify({"title": "😀x" * 500, "body": "é" * 100000, "top_n": 100, "id": "😀" * 256})
    assert len(client.classify({"postings": [X] * 1000, "top_n": 1})) == 1000


def test_limits_of_the_configuration(bundle):
    sets = ("limits.body=2000", "limits.postings=2", "limits.title_chars=5", "limits.text_chars=6", "limits.top_n=3", "model.top_n=2")
    with Server(bundle, *sets) as server, server.client() as client:
        assert len(client.classify({"title": "nurse"})[0]["matches"]) == 2
        client.refused({"title": "nurses"}, 422, "text_too_long", "/title")
        client.refused({"body": "1234567"}, 422, "text_too_long", "/body")
        client.refused({"title": "x", "top_n": 4}, 422, "invalid_member", "/top_n")
        client.refused({"postings": [X] * 3}, 422, "too_many_postings", "/postings")
        expect_problem(client.get(CLASSIFY, title="x", top_n=4), 422, "invalid_member")

        body = json.dumps(X).encode()
        assert client.post(body + b" " * (2000 - len(body))).status == 200
        problem = client.refused(body + b" " * (2001 - len(body)), 413, "body_too_large")
        assert "2000" in problem["detail"]
        assert client.post(X).status == 200  # the rest of the body was read, and the connection goes on

        assert client.request("POST", CLASSIFY, iter([body, b" " * (2000 - len(body))]), chunked=True).status == 200
        chunked = client.request("POST", CLASSIFY, iter([body] + [b" " * 100] * 20), chunked=True)
        expect_problem(chunked, 413, "body_too_large")
        assert client.post(X).status == 200


def test_much_too_large(server):
    """Not read: the answer comes at once, and the connection ends."""
    with server.raw() as raw:
        raw.send(b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")
        answer = raw.read()
        expect_problem(answer, 413, "body_too_large")
        assert raw.read() is None


def test_endless_chunks_are_cut_off(bundle):
    with Server(bundle, "limits.body=1000", "limits.postings=1") as server:
        with server.raw() as raw:
            raw.send(b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            deadline = time.monotonic() + TIMEOUT_S
            with pytest.raises(OSError):
                while time.monotonic() < deadline:
                    raw.send(b"100\r\n" + b" " * 256 + b"\r\n")
                    time.sleep(0.001)
        with server.client() as client:
            assert client.post(X).status == 200


def test_expect_continue(server):
    head = b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 13\r\nExpect: 100-continue\r\n\r\n"
    with server.raw() as raw:
        raw.send(head % b"application/json")
        assert raw.file.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert raw.file.readline() == b"\r\n"
        raw.send(b'{"title":"x"}')
        assert raw.read().status == 200
    with server.raw() as raw:
        raw.send(head % b"text/plain")
        expect_problem(raw.read(), 415, "unsupported_media_type")


def test_bodies_where_none_belongs(client):
    for path in ("/livez", "/v1/categories", f"{CLASSIFY}?title=x"):
        answer = client.request("GET", path, b"x" * 5000)
        assert answer.status == 200
    assert client.request("DELETE", "/livez", b"x" * 5000).status == 405
    assert client.post(X).status == 200
