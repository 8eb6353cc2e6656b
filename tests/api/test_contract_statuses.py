"""Every status that openapi.yaml documents is provoked, of every operation and with every code it names; each answer, its
headers and its body, is held against the document. The last test says what was not driven."""
import functools
import json
import pathlib
import re
import resource
import time

import pytest

from harness import (CLASSIFY, JSON, SANITIZED, SPEC, Client, Raw, Server, answered, attempt, check_against_spec,
                     documented_words, expect_problem, long_title, resolve, wait_until, while_busy)
from test_policy_auth import ALPHA, bearer, line

RELOAD = "/admin/reload"
ADMIN = ("admin.address=127.0.0.1", "admin.port=0")
TITLE = {"title": "nurse"}
OPERATIONS = [(method.upper(), path, operation) for path, item in SPEC["paths"].items() for method, operation in item.items()]
CLASSIFIERS = [(method, path) for method, path, _ in OPERATIONS if path == CLASSIFY]


def port_of(server, path):
    return server.admin_port if path.startswith("/admin/") else server.port


def target_of(method, path):
    """With what the operation needs."""
    return f"{path}?title=nurse" if (method, path) == ("GET", CLASSIFY) else path


def body_of(method, path):
    return json.dumps(TITLE).encode() if (method, path) == ("POST", CLASSIFY) else None


def ask(server, method, path, headers=None):
    with Client(port_of(server, path)) as client:
        return client.request(method, target_of(method, path), body_of(method, path), headers)


def head_of(method, path, *fields):
    body = [f"Content-Type: {JSON}"] if method == "POST" else []
    return "\r\n".join([f"{method} {target_of(method, path)} HTTP/1.1", "Host: x", *body, *fields, "", ""]).encode()


def ask_raw(server, method, path, data):
    """Sends it, and checks the answer."""
    with Raw(port_of(server, path)) as raw:
        raw.send(data)
        answer = raw.read(method)
    check_against_spec(method, path, answer)
    return answer


@functools.cache
def long_request():
    """Work for a while."""
    body = json.dumps({"postings": [{"title": long_title(i)} for i in range(1000)], "top_n": 1}).encode()
    return head_of("POST", CLASSIFY, f"Content-Length: {len(body)}") + body


def each(method_filter=lambda method, path, operation: True):
    chosen = [(method, path) for method, path, operation in OPERATIONS if method_filter(method, path, operation)]
    return pytest.mark.parametrize("method, path", chosen)


@pytest.fixture(scope="module")
def plain(bundle):
    with Server(bundle, *ADMIN, "cors.origins=https://app.example") as running:
        yield running


# ---- of every operation ----


@each()
def test_good(plain, method, path):
    for headers in ({}, {"Origin": "https://app.example", "X-Request-Id": "mine", "traceparent": "00-1-2-3"}):
        assert ask(plain, method, path, headers).status == 200


@each(lambda method, path, operation: "304" in operation["responses"])
def test_not_modified(plain, method, path):
    assert ask(plain, method, path, {"If-None-Match": "*"}).status == 304


@each()
def test_ambiguous(plain, method, path):
    expect_problem(ask_raw(plain, method, path, head_of(method, path, "Host: y")), 400, "ambiguous_request")


@each()
def test_not_acceptable(plain, method, path):
    expect_problem(ask(plain, method, path, {"Accept": "image/png"}), 406, "not_acceptable")


@each()
def test_too_long_an_address_or_head(plain, method, path):
    long = "x" * 40000
    for status, head in ((414, head_of(method, f"{path}?{long}")), (431, head_of(method, path, f"X: {long}"))):
        assert ask_raw(plain, method, path, head).status == status


