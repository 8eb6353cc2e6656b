"""Metrics that agree with the requests made, and a log that is JSON and never holds a title."""
import collections
import math
import re

import pytest

from harness import CLASSIFY, Server, post_bytes


@pytest.fixture
def fresh(bundle):
    with Server(bundle, "log.requests=true") as server:
        yield server


def test_counts_agree(fresh):
    with fresh.client() as client:
        before = client.metrics()
        for number in range(7):
            client.classify({"title": "nurse"})
        client.classify({"postings": [{"title": "cook"}] * 10 + [{"title": ""}] * 3})
        client.refused({"title": ""}, 422, "empty_text")
        client.refused(b"{", 400, "malformed_json")
        client.get(CLASSIFY, title="lawyer")
        client.get("/nothing")
        client.request("DELETE", "/livez")
        client.request("HEAD", "/livez")
        after = client.metrics()

    def change(series):
        return after.get(series, 0) - before.get(series, 0)

    requests = 'jobcode_http_requests_total{route="%s",code="%d"}'
    assert change(requests % ("POST /v1/classify", 200)) == 8
    assert change(requests % ("POST /v1/classify", 422)) == 1
    assert change(requests % ("POST /v1/classify", 400)) == 1
    assert change(requests % ("GET /v1/classify", 200)) == 1
    assert change(requests % ("GET /livez", 200)) == 1
    assert change(requests % ("none", 404)) == 1
    assert change(requests % ("none", 405)) == 1
    assert change(requests % ("GET /metrics", 200)) == 1
    assert change('jobcode_http_request_duration_seconds_count{route="POST /v1/classify"}') == 10
    assert change("jobcode_titles_total") == 7 + 10 + 1
    # Each of the three titles was computed once, when it came first.
    assert change("jobcode_cache_misses_total") == change("jobcode_titles_encoded_total") == 3
    assert change("jobcode_cache_hits_total") == 6
    assert change("jobcode_cache_shared_total") == 9
    assert change("jobcode_empty_texts_total") == 3 + 1
    assert change("jobcode_queue_seconds_count") == 3
    assert change("jobcode_batch_titles_sum") == change("jobcode_batch_titles_count") == 3
    assert change("jobcode_batch_titles_count") == change("jobcode_encode_seconds_count")
    assert change('jobcode_requests_refused_total{reason="overloaded"}') == change("jobcode_batch_failures_total") == 0
    assert after["jobcode_ready"] == 1 and after["jobcode_workers"] == 2
    assert after["jobcode_cache_entries"] == 3 and after["jobcode_cache_bytes"] > 0
    assert change('jobcode_requests_refused_total{reason="deadline_exceeded"}') == change("jobcode_requests_cancelled_total") == 0
    assert after["jobcode_queue_titles"] == after["jobcode_queue_tokens"] == 0 and after["jobcode_http_requests_in_flight"] == 1


def test_page_is_prometheus_text(client):
    client.classify({"title": "nurse"})
    family, kinds, samples = None, {}, {}
    for line in client.get("/metrics").body.decode().splitlines():
        if match := re.fullmatch(r"# HELP (\w+) .+", line):
            family = match.group(1)
            assert family not in kinds, f"{family} comes twice"
            kinds[family] = None
        elif match := re.fullmatch(r"# TYPE (\w+) (counter|gauge|histogram)", line):
            assert match.group(1) == family
            kinds[family] = match.group(2)
        else:
            match = re.fullmatch(r'(\w+)(\{\w+="(?:[^"\\\n]|\\.)*"(?:,\w+="(?:[^"\\\n]|\\.)*")*\})? ([-+0-9.e]+|NaN)', line)
            assert match, line
            assert re.fullmatch(family + r"(_bucket|_sum|_count)?", match.group(1)), line
            assert match.group(1) + (match.group(2) or "") not in samples, line
            samples[match.group(1) + (match.group(2) or "")] = float(match.group(3))
    for name, kind in kinds.items():
        assert name.startswith(("jobcode_", "process_")) and kind
        assert name.endswith("_total") == (kind == "counter")
        if kind == "histogram":
            check_buckets(name, samples)
    assert any(series.startswith('jobcode_model_info{version="fake-direct-') for series in samples)


def check_buckets(name, samples):
    """Bounds grow, counts do not shrink, +Inf is the count."""
    series = {}
    for sample, value in samples.items():
        if match := re.fullmatch(name + r'_bucket\{(.*?),?le="([^"]+)"\}', sample):
            series.setdefault(match.group(1), []).append((float(match.group(2)), value))
    assert series, name
    for labels, buckets in series.items():
        assert buckets == sorted(buckets) and buckets[-1][0] == math.inf
        assert [count for _, count in buckets] == sorted(count for _, count in buckets)
        assert buckets[-1][1] == samples[name + "_count" + ("{%s}" % labels if labels else "")]


