"""What tells one request from another and where its time went: ids, traces, Server-Timing, the log line; and gzip."""
import gzip
import json
import os
import pathlib
import re
import time

import pytest

from harness import CLASSIFY, ROOT, Server

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
STAGES = ["parse", "tokenize", "queue", "encode", "score", "total"]


@pytest.fixture
def logged(bundle):
    with Server(bundle, "log.requests=true") as running:
        yield running


def request_lines(server):
    return [event for event in server.stop() if event["event"] == "request"]


def timing(answer):
    parts = (part.split(";dur=") for part in answer.headers["server-timing"].split(", "))
    return {name: float(ms) for name, ms in parts}


# ---- ids and traces ----


def test_ids(logged):
    kept = ["x", "0d0f5f5e-7a9f-4f5c-9c8e-2f0c8f6c1b2a", "Root=1-67891233-abc/+@:", "a" * 64]
    refused = ["", "a" * 65, "a b", 'a"b', "a\\b", "<script>", "a,b", "\xfc"]
    with logged.client() as client:
        for offered in kept:
            assert client.request("GET", "/livez", headers={"X-Request-Id": offered}).headers["x-request-id"] == offered
        problem = client.request("GET", "/nothing", headers={"X-Request-Id": "mine"})
        assert problem.json()["request_id"] == problem.headers["x-request-id"] == "mine"
        made = [client.request("GET", "/livez", headers={"X-Request-Id": offered}).headers["x-request-id"] for offered in refused]
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in made) and len(set(made)) == len(refused)
    assert [line["id"] for line in request_lines(logged)] == kept + ["mine"] + made


