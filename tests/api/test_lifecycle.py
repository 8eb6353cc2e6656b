"""Start, readiness, SIGTERM: what was accepted is answered, and the exit status says so."""
import signal
import threading
import time

import pytest

from harness import SANITIZED, Server, expect_problem, long_title, post_bytes


def test_ready(client):
    assert client.get("/livez").json() == {"status": "live"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/healthz").json() == {"status": "ready"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly(bundle, number):
    with Server(bundle) as server:
        server.process.send_signal(number)
        status, events = server.wait()
        assert status == 0
        assert [event["event"] for event in events] == ["listening", "draining", "stopped"]
        assert events[-1]["unanswered"] == "no"


def test_more_signals_change_nothing(bundle):
    with Server(bundle, "shutdown.grace=500ms") as server:
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            server.process.send_signal(number)
            time.sleep(0.1)
        with server.client() as client:
            assert client.post({"title": "nurse"}).status == 200
        server.terminate()
        status, events = server.wait()
        assert status == 0 and [event["event"] for event in events] == ["listening", "draining", "stopped"]


def test_idle_connections_do_not_hold_it_up(bundle):
    with Server(bundle, "shutdown.timeout=60s") as server:
        connections = [server.raw() for _ in range(20)]
        connections[0].send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connections[0].read().status == 200
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 20
        for raw in connections:
            raw.__exit__()


def test_grace(bundle):
    """While the grace lasts, /readyz says 503 and everything else works; connections are asked to close."""
    with Server(bundle, "shutdown.grace=2s") as server:
        with server.client() as client:
            assert client.get("/readyz").status == 200
        server.terminate()
        deadline = time.monotonic() + 1.5
        while True:
            with server.client() as client:
                answer = client.get("/readyz")
            if answer.status == 503:
                break
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert answer.json() == {"status": "draining"}
        with server.client() as client:
            assert client.get("/healthz").status == 503
        with server.client() as client:
            assert client.get("/livez").status == 200
        with server.client() as client:
            answer = client.post({"id": 9, "title": "nurse"})
            assert answer.status == 200 and answer.json()["results"][0]["id"] == 9
            assert answer.headers["connection"] == "close"
        with server.client() as client:
            assert client.metrics()["jobcode_ready"] == 0


def test_accepted_requests_are_answered(bundle):
    """SIGTERM with eight requests of a thousand long titles each under way."""
    requests = [
        post_bytes({"postings": [{"id": f"{number}-{i}", "title": long_title(number * 1000 + i)} for i in range(1000)], "top_n": 1})
        for number in range(8)
    ]
    with Server(bundle, "workers.count=1", "workers.batch_titles=8", "shutdown.timeout=300s") as server:
        connections = [server.raw() for _ in requests]
        for raw, request in zip(connections, requests):
            raw.send(request)
        with server.client() as client:
            accepted = 0
            while accepted < len(requests):
                metrics = client.metrics()
                waiting = metrics["jobcode_http_requests_in_flight"] - 1
                accepted = waiting + metrics.get('jobcode_http_requests_total{route="POST /v1/classify",code="200"}', 0)
        assert waiting > 0, "all were answered before the signal"
        server.terminate()
        for number, raw in enumerate(connections):
            results = raw.read().json()["results"]
            assert [result["id"] for result in results] == [f"{number}-{i}" for i in range(1000)]
            raw.__exit__()
        assert server.stop()[-1]["unanswered"] == "no"


def test_shutdown_under_load(bundle):
    """Clients that go on asking: each answer is whole; after the grace the listener is gone; exit 0."""
    problems, counts = [], []
    stopping = threading.Event()

    def work(server):
        count = 0
        while True:
            try:
                with server.client() as client:
                    while client.classify({"id": count, "title": "nurse"})[0]["id"] == count:
                        count += 1
            except (OSError, EOFError) as problem:  # refused, or closed between two requests
                if not stopping.is_set():
                    problems.append(problem)
                break
            except Exception as problem:
                if "CannotSendRequest" not in repr(problem) and "RemoteDisconnected" not in repr(problem):
                    problems.append(problem)
                break
        counts.append(count)

    with Server(bundle, "shutdown.grace=500ms") as server:
        threads = [threading.Thread(target=work, args=(server,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        stopping.set()
        server.terminate()
        for thread in threads:
            thread.join()
        server.stop()
    assert not problems, problems[:3]
    assert min(counts) > 0


def test_timeout_ends_what_never_ends(bundle):
    """A client that has sent half a request does not keep the process alive."""
    with Server(bundle, "shutdown.timeout=300ms") as server, server.raw() as half:
        half.send(post_bytes({"title": "nurse"})[:-2])
        with server.client() as client:
            while client.metrics()["jobcode_http_requests_in_flight"] < 2:
                time.sleep(0.01)
        start = time.monotonic()
        server.terminate()
        status, events = server.wait()
        assert time.monotonic() - start < (20 if SANITIZED else 5)
        assert status == 1
        assert events[-1]["event"] == "stopped" and events[-1]["unanswered"] == "yes"


def test_restart_on_the_same_port(bundle):
    """Connections of the last run in TIME_WAIT do not stop the next."""
    with Server(bundle) as first:
        port = first.port
        with first.client() as client:
            client.post({"title": "nurse"})
            first.stop()
    with Server(bundle, f"http.port={port}") as second, second.client() as client:
        assert second.port == port
        assert client.post({"title": "nurse"}).status == 200


def test_overload(bundle):
    """A queue of four titles and one worker that takes one at a time: some get 503, with Retry-After, and no one else."""
    sets = ("workers.count=1", "workers.batch_titles=1", "workers.queue_titles=4", "limits.postings=4")
    with Server(bundle, *sets) as server:
        connections = [server.raw() for _ in range(16)]
        for number, raw in enumerate(connections):
            postings = [[{"title": long_title(number * 1000 + i * 4 + j)} for j in range(4)] for i in range(20)]
            raw.send(b"".join(post_bytes({"postings": some, "top_n": 1}) for some in postings))
        answers = []
        for raw in connections:
            answers += [raw.read() for _ in range(20)]
            raw.__exit__()
        refused = [answer for answer in answers if answer.status == 503]
        assert refused and len(refused) < len(answers)
        for answer in refused:
            expect_problem(answer, 503, "overloaded")
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert all(answer.status in (200, 503) for answer in answers)
        with server.client() as client:
            metrics = client.metrics()
            assert metrics["jobcode_requests_rejected_total"] == len(refused)
            assert metrics["jobcode_titles_total"] == 4 * (len(answers) - len(refused))
            assert client.post({"title": "nurse"}).status == 200