def test_other_paths_and_methods(plain):
    """No operations of the document; it says of them what they have in common."""
    with plain.client() as client, plain.admin() as admin:
        expect_problem(client.get("/nothing"), 404, "not_found")
        for path, item in SPEC["paths"].items():
            asked = admin if path.startswith("/admin/") else client
            expect_problem(asked.request("DELETE", path), 405, "method_not_allowed")
            assert asked.request("OPTIONS", path).status == 204
            preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
            assert "access-control-max-age" in asked.request("OPTIONS", path, headers=preflight).headers
            if "get" in item:
                assert asked.request("HEAD", target_of("GET", path)).status == 200


@pytest.fixture(scope="module")
def impatient(bundle):
    with Server(bundle, *ADMIN, "http.body_timeout=200ms") as running:
        yield running


@each()
def test_request_timeout(impatient, method, path):
    answer = ask_raw(impatient, method, path, head_of(method, path, "Content-Length: 9") + b"half")
    expect_problem(answer, 408, "request_timeout")


def test_hundreds_of_parameters(bundle):
    """More than the HTTP layer has room for: it reads no further."""
    with Server(bundle, "http.header_timeout=300ms") as server:
        answer = ask_raw(server, "GET", "/livez", head_of("GET", "/livez?" + "a&" * 1000))
        expect_problem(answer, 408, "request_timeout")


@pytest.fixture(scope="module")
def crowded(bundle):
    """Behind a proxy, with a client that has all the requests under way that it may have."""
    with Server(bundle, *ADMIN, "http.trusted_proxies=127.0.0.1", "http.connections_per_address=1") as running:
        with running.raw() as held, running.client() as client:
            held.send(head_of("POST", CLASSIFY, "X-Forwarded-For: 192.0.2.1", "Content-Length: 9"))
            client.wait_in_flight(1)
            yield running


@each()
def test_too_many_connections(crowded, method, path):
    answer = ask(crowded, method, path, {"X-Forwarded-For": "192.0.2.1"})
    expect_problem(answer, 503, "too_many_connections")


