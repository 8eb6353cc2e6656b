"""Start, readiness, SIGTERM: what was accepted is answered, and the exit status says so."""
import os
import signal
import threading

import pytest

from harness import SANITIZED, Server, attempt, expect_problem, long_title, post_bytes, quiet_port, wait_until


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
        assert [event["event"] for event in events] == ["listening", "ready", "draining", "stopped"]
        assert events[-1]["unanswered"] == "no"


def test_second_signal_ends_the_grace(bundle):
    with Server(bundle, "shutdown.grace=10m") as server:
        server.terminate()
        server.wait_for_event("draining")
        with server.client() as client:
            answer = client.post({"title": "nurse"})
            assert answer.status == 200 and answer.headers["connection"] == "close"
        server.process.send_signal(signal.SIGINT)
        status, events = server.wait()
        assert status == 0 and [event["event"] for event in events] == ["listening", "ready", "draining", "stopped"]


def second_signal(server):
    """The first and, when that was taken in, a second: two that are pending together would be one."""
    server.terminate()
    server.wait_for_event("draining")
    server.terminate()


def test_second_signal_does_not_wait_long(bundle):
    """A client that has sent half a request: it has a second, or two where the process is slow to see that one is over."""
    sets = ("shutdown.grace=10m", "shutdown.timeout=10m", "http.body_timeout=1h")
    with Server(bundle, *sets) as server, server.raw() as half:
        half.send(post_bytes({"title": "nurse"})[:-2])
        with server.client() as client:
            client.wait_in_flight(1)
        second_signal(server)
        status, events = server.wait()
        assert (status, events[-1]["unanswered"]) in ((1, "yes"), (0, "no"))


def wait_until_accepted(client, n_requests):
    """Until so many are under way or answered."""
    def are_accepted(metrics):
        answered = [series for series in metrics if series.startswith('jobcode_http_requests_total{route="POST /v1/cl')]
        return metrics["jobcode_http_requests_in_flight"] - 1 + sum(metrics[series] for series in answered) >= n_requests
    client.wait_for_metrics(are_accepted)


def test_time_is_up(bundle):
    """What is still waiting then is refused, each request with 503, and no connection is just cut."""
    n_requests, n_titles = (8, 300) if SANITIZED else (15, 1000)
    body = post_bytes({"postings": [{"title": long_title(i)} for i in range(n_titles)], "top_n": 1})
    sets = ("workers.count=1", "workers.batch_titles=1", "workers.queue_titles=100000", "shutdown.timeout=0")

    def act():
        with Server(bundle, *sets) as server:
            connections = [server.raw() for _ in range(n_requests)]
            for raw in connections:
                raw.send(body)
            with server.client() as client:
                wait_until_accepted(client, n_requests)
            server.terminate()
            try:
                answers = [raw.read() for raw in connections]
            except ConnectionError:
                answers = [None]
            for raw in connections:
                raw.__exit__()
            status, events = server.wait()
            if None in answers:  # what is refused has a second to leave
                return False
            refused = [answer for answer in answers if answer.status == 503]
            for answer in refused:
                expect_problem(answer, 503, "shutting_down")
                assert int(answer.headers["retry-after"]) >= 1 and answer.headers["connection"] == "close"
            assert (status, events[-1]["unanswered"]) == ((1, "yes") if refused else (0, "no"))
            return refused
    attempt(act)


def test_starting(slow_bundle):
    """Probes are answered while the first model loads, and what needs one is told to wait."""
    def act():
        with Server(slow_bundle, "admin.address=127.0.0.1", "admin.port=0", wait_for="listening") as server, \
                server.client() as client:
            return check_starting(server, client)
    attempt(act)