def test_traces(logged):
    valid = [f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00", f"cc-{TRACE}-{PARENT}-01-later"]
    invalid = [f"00-{TRACE.upper()}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01",
               f"ff-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-later", f"00-{TRACE}-{PARENT}", "", "x"]
    with logged.client() as client:
        for header in valid + invalid:
            answer = client.request("GET", "/livez", headers={"traceparent": header})
            assert answer.status == 200 and "traceparent" not in answer.headers
    with logged.raw() as raw:
        raw.send(f"GET /livez HTTP/1.1\r\nHost: x\r\nTraceparent: {valid[0]}\r\ntraceparent: {valid[0]}\r\n\r\n".encode())
        assert raw.read().status == 200
    lines = request_lines(logged)
    for line in lines[:len(valid)]:
        assert (line["trace_id"], line["parent_id"]) == (TRACE, PARENT)
        assert re.fullmatch("[0-9a-f]{16}", line["span_id"]) and line["span_id"] != PARENT
    assert len({line["span_id"] for line in lines[:len(valid)]}) == len(valid)
    assert len(lines) == len(valid) + len(invalid) + 1
    assert not any("trace_id" in line or "span_id" in line for line in lines[len(valid):])


# ---- Server-Timing ----


def test_server_timing(client):
    answer = client.post({"title": "Nurse of the Watch"})
    stages = timing(answer)
    assert list(stages) == [stage for stage in STAGES if stage in stages]
    assert {"parse", "tokenize", "queue", "encode", "total"} <= set(stages)
    # One title, so one batch: its stages come one after another within the whole (each cut off to microseconds).
    assert all(ms >= 0 for ms in stages.values())
    assert sum(ms for stage, ms in stages.items() if stage != "total") <= stages["total"] + 0.01
    assert list(timing(client.get("/livez"))) == ["total"]
    assert list(timing(client.post({"title": ""}))) == ["parse", "tokenize", "total"]
    assert list(timing(client.post("{"))) == ["parse", "total"]
    assert "parse" not in timing(client.get(CLASSIFY, title="nurse"))


def test_server_timing_can_be_left_out(bundle):
    with Server(bundle, "http.server_timing=false") as server, server.client() as client:
        assert "server-timing" not in client.post({"title": "nurse"}).headers


def test_stages_are_counted(bundle):
    with Server(bundle) as server, server.client() as client:
        for _ in range(3):
            client.classify({"title": "nurse"})
        client.post("{")
        client.get(CLASSIFY, title="nurse")
        client.get("/livez")
        samples = client.metrics()
    assert samples["jobcode_parse_seconds_count"] == 4
    assert samples["jobcode_tokenize_seconds_count"] == 4
    assert samples["jobcode_answer_seconds_count"] == 4


# ---- the log ----


def test_log_line(logged):
    with logged.client() as client:
        answer = client.post({"postings": [{"title": "Zanzibar Nurse"}, {"title": "Quagmire Cook"}]},
                             {"X-Request-Id": "one", "traceparent": f"00-{TRACE}-{PARENT}-01"})
        head = client.request("HEAD", "/livez")
        missing = client.get("/nothing")
    good, headed, bad = request_lines(logged)
    assert good.keys() - {"score_ms"} == {
        "time", "level", "event", "id", "trace_id", "parent_id", "span_id", "method", "path", "route", "status", "bytes",
        "titles", "client", "ms", "parse_ms", "tokenize_ms", "queue_ms", "encode_ms"}
    assert (good["id"], good["method"], good["route"], good["status"], good["titles"], good["client"]) == (
        "one", "POST", "POST /v1/classify", "200", "2", "127.0.0.1")
    assert int(good["bytes"]) == len(answer.body) and int(bad["bytes"]) == len(missing.body)
    assert headed["bytes"] == "0" and headed["route"] == "GET /livez" and head.body == b""
    assert (bad["status"], bad["problem"], bad["route"]) == ("404", "not_found", "none")
    stages = timing(answer)
    assert all(float(good[f"{stage}_ms"]) == ms for stage, ms in stages.items() if stage != "total")
    assert float(good["ms"]) == stages["total"]
    for title in ("Zanzibar", "Quagmire"):
        assert title not in logged.log_text()


def test_titles_are_logged_where_asked_for(bundle):
    with Server(bundle, "log.requests=true", "log.titles=true") as server, server.client() as client:
        client.classify({"postings": [{"title": 'Zanzibar "Nurse"'}, {"body": "no title"}, {"title": "Quagmire\nCook"}]})
        client.get(CLASSIFY, title="Lawyer")
        client.classify({"postings": [{"title": f"{number:04d} " + "x" * 500} for number in range(100)]})
        client.post({"title": 7})
    lines = request_lines(server)
    assert lines[0]["texts"] == 'Zanzibar "Nurse"\n\nQuagmire\nCook'
    assert lines[1]["texts"] == "Lawyer"
    assert lines[2]["texts"].startswith("0000 xxx") and 3000 < len(lines[2]["texts"]) <= 4200
    assert lines[2]["titles"] == "100" and "texts" not in lines[3]


def test_titles_need_the_request_log(bundle):
    with Server(bundle, "log.titles=true") as server, server.client() as client:
        client.classify({"title": "Zanzibar Nurse"})
        server.stop()
        assert "Zanzibar" not in server.log_text()


def test_sample(bundle):
    ids = [f"request-{number}" for number in range(400)]
    seen = []
    for _ in range(2):
        with Server(bundle, "log.requests=true", "log.sample=0.25") as server, server.client() as client:
            for name in ids:
                client.request("GET", "/livez", headers={"X-Request-Id": name})
            for _ in range(20):
                client.get("/nothing")
            lines = request_lines(server)
        assert sum(line["status"] == "404" for line in lines) == 20
        seen.append([line["id"] for line in lines if line["status"] == "200"])
    # The same ids always, and about a quarter of them.
    assert seen[0] == seen[1] and 60 < len(seen[0]) < 140


def test_sample_of_none_is_errors_only(bundle):
    with Server(bundle, "log.requests=true", "log.sample=0") as server, server.client() as client:
        for _ in range(50):
            client.get("/livez")
        client.post("{")
        assert [line["status"] for line in request_lines(server)] == ["400"]


# ---- gzip ----


def unzipped(answer):
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(answer.body)
    return gzip.decompress(answer.body)


def raw_get(server, target, encoding):
    with server.raw() as raw:
        header = f"Accept-Encoding: {encoding}\r\n" if encoding is not None else ""
        raw.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
        return raw.read()


def test_gzip_round_trip(server):
    plain = raw_get(server, "/v1/categories", None)
    assert "content-encoding" not in plain.headers and plain.headers["vary"] == "Accept-Encoding"
    zipped = raw_get(server, "/openapi.yaml", "gzip")
    assert unzipped(zipped) == (ROOT / "openapi.yaml").read_bytes()
    assert zipped.headers["vary"] == "Accept-Encoding"
    assert len(zipped.body) < (ROOT / "openapi.yaml").stat().st_size // 3
    for encoding, compressed in (("br;q=1, gzip;q=0.2", True), ("*", True), ("gzip;q=0", False), ("identity", False),
                                 ("gzip;q=0.1, identity;q=0.2", False), ("deflate, br", False), ("", False), ("gzip;q=x", False)):
        answer = raw_get(server, "/openapi.yaml", encoding)
        assert ("content-encoding" in answer.headers) == compressed, encoding


def test_gzip_of_a_classification(server):
    body = json.dumps({"postings": [{"title": f"nurse {number}"} for number in range(100)], "top_n": 2})
    head = f"POST {CLASSIFY} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with server.raw() as raw:
        raw.send((head + "\r\n" + body + head + "Accept-Encoding: gzip\r\n\r\n" + body).encode())
        plain, zipped = raw.read(), raw.read()
    assert unzipped(zipped) == plain.body and len(zipped.body) < len(plain.body) / 2


def test_small_answers_are_left_alone(server):
    assert "content-encoding" not in raw_get(server, "/livez", "gzip").headers
    assert "content-encoding" not in raw_get(server, CLASSIFY + "?title=nurse&top_n=1", "gzip").headers


def test_gzip_keys(bundle):
    with Server(bundle, "http.compress=false") as server:
        answer = raw_get(server, "/openapi.yaml", "gzip")
        assert "content-encoding" not in answer.headers and "vary" not in answer.headers
    with Server(bundle, "http.compress_min=1MiB") as server:
        assert "content-encoding" not in raw_get(server, "/openapi.yaml", "gzip").headers


def test_head_says_what_get_would(server):
    with server.raw() as raw:
        raw.send(b"HEAD /openapi.yaml HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
        headed = raw.read("HEAD")
    got = raw_get(server, "/openapi.yaml", "gzip")
    assert headed.headers["content-encoding"] == "gzip"
    assert headed.headers["content-length"] == got.headers["content-length"]


# ---- the process ----


def test_process_metrics(server):
    with server.client() as client:
        samples = client.wait_for_metrics(lambda metrics: metrics["jobcode_http_connections"] == 1)
        extra = [server.raw() for _ in range(10)]
        for raw in extra:
            raw.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            raw.read()
        more = client.metrics()
        for raw in extra:
            raw.__exit__()
    folder = pathlib.Path(f"/proc/{server.process.pid}")
    assert samples["process_threads"] == len(os.listdir(folder / "task"))
    assert more["process_open_fds"] >= samples["process_open_fds"] + 10
    soft = re.search(r"Max open files +(\d+)", (folder / "limits").read_text(encoding="ascii")).group(1)
    assert samples["process_max_fds"] == int(soft)
    assert 1 << 20 < samples["process_resident_memory_bytes"] <= samples["process_virtual_memory_bytes"]
    assert more["process_cpu_seconds_total"] >= samples["process_cpu_seconds_total"] >= 0
    ticks = int((folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    assert abs(time.time() - age - samples["process_start_time_seconds"]) < 60