@pytest.fixture(scope="module")
def guarded(bundle, tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(line("alpha", ALPHA), encoding="utf-8")
    with Server(bundle, *ADMIN, f"auth.keys_file={keys}", "auth.rate=1", "auth.burst=1") as running:
        yield running


@each()
def test_too_large_a_body(plain, method, path):
    """Also where nobody would read it."""
    answer = ask_raw(plain, method, path, head_of(method, path, "Content-Length: 99999999999"))
    expect_problem(answer, 413, "body_too_large")


@each(lambda method, path, operation: operation["security"])
def test_unauthorized(guarded, method, path):
    for headers in ({}, bearer("wrong-key"), {"X-API-Key": "wrong-key"}):
        expect_problem(ask(guarded, method, path, headers), 401, "unauthorized")


@each(lambda method, path, operation: path == CLASSIFY)
def test_rate_limited(guarded, method, path):
    with guarded.client() as client:  # at the first time let in, and then in debt for a quarter of an hour
        client.post({"postings": [TITLE] * 1000}, {"X-API-Key": ALPHA})
    expect_problem(ask(guarded, method, path, {"X-API-Key": ALPHA}), 429, "rate_limited")


def test_not_on_this_listener(bundle):
    with Server(bundle, *ADMIN, "admin.metrics_only=true") as server, server.client() as client:
        for method, path in (("POST", RELOAD), ("GET", "/metrics")):
            expect_problem(client.request(method, path), 404, "not_found")


# ---- of requests that are wrong ----


def test_request_examples(plain):
    """As documented, each is answered like the example of its name."""
    media = SPEC["paths"][CLASSIFY]["post"]["requestBody"]["content"][JSON]
    answers = SPEC["paths"][CLASSIFY]["post"]["responses"]["200"]["content"][JSON]["examples"]
    assert set(media["examples"]) == set(answers)
    with plain.client() as client:
        for name, example in media["examples"].items():
            results = client.classify(example["value"])
            assert [set(result) for result in results] == [set(result) for result in answers[name]["value"]["results"]]


@pytest.mark.parametrize("document, status, code", [
    (b"{", 400, "malformed_json"),
    ({**TITLE, "top_n": 0}, 422, "invalid_member"),
    ({**TITLE, "name": 1}, 422, "unknown_member"),
    ({"postings": [TITLE] * 1001}, 422, "too_many_postings"),
    ({"title": "x" * 1001}, 422, "text_too_long"),
    ({"title": "-"}, 422, "empty_text"),
    (b" " * (8 << 20) + b" ", 413, "body_too_large"),
])
def test_wrong_bodies(plain, document, status, code):
    with plain.client() as client:
        answer = client.post(document)
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_wrong_media_type(plain):
    with plain.client() as client:
        expect_problem(client.post(TITLE, {"Content-Type": "text/plain"}), 415, "unsupported_media_type")


@pytest.mark.parametrize("target, code", [
    (f"{CLASSIFY}?title=nurse&top_n=0", "invalid_member"),
    (f"{CLASSIFY}?title=nurse&title=cook", "invalid_member"),
    (CLASSIFY, "invalid_member"),
    (f"{CLASSIFY}?title=nurse&x=1", "unknown_member"),
    (f"{CLASSIFY}?title={'x' * 1001}", "text_too_long"),
    (f"{CLASSIFY}?title=-", "empty_text"),
    ("/v1/categories?limit=2001", "invalid_member"),
    ("/v1/categories?limit=1&limit=2", "invalid_member"),
    ("/v1/categories?offset=-1", "invalid_member"),
    ("/v1/categories?page=2", "unknown_member"),
])
def test_wrong_parameters(plain, target, code):
    with plain.client() as client:
        answer = client.get(target)
    assert (answer.status, answer.json()["code"]) == (422, code)


# ---- of the server's own state ----


def test_starting_and_shutting_down(slow_bundle):
    def act():
        with Server(slow_bundle, *ADMIN, wait_for="listening") as server, Raw(server.admin_port) as raw:
            answers = [ask(server, method, path) for method, path, _ in OPERATIONS
                       if path in ("/startupz", "/readyz", "/healthz", "/v1/model", "/v1/categories", CLASSIFY)]
            wait_until(lambda: server.has_open("filler.bin") or ask(server, "GET", "/startupz").status == 200)
            raw.send(head_of("POST", RELOAD, "Content-Length: 0"))  # behind the first load, which has begun
            with server.client() as client:
                client.wait_for_metrics(lambda metrics: metrics["jobcode_http_requests_in_flight"] == 2 or raw.is_answered())
            server.terminate()
            answer = raw.read()
            check_against_spec("POST", RELOAD, answer)
            return {answer.status for answer in answers} == {503} and answer.status == 503 and answer
    answer = attempt(act)
    expect_problem(answer, 503, "shutting_down")


def test_draining(bundle):
    with Server(bundle, "shutdown.grace=10m") as server:
        server.terminate()
        server.wait_for_event("draining")
        for path in ("/readyz", "/healthz"):
            assert ask(server, "GET", path).json() == {"status": "draining"}
        server.terminate()
        assert server.wait()[0] == 0


def test_shutting_down(bundle):
    """What waits when the time is up, and what arrives whole only then."""
    sets = ("workers.count=1", "workers.batch_titles=1", "workers.queue_titles=100000", "workers.queue_tokens=100000000",
            "cache.size=0", "shutdown.timeout=0")
    request = long_request()

    def act():
        with Server(bundle, *sets) as server, server.client() as client, server.raw() as half:
            half.send(head_of("GET", CLASSIFY, "Content-Length: 2") + b"x")
            busy = [server.raw() for _ in range(12)]
            for raw in busy:
                raw.send(request)
            client.wait_for_metrics(lambda metrics: metrics["jobcode_queue_titles"] > 4000 or busy[-1].is_answered())
            server.terminate()
            answers = {"POST": None, "GET": None}
            try:  # there is a second for both
                answers["POST"] = busy[-1].read()
                half.send(b"x")
                answers["GET"] = half.read()
            except ConnectionError:
                pass
            for raw in busy:
                raw.__exit__()
            server.wait()
        if not all(answer and answer.status != 200 for answer in answers.values()):
            return False
        for method, answer in answers.items():
            expect_problem(answer, 503, "shutting_down")
            check_against_spec(method, CLASSIFY, answer)
        return True
    attempt(act)


def unless_good(answer):
    return answer if answer.status != 200 else None


@pytest.mark.parametrize("method, path", CLASSIFIERS)
def test_overloaded(bundle, method, path):
    with Server(bundle, "workers.count=1", "workers.queue_tokens=512", "cache.size=0") as server, server.client() as client:
        def refused():
            return client.metrics()["jobcode_queue_tokens"] > 512 and unless_good(ask(server, method, path))
        answer = while_busy(server, long_request(), refused)  # alone it may be over the bound
        expect_problem(answer, 503, "overloaded")


@pytest.mark.parametrize("method, path", CLASSIFIERS)
def test_deadline_exceeded(plain, method, path):
    body = body_of(method, path) or b" "
    head = head_of(method, path, "X-Request-Timeout-Ms: 1", f"Content-Length: {len(body)}")
    with plain.client() as client, plain.raw() as raw:
        client.wait_in_flight(0)
        raw.send(head)
        client.wait_in_flight(1)
        time.sleep(0.02)  # the time that it has is over
        raw.send(body)
        answer = raw.read()
    check_against_spec(method, path, answer)
    expect_problem(answer, 504, "deadline_exceeded")


def failure_while_busy(bundle, path, *sets):
    """The first answer that is not 200 while a worker takes hundreds of long titles at once."""
    sets = ("workers.count=1", "workers.batch_titles=4096", "workers.batch_tokens=65536", "cache.size=0", *sets)
    with Server(bundle, *sets) as server, server.client() as client:
        return while_busy(server, long_request(), lambda: unless_good(client.get(path)))


def test_stuck(bundle):
    assert failure_while_busy(bundle, "/livez", "health.stuck_after=1ms").json() == {"status": "stuck"}


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_failing(bundle, path):
    answer = failure_while_busy(bundle, path, "health.canary_interval=10ms", "health.canary_timeout=10ms")
    assert answer.json() == {"status": "failing"}


def test_reload_refused(bundle, tmp_path):
    link = tmp_path / "current"
    link.symlink_to(bundle)
    with Server(link, *ADMIN) as server:
        link.unlink()
        expect_problem(ask(server, "POST", RELOAD), 409, "reload_refused")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's allocator ends the process where there is no memory")
def test_out_of_memory(bundle, monkeypatch):
    """None for the matches asked for, and none kept back from before; the process goes on."""
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "16384")
    monkeypatch.setenv("MALLOC_TOP_PAD_", "0")
    with Server(bundle, "limits.top_n=10000") as server:
        with server.client() as client:
            client.classify(TITLE)
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
            now = int(re.search(r"VmData:\s+(\d+) kB", status).group(1)) << 10
            hard = resource.prlimit(server.process.pid, resource.RLIMIT_DATA)[1]
            resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (now, hard))
            answers = [client.post({**TITLE, "top_n": 10000}), client.get(CLASSIFY, title="nurse", top_n=10000)]
            resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (hard, hard))
            for answer in answers:
                expect_problem(answer, 503, "out_of_memory")
            assert len(client.classify(TITLE)) == 1


# ---- the end ----


def test_all_that_is_documented_was_driven():
    """Run the whole file: this is about the tests above."""
    documented = set()
    for method, path, operation in OPERATIONS:
        for status, response in operation["responses"].items():
            words = set(documented_words(resolve(response))) or {None}
            documented |= {(method, path, int(status), word) for word in words}
    # No request makes the encoder fail; the unit tests of the workers do.
    documented = {entry for entry in documented if entry[2] != 500}
    if SANITIZED:
        documented = {entry for entry in documented if entry[3] != "out_of_memory"}
    assert len(documented) > 100
    assert documented - answered == set()
