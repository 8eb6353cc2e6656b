"""API keys: who is let in, rotation while the server runs, files that are wrong, and the rate of a key."""
import hashlib
import os
import signal
import subprocess

import pytest

from harness import CLASSIFY, SERVER, SPEC, TIMEOUT_S, Server, error_line, expect_problem, run, wait_until

ALPHA, BETA, GAMMA = "alpha-key-0123456789", "beta-key-0123456789", "gamma-key-0123456789"


def line(name, key):
    return f"{name}:{hashlib.sha256(key.encode()).hexdigest()}\n"


def replace(path, text):
    """As tools do it: a new file under the old name."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys"
    path.write_text("# ours\n" + line("alpha", ALPHA) + line("beta", BETA), encoding="utf-8")
    return path


@pytest.fixture
def guarded(bundle, keys):
    with Server(bundle, f"auth.keys_file={keys}", "log.requests=true", "cors.origins=https://app.example",
                "admin.address=127.0.0.1", "admin.port=0") as running:
        yield running


def status_of(client, key):
    return client.request("GET", "/v1/model", headers=bearer(key)).status


def test_who_is_let_in(guarded):
    with guarded.client() as client:
        for headers in (bearer(ALPHA), bearer(BETA), {"X-API-Key": ALPHA}, {"Authorization": f"bEARER   {ALPHA}"},
                        {"Authorization": "Basic YTpi", "X-API-Key": BETA}):
            assert client.post({"title": "nurse"}, headers).status == 200
        for headers in ({}, {"Authorization": ALPHA}, {"Authorization": "Basic YTpi"}):
            answer = client.post({"title": "nurse"}, headers)
            expect_problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == 'Bearer realm="jobcode"'
        for headers in (bearer("wrong-key"), bearer(ALPHA + "x"), bearer(ALPHA[:-1]), bearer(""), {"X-API-Key": ""},
                        {"Authorization": "Bearer wrong", "X-API-Key": ALPHA}):
            answer = client.post({"title": "nurse"}, headers)
            expect_problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == 'Bearer realm="jobcode", error="invalid_token"'
        assert ALPHA not in client.post({"title": "nurse"}, {"X-API-Key": ALPHA + "?"}).body.decode()


def test_which_routes_want_a_key(guarded):
    with guarded.client() as client, guarded.admin() as admin:
        for path, item in SPEC["paths"].items():
            for method, operation in item.items():
                asked = admin if path.startswith("/admin/") else client
                status = asked.request(method.upper(), path, b"{}" if method == "post" else None).status
                assert (status == 401) == (operation["security"] != []), f"{method} {path}"
        for path in ("/livez", "/startupz", "/readyz", "/healthz"):
            assert client.get(path).status == 200
        # What there is not is no secret, and a preflight cannot carry a key.
        assert client.get("/nothing").status == 404
        assert client.request("PUT", "/livez").status == 405
        answer = client.request("OPTIONS", CLASSIFY, headers={"Origin": "https://app.example",
                                                              "Access-Control-Request-Method": "POST"})
        assert answer.status == 204 and "Authorization" in answer.headers["access-control-allow-headers"]
        # The refusal itself can be read by the page.
        answer = client.request("GET", "/v1/model", headers={"Origin": "https://app.example"})
        assert answer.status == 401 and answer.headers["access-control-allow-origin"] == "https://app.example"


def test_a_refused_body_keeps_the_connection(guarded):
    with guarded.raw() as raw:
        body = b'{"title":"nurse"}'
        head = f"POST {CLASSIFY} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        raw.send(head.encode() + b"\r\n" + body + head.encode() + b"X-API-Key: " + ALPHA.encode() + b"\r\n\r\n" + body)
        assert raw.read().status == 401
        assert raw.read().status == 200


def test_rotation(guarded, keys):
    with guarded.client() as client:
        assert status_of(client, ALPHA) == 200 and status_of(client, GAMMA) == 401
        replace(keys, line("alpha", ALPHA) + line("alpha", GAMMA))
        wait_until(lambda: status_of(client, GAMMA) == 200)
        assert status_of(client, ALPHA) == 200 and status_of(client, BETA) == 401
        replace(keys, line("alpha", GAMMA))
        wait_until(lambda: status_of(client, ALPHA) == 401)
        assert status_of(client, GAMMA) == 200
    assert [event["event"] for event in guarded.stop()].count("keys_reloaded") == 2


def test_sighup_reads_the_keys_at_once(guarded, keys):
    """Not only when a key comes in: nobody asks anything here."""
    replace(keys, f"oops:{BETA}\n")
    guarded.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "keys_reload_failed" in guarded.log_text())
    assert [event["event"] for event in guarded.stop()].count("keys_reload_failed") == 1


def test_a_bad_file_keeps_the_keys(guarded, keys):
    def failures():
        return guarded.log_text().count("keys_reload_failed")

    with guarded.client() as client:
        replace(keys, line("gamma", GAMMA) + f"oops:{BETA}\n")
        wait_until(lambda: status_of(client, ALPHA) == 200 and failures() == 1)
        assert status_of(client, ALPHA) == 200 and status_of(client, BETA) == 200 and status_of(client, GAMMA) == 401
        keys.unlink()
        wait_until(lambda: status_of(client, ALPHA) == 200 and failures() == 2)
        replace(keys, line("gamma", GAMMA))
        wait_until(lambda: status_of(client, GAMMA) == 200)
        assert status_of(client, ALPHA) == 401
        page = client.request("GET", "/metrics", headers=bearer(GAMMA)).body.decode()
    assert "\njobcode_keys_reload_failures_total 2\n" in page and "\njobcode_keys_reloads_total 1\n" in page
    events = guarded.stop()
    failed = [event for event in events if event["event"] == "keys_reload_failed"]
    assert "line 2" in failed[0]["detail"] and str(keys) in failed[0]["detail"]
    assert BETA not in guarded.log_text()


def test_names_are_counted_and_logged_and_keys_are_not(guarded):
    with guarded.client() as client:
        for _ in range(3):
            client.post({"postings": [{"title": "nurse"}, {"title": "cook"}]}, bearer(ALPHA))
        client.post({"title": "nurse"}, bearer("nobodys-key"))
        page = client.request("GET", "/metrics", headers=bearer(BETA)).body.decode()
    for sample in ('jobcode_key_requests_total{key="alpha"} 3', 'jobcode_key_titles_total{key="alpha"} 6',
                   'jobcode_key_requests_total{key="beta"} 1', 'jobcode_key_rate_limited_total{key="alpha"} 0',
                   'jobcode_requests_refused_total{reason="unauthorized"} 1'):
        assert f"\n{sample}\n" in page
    requests = [event for event in guarded.stop() if event["event"] == "request"]
    assert [event.get("key") for event in requests] == ["alpha"] * 3 + [None, "beta"]
    assert requests[3]["problem"] == "unauthorized"
    for secret in (ALPHA, BETA, "nobodys-key", hashlib.sha256(ALPHA.encode()).hexdigest()):
        assert secret not in guarded.log_text()


def test_rate(bundle, keys):
    with Server(bundle, f"auth.keys_file={keys}", "auth.rate=1", "auth.burst=1") as server, server.client() as client:
        # A bucket of one lets a request of a thousand in, and is then in debt for a quarter of an hour.
        many = {"postings": [{"title": "nurse"}] * 1000}
        assert client.post(many, bearer(ALPHA)).status == 200
        for document in ({"title": "nurse"}, many, {"title": ""}):
            answer = client.post(document, bearer(ALPHA))
            expect_problem(answer, 429, "rate_limited")
            assert 900 <= int(answer.headers["retry-after"]) <= 1000
        answer = client.request("GET", f"{CLASSIFY}?title=nurse", headers=bearer(ALPHA))
        expect_problem(answer, 429, "rate_limited")
        # What holds no titles costs none, a request that is wrong neither, and others have buckets of their own.
        assert client.request("GET", "/v1/model", headers=bearer(ALPHA)).status == 200
        assert client.post({"titel": "nurse"}, bearer(BETA)).status == 422
        assert client.post({"title": "nurse"}, bearer(BETA)).status == 200
        page = client.request("GET", "/metrics", headers=bearer(BETA)).body.decode()
        for sample in ('jobcode_requests_refused_total{reason="rate_limited"} 4', 'jobcode_key_rate_limited_total{key="alpha"} 4',
                       'jobcode_key_rate_limited_total{key="beta"} 0', 'jobcode_key_titles_total{key="alpha"} 1000',
                       "jobcode_tokenize_seconds_count 2"):  # what was refused was not worked on
            assert f"\n{sample}\n" in page


def test_rate_lets_in_again(bundle, keys):
    with Server(bundle, f"auth.keys_file={keys}", "auth.rate=1000", "auth.burst=1") as server, server.client() as client:
        assert client.post({"postings": [{"title": "nurse"}] * 300}, bearer(ALPHA)).status == 200
        wait_until(lambda: client.post({"title": "nurse"}, bearer(ALPHA)).status == 200)


def test_no_rate_by_default(guarded):
    with guarded.client() as client:
        for _ in range(5):
            assert client.post({"postings": [{"title": "nurse"}] * 1000}, bearer(ALPHA)).status == 200


def test_hash_key(tmp_path):
    made = subprocess.run([SERVER, "--hash-key", "alpha"], input=ALPHA + "\n", capture_output=True, text=True,
                          timeout=TIMEOUT_S)
    assert (made.returncode, made.stdout, made.stderr) == (0, line("alpha", ALPHA), "")
    short = subprocess.run([SERVER, "--hash-key", "alpha"], input="short\n", capture_output=True, text=True,
                           timeout=TIMEOUT_S)
    assert "at least 16" in error_line(short)["detail"] and short.stdout == ""


def test_start_and_check_refuse_a_bad_file(bundle, keys):
    keys.write_text(line("alpha", ALPHA) + "beta\n", encoding="utf-8")
    sets = [f"--set=model.folder={bundle}", "--set=http.port=0", f"--set=auth.keys_file={keys}"]
    for arguments in (sets, ["--check", *sets]):
        detail = error_line(run(*arguments))["detail"]
        assert str(keys) in detail and "line 2" in detail