def check_starting(server, client):
    """False where the load was over too soon."""
    paths = ("/startupz", "/readyz", "/livez", "/v1/model", "/v1/categories")
    started, ready, live, *of_model = [client.get(path) for path in paths]
    refused = client.post({"title": "nurse"})
    metrics = client.metrics()
    if client.get("/startupz").status != 503:
        return False
    assert (started.status, ready.json(), live.json()) == (503, {"status": "starting"}, {"status": "live"})
    for answer in (refused, *of_model):
        expect_problem(answer, 503, "starting")
    assert int(refused.headers["retry-after"]) >= 1 and "connection" not in refused.headers
    assert metrics['jobcode_state{state="starting"}'] == 1 and metrics["jobcode_ready"] == 0
    assert not [series for series in metrics if series.startswith("jobcode_model_info")]

    wait_until(lambda: server.has_open("filler.bin") or client.get("/startupz").status == 200)
    with server.admin() as admin:  # waits for a load of its own behind the first, which has begun
        assert admin.request("POST", "/admin/reload").json()["changed"] is False
    wait_until(lambda: client.get("/startupz").status == 200)
    assert client.get("/startupz").json() == {"status": "started"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.post({"title": "nurse"}).status == 200
    metrics = client.metrics()
    assert metrics['jobcode_state{state="starting"}'] == 0 and metrics['jobcode_state{state="ready"}'] == 1
    return True


def test_signal_while_starting(slow_bundle):
    """No waiting for the load, no grace: nobody was told that it is ready."""
    with Server(slow_bundle, "shutdown.grace=10m", wait_for="listening") as server:
        server.terminate()
        status, events = server.wait()
        assert status == 0
        assert [event["event"] for event in events] == ["listening", "draining", "stopped"]


def test_canaries_keep_it_ready(bundle):
    """Through queue and workers, and through a full queue too, which is no failure."""
    sets = ("health.canary_interval=10ms", "health.canary_timeout=60s", "workers.count=1", "workers.batch_titles=1",
            "workers.queue_titles=40", "limits.postings=20")
    with Server(bundle, *sets) as server, server.client() as client:
        client.wait_for_metrics(lambda metrics: metrics["jobcode_titles_total"] >= 5)
        connections = [server.raw() for _ in range(8)]
        for number, raw in enumerate(connections):
            body = post_bytes({"postings": [{"title": long_title(number * 100 + i)} for i in range(20)], "top_n": 1})
            raw.send(body * 30)
        statuses = []
        for raw in connections:
            for _ in range(30):
                statuses.append(raw.read().status)
                if len(statuses) % 10 == 0:
                    assert client.get("/readyz").json() == {"status": "ready"}
            raw.__exit__()
        assert set(statuses) == {200, 503}
        assert client.metrics()["jobcode_canary_passes"] == 1
    assert not [event for event in server.log_events() if event["event"].startswith("canary")]


def test_idle_connections_do_not_hold_it_up(bundle):
    with Server(bundle, "shutdown.timeout=10m") as server:
        connections = [server.raw() for _ in range(20)]
        connections[0].send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connections[0].read().status == 200
        server.stop()
        for raw in connections:
            raw.__exit__()


def test_grace(bundle):
    """While the grace lasts, /readyz says 503 and everything else works; connections are asked to close."""
    with Server(bundle, "shutdown.grace=10m") as server:
        with server.client() as client:
            assert client.get("/readyz").status == 200
        server.terminate()
        server.wait_for_event("draining")
        with server.client() as client:
            assert client.get("/readyz").json() == {"status": "draining"}
        with server.client() as client:
            assert client.get("/healthz").status == 503
        with server.client() as client:
            answer = client.get("/livez")
            assert answer.status == 200 and answer.headers["connection"] == "close"
        with server.client() as client:
            assert client.get("/startupz").status == 200
        with server.client() as client:
            answer = client.post({"id": 9, "title": "nurse"})
            assert answer.status == 200 and answer.json()["results"][0]["id"] == 9
            assert answer.headers["connection"] == "close"
        with server.client() as client:
            assert client.metrics()["jobcode_ready"] == 0
        server.terminate()
        server.stop()


def test_accepted_requests_are_answered(bundle):
    """SIGTERM with eight requests of a thousand long titles each under way."""
    requests = [
        post_bytes({"postings": [{"id": f"{number}-{i}", "title": long_title(number * 1000 + i)} for i in range(1000)], "top_n": 1})
        for number in range(8)
    ]

    def act():
        with Server(bundle, "workers.count=1", "workers.batch_titles=8") as server:
            connections = [server.raw() for _ in requests]
            for raw, request in zip(connections, requests):
                raw.send(request)
            with server.client() as client:
                wait_until_accepted(client, len(requests))
            server.terminate()
            server.wait_for_event("draining")
            are_late = any(not raw.is_answered() for raw in connections)
            for number, raw in enumerate(connections):
                results = raw.read().json()["results"]
                assert [result["id"] for result in results] == [f"{number}-{i}" for i in range(1000)]
                raw.__exit__()
            assert server.stop()[-1]["unanswered"] == "no"
            return are_late
    attempt(act)


def test_shutdown_under_load(bundle):
    """Clients that go on asking: each answer is whole; after the grace the listener is gone; exit 0."""
    problems, counts = [], [0] * 8
    stopping = threading.Event()

    def work(server, number):
        while True:
            try:
                with server.client() as client:
                    while client.classify({"id": counts[number], "title": "nurse"})[0]["id"] == counts[number]:
                        counts[number] += 1
            except (OSError, EOFError) as problem:  # refused, or closed between two requests
                if not stopping.is_set():
                    problems.append(problem)
                break
            except Exception as problem:
                if "CannotSendRequest" not in repr(problem) and "RemoteDisconnected" not in repr(problem):
                    problems.append(problem)
                break

    with Server(bundle, "shutdown.grace=500ms") as server:
        threads = [threading.Thread(target=work, args=(server, number)) for number in range(len(counts))]
        for thread in threads:
            thread.start()
        wait_until(lambda: min(counts) > 10 or problems)
        stopping.set()
        server.terminate()
        for thread in threads:
            thread.join()
        server.stop()
    assert not problems, problems[:3]


def stop_with_connections_waiting(bundle):
    with Server(bundle) as server:
        server.process.send_signal(signal.SIGSTOP)
        connections = [server.raw() for _ in range(100)]
        for raw in connections:
            raw.send(post_bytes({"title": "nurse"}))
        server.terminate()
        server.process.send_signal(signal.SIGCONT)
        for raw in connections:
            answer = raw.read()
            assert answer is not None and answer.status == 200
            raw.__exit__()
        assert server.stop()[-1]["unanswered"] == "no"


def test_waiting_connections_are_answered(bundle):
    """Connections that the system has taken and the server has not, when the listener closes: the clients have sent."""
    for _ in range(10):
        stop_with_connections_waiting(bundle)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer wants to be loaded first")
def test_waiting_connections_are_answered_late(bundle, monkeypatch):
    """Event threads that get to them only when nothing has seemed to be under way for a while."""
    monkeypatch.setenv("LD_PRELOAD", os.environ["JOBCODE_SLOW_MAIN"])
    monkeypatch.setenv("SLOW_EVENTS_MS", "700")
    stop_with_connections_waiting(bundle)


def test_timeout_ends_what_never_ends(bundle):
    """A client that has sent half a request does not keep the process alive."""
    with Server(bundle, "shutdown.timeout=1ms", "http.body_timeout=1h") as server, server.raw() as half:
        half.send(post_bytes({"title": "nurse"})[:-2])
        with server.client() as client:
            client.wait_in_flight(1)
        server.terminate()
        status, events = server.wait()
        assert status == 1
        assert events[-1]["event"] == "stopped" and events[-1]["unanswered"] == "yes"


def test_restart_on_the_same_port(bundle):
    """Connections of the last run in TIME_WAIT do not stop the next."""
    port = quiet_port()
    with Server(bundle, f"http.port={port}") as first:
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
            assert metrics['jobcode_requests_refused_total{reason="overloaded"}'] == len(refused)
            assert metrics["jobcode_titles_total"] == 4 * (len(answers) - len(refused))
            assert client.post({"title": "nurse"}).status == 200
