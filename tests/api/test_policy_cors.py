"""CORS as a browser sees it, and the headers that every answer has."""
import http.client

import pytest

from harness import CLASSIFY, JSON, SPEC, TIMEOUT_S, Server, expect_problem, long_title, post_bytes

PAGE, OTHER = "https://app.example:8443", "https://evil.example"


@pytest.fixture(scope="module")
def open_server(bundle):
    with Server(bundle, f"cors.origins={PAGE},http://localhost:3000", "cors.max_age=90s") as running:
        yield running


@pytest.fixture
def page(open_server):
    with open_server.client() as connected:
        yield connected


def readable(answer, origin=PAGE):
    """A page of that origin may read the answer, and what it needs of the headers."""
    return (answer.headers.get("access-control-allow-origin") == origin
            and "Origin" in answer.headers["vary"].split(", ")
            and answer.headers["access-control-expose-headers"] == "X-Request-Id, Retry-After, Server-Timing"
            and "access-control-allow-credentials" not in answer.headers)


def unreadable(answer):
    return ("Origin" in answer.headers["vary"].split(", ")
            and not any(name.startswith("access-control-") for name in answer.headers))


def test_every_answer_is_readable(page):
    headers = {"Origin": PAGE}
    assert readable(page.request("GET", "/livez", headers=headers))
    assert readable(page.request("HEAD", "/livez", headers=headers))
    assert readable(page.request("POST", CLASSIFY, b'{"title":"nurse"}', headers))
    assert readable(page.request("GET", "/livez", headers={"Origin": "http://localhost:3000"}), "http://localhost:3000")
    for method, target, body, status in (("POST", CLASSIFY, b'{"title":""}', 422), ("POST", CLASSIFY, b"{", 400),
                                         ("GET", "/nothing", None, 404), ("DELETE", "/livez", None, 405)):
        answer = page.request(method, target, body, headers)
        assert answer.status == status and readable(answer)
    answer = page.request("POST", CLASSIFY, b"{}", {**headers, "Content-Type": "text/plain"})
    assert answer.status == 415 and readable(answer)
    answer = page.request("GET", "/livez", headers={**headers, "Accept": "text/html"})
    assert answer.status == 406 and readable(answer)


def test_a_refusal_for_load_is_readable(bundle):
    """One worker and a queue that one request fills: some of many at once find no room."""
    sets = (f"cors.origins={PAGE}", "workers.count=1", "workers.queue_titles=8", "limits.postings=8")
    with Server(bundle, *sets) as server:
        sockets = [server.raw() for _ in range(50)]
        for number, raw in enumerate(sockets):
            postings = [{"title": long_title(8 * number + i)} for i in range(8)]
            raw.send(post_bytes({"postings": postings}, f"Origin: {PAGE}\r\n"))
        answers = [raw.read() for raw in sockets]
        for raw in sockets:
            raw.socket.close()
    refused = [answer for answer in answers if answer.status == 503]
    assert refused and {answer.status for answer in answers} == {200, 503}
    assert all(readable(answer) and int(answer.headers["retry-after"]) >= 1 for answer in refused)


@pytest.mark.parametrize("origin", [None, OTHER, "null", "*", "https://app.example", "http://app.example:8443",
                                    "https://app.example:8443/", "https://APP.example:8443", f"{PAGE}, {OTHER}"])
def test_others_read_nothing(page, origin):
    headers = {"Origin": origin} if origin else {}
    for method, target, body in (("GET", "/livez", None), ("POST", CLASSIFY, b"{"), ("OPTIONS", CLASSIFY, None)):
        assert unreadable(page.request(method, target, body, headers))
    headers["Access-Control-Request-Method"] = "POST"
    answer = page.request("OPTIONS", CLASSIFY, headers=headers)
    assert answer.status == 204 and unreadable(answer)


def test_preflight(page):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization,content-type,x-request-id"}
    answer = page.request("OPTIONS", CLASSIFY, headers=asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    allowed = {name.lower() for name in answer.headers["access-control-allow-headers"].split(", ")}
    assert {"authorization", "content-type", "x-api-key", "x-request-id", "traceparent"} <= allowed
    assert answer.headers["access-control-max-age"] == "90"
    assert "access-control-expose-headers" not in answer.headers
    assert page.request("OPTIONS", "/livez", headers=asked).headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    answer = page.request("OPTIONS", "/nothing", headers=asked)
    assert answer.status == 404 and "access-control-allow-methods" not in answer.headers


def test_any_origin(bundle):
    with Server(bundle, "cors.origins=*") as server, server.client() as client:
        for origin in (PAGE, OTHER, "null"):
            assert readable(client.request("GET", "/livez", headers={"Origin": origin}), "*")
        assert unreadable(client.request("GET", "/livez"))


def test_off_by_default(client):
    """OPTIONS says what a path takes; nothing is said of origins."""
    for path, item in SPEC["paths"].items():
        if path.startswith("/admin/"):
            continue
        answer = client.request("OPTIONS", path, headers={"Origin": PAGE, "Access-Control-Request-Method": "GET"})
        assert answer.status == 204 and answer.headers["allow"].endswith(", OPTIONS")
        assert {method.upper() for method in item} <= set(answer.headers["allow"].split(", "))
        assert not any(name.startswith("access-control-") for name in answer.headers)
        assert "content-length" not in answer.headers
        assert answer.headers["vary"] == "Accept-Encoding"
    expect_problem(client.request("OPTIONS", "/nothing"), 404, "not_found")
    assert client.get("/livez").status == 200  # the connection is in step


def test_options_with_a_body(client):
    for _ in range(3):
        assert client.request("OPTIONS", CLASSIFY, b"x" * 1000, {"Content-Type": JSON}).status == 204
    assert client.classify({"title": "nurse"})


def test_security_headers(page):
    for method, target in (("GET", "/livez"), ("GET", "/nothing"), ("OPTIONS", CLASSIFY), ("OPTIONS", "/")):
        headers = page.request(method, target).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "strict-transport-security" not in headers


def test_no_header_comes_twice(open_server):
    connection = http.client.HTTPConnection("127.0.0.1", open_server.port, timeout=TIMEOUT_S)
    for method, target in (("GET", "/livez"), ("DELETE", "/livez"), ("OPTIONS", CLASSIFY)):
        connection.request(method, target, headers={"Origin": PAGE, "Access-Control-Request-Method": "GET"})
        response = connection.getresponse()
        response.read()
        names = [name.lower() for name, _ in response.getheaders()]
        assert sorted(names) == sorted(set(names))
    connection.close()