def test_log(fresh):
    with fresh.client() as client:
        answer = client.post({"title": "Zanzibar Nurse", "id": "Quagmire"})
        refused = client.get(CLASSIFY, title="Zanzibar", nope="Zanzibar")
        odd = client.connection
        odd.request("GET", '/%22%0a%ff"\\')
        odd.getresponse().read()
    events = fresh.stop()
    requests = [event for event in events if event["event"] == "request"]
    assert [(event["method"], event["status"]) for event in requests] == [("POST", "200"), ("GET", "422"), ("GET", "400")]
    assert requests[0]["id"] == answer.headers["x-request-id"]
    assert requests[0]["path"] == requests[1]["path"] == CLASSIFY
    assert requests[1]["id"] == refused.headers["x-request-id"]
    assert all(float(event["ms"]) >= 0 for event in requests)
    for secret in ("Zanzibar", "Quagmire", "nope"):
        assert secret not in fresh.log_text()


def test_debug_log_is_json_too(bundle):
    with Server(bundle, "log.level=debug") as server:
        with server.raw() as raw:
            raw.send(b"\xff\xfe\x00garbage\r\n\r\n")
            raw.read()
        raw = server.raw()
        raw.send(b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\nabc")
        raw.reset()
        with server.client() as client:
            assert client.get("/livez").status == 200


def test_what_is_answered_below_is_counted(server):
    """libmicrohttpd's own refusals: no route has seen them."""
    head = b"GET /livez%s HTTP/1.1\r\nHost: x\r\n%s\r\n"
    long = b"x" * 40000
    samples = {414: head % (b"?" + long, b""), 431: head % (b"", b"X: " + long + b"\r\n"),
               505: b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
               400: b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"}
    for status, sample in samples.items():
        with server.client() as client:
            before = requests_counted(client)
            with server.raw() as raw:
                raw.send(sample)
                assert raw.read().status == status
            client.wait_in_flight(0)
            before[f'route="none",code="{status}"'] += 1
            assert requests_counted(client) == before


def requests_counted(client):
    """By labels; those for /metrics, which this is one of, left out."""
    counts = {labels: count for series, count in client.metrics().items()
              for labels in re.findall(r"^jobcode_http_requests_total\{(.+)\}$", series) if "/metrics" not in labels}
    return collections.Counter(counts)


CUT_OFF = ("http.header_timeout=1s", "http.body_timeout=1s", "http.connections_per_address=2")


def test_log_of_what_is_cut_off(bundle):
    """A client may ask about a 408 or a 503 by its id; behind a proxy, by its own id and address."""
    with Server(bundle, "log.requests=true", *CUT_OFF) as server:
        with server.client() as client, server.raw() as raw:
            raw.send(b"GET /liv")
            client.wait_for_metrics(lambda metrics: metrics["jobcode_http_connections"] == 2)
            with server.raw() as one_more:
                refused = one_more.read()
            late = raw.read()
        events = server.stop()
    expect_line(events, late, "408", "request_timeout", "info", "127.0.0.1")
    expect_line(events, refused, "503", "too_many_connections", "warn", "127.0.0.1")
    with Server(bundle, "log.requests=true", "http.trusted_proxies=127.0.0.1", *CUT_OFF) as server:
        with server.raw() as raw:
            raw.send(post_bytes({"title": "nurse"}, "X-Forwarded-For: 192.0.2.1\r\nX-Request-Id: mine\r\n")[:-3])
            late = raw.read()
        assert late.headers["x-request-id"] == "mine"
        with server.client() as client:
            assert requests_counted(client)['route="none",code="408"'] == 1
        expect_line(server.stop(), late, "408", "request_timeout", "info", "192.0.2.1")


def expect_line(events, answer, status, problem, level, client):
    line, = (event for event in events if event["event"] == "request" and event["id"] == answer.headers["x-request-id"])
    assert str(answer.status) == line["status"] == status
    assert (line["problem"], line["level"], line["client"]) == (problem, level, client)


def test_quiet_by_default(bundle):
    with Server(bundle, "http.header_timeout=1s") as server:
        with server.client() as client:
            client.post({"title": "nurse"})
        with server.raw() as raw:
            raw.send(b"GET /liv")
            assert raw.read().status == 408
        assert [event["event"] for event in server.stop()] == ["listening", "ready", "draining", "stopped"]


def test_request_ids_differ(client):
    ids = {client.get("/livez").headers["x-request-id"] for _ in range(100)}
    assert len(ids) == 100


def test_devices_are_counted_and_none_is_made_up(client):
    """Without a GPU all is 0; the names are there, so that a dashboard made beforehand is not empty."""
    samples = client.metrics()
    for name in ("memory_bytes", "batches_total", "tokens_total", "batch_seconds_total", "graph_launches_total",
                 "fallbacks_total"):
        assert samples[f"jobcode_device_{name}"] >= 0
    if client.get("/v1/model").json()["encoder"]["device"] == "cpu":
        assert samples["jobcode_device_batches_total"] == 0
