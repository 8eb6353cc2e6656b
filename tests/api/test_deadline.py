"""Deadlines and clients that leave: what is late or for nobody is not computed, what cannot be in time is refused."""
import time

import pytest

from harness import CLASSIFY, TIMEOUT_S, Server, expect_problem, long_title, post_bytes

HEADER = "X-Request-Timeout-Ms"
REQUESTS = 'jobcode_http_requests_total{route="POST /v1/classify",code="%d"}'


def many_long(first, count=1000):
    return {"postings": [{"title": long_title(first + number)} for number in range(count)], "top_n": 1}


def wait_for(client, holds):
    """Until the metrics are as wanted; returns them."""
    deadline = time.monotonic() + TIMEOUT_S
    while not holds(metrics := client.metrics()):
        assert time.monotonic() < deadline, metrics
        time.sleep(0.002)
    return metrics


def in_flight(count):
    """That many beside the one that asks."""
    return lambda metrics: metrics["jobcode_http_requests_in_flight"] == count + 1


@pytest.fixture
def fresh(bundle):
    with Server(bundle, "workers.count=1", "requests.timeout_max=10m", "requests.timeout=10m") as server:
        yield server


def test_over_before_it_is_read(server):
    """The time runs from the headers: here it is over before the body comes."""
    with server.client() as client, server.raw() as raw:
        before = client.metrics()
        head, body = post_bytes({"title": "nurse"}, f"{HEADER}: 1\r\n").split(b"\r\n\r\n")
        raw.send(head + b"\r\n\r\n")
        wait_for(client, in_flight(1))
        time.sleep(0.01)
        raw.send(body)
        answer = raw.read()
        expect_problem(answer, 504, "deadline_exceeded")
        assert int(answer.headers["retry-after"]) >= 1
        after = client.metrics()
        assert after["jobcode_titles_total"] == before["jobcode_titles_total"]
        assert after['jobcode_requests_refused_total{reason="deadline_exceeded"}'] == before['jobcode_requests_refused_total{reason="deadline_exceeded"}'] + 1
        assert after[REQUESTS % 504] == before.get(REQUESTS % 504, 0) + 1


def test_over_in_the_queue(fresh):
    """More than can be computed in its time: the rest is not, and the server goes on."""
    with fresh.client() as client:
        answer = client.post(many_long(0), {HEADER: "30"})
        expect_problem(answer, 504, "deadline_exceeded")
        metrics = wait_for(client, in_flight(0))
        assert metrics["jobcode_queue_titles"] == metrics["jobcode_queue_tokens"] == 0
        assert metrics["jobcode_titles_total"] < 1000
        assert metrics['jobcode_requests_refused_total{reason="deadline_exceeded"}'] == 1
        assert len(client.classify({"title": "nurse"})) == 1


@pytest.mark.parametrize("settings, headers", [
    (["requests.timeout=1ms"], {}),
    (["requests.timeout=1ms", "requests.timeout_max=1ms"], {HEADER: "600000"}),
])
def test_configured(bundle, settings, headers):
    """Where the request does not say, and where it says too much."""
    with Server(bundle, *settings) as server, server.client() as client:
        expect_problem(client.post(many_long(0), headers), 504, "deadline_exceeded")


def test_header_values(client):
    for value in ("1000000", "18446744073709551615", "18446744073709551616"):
        assert client.post({"title": "nurse"}, {HEADER: value}).status == 200
    for value in ("0", "-1", "1.5", "abc", "", " ", "5s", "99999999999999999999s"):
        expect_problem(client.post({"title": "nurse"}, {HEADER: value}), 422, "invalid_member")
        answer = client.request("GET", f"{CLASSIFY}?title=nurse", headers={HEADER: value})
        expect_problem(answer, 422, "invalid_member")


def test_hopeless(bundle):
    """Behind a long queue, a request with little time is refused and told when to come back; one with time is not."""
    settings = ["workers.count=1", "workers.queue_titles=20000", "workers.queue_tokens=10000000", "requests.timeout=5m"]
    with Server(bundle, *settings) as server, server.client() as client:
        client.classify(many_long(0))  # so that there is a rate
        held = [server.raw() for _ in range(12)]
        for number, raw in enumerate(held):
            raw.send(post_bytes(many_long(1000 * (number + 1))))
        metrics = wait_for(client, lambda metrics: metrics["jobcode_cache_misses_total"] == 13000)  # all are queued
        assert metrics["jobcode_queue_titles"] > 4000, "it was too fast"
        probe = {"postings": [{"title": f"welder {number}"} for number in range(1000)], "top_n": 1}
        refused = client.post(probe, {HEADER: "100"})
        problem = expect_problem(refused, 503, "overloaded")
        assert "after the deadline" in problem["detail"]
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert client.metrics()['jobcode_requests_refused_total{reason="overloaded"}'] == 1
        assert len(client.classify(probe)) == 1000
        for raw in held:
            assert raw.read().status == 200
            raw.__exit__()


def test_token_bound(bundle):
    with Server(bundle, "workers.count=1", "workers.queue_tokens=512") as server, server.client() as client:
        with server.raw() as raw:
            raw.send(post_bytes(many_long(0)))  # alone it may be over the bound
            wait_for(client, lambda metrics: metrics["jobcode_queue_tokens"] > 512)
            answer = client.post({"title": long_title(5000)})
            assert "tokens are waiting" in expect_problem(answer, 503, "overloaded")["detail"]
            assert len(raw.read().json()["results"]) == 1000
        assert client.post({"title": long_title(5000)}).status == 200


def test_reset(fresh):
    """The client of a large request is gone while it waits: the rest of it is not computed, others are served."""
    with fresh.client() as client:
        staying, leaving = [fresh.raw() for _ in range(4)], fresh.raw()
        for number, raw in enumerate(staying + [leaving]):
            raw.send(post_bytes(many_long(1000 * number)))
        metrics = wait_for(client, lambda metrics: metrics["jobcode_cache_misses_total"] == 5000)  # all are queued
        assert metrics["jobcode_queue_titles"] > 500, "it was too fast to be left"
        leaving.reset()
        for raw in staying:
            assert len(raw.read().json()["results"]) == 1000
            raw.__exit__()
        metrics = wait_for(client, in_flight(0))
        assert metrics["jobcode_requests_cancelled_total"] == metrics[REQUESTS % 499] == 1
        assert 4000 <= metrics["jobcode_titles_total"] < 5000
        assert metrics["jobcode_queue_titles"] == 0


def test_half_closed_counts_as_left(bundle):
    """Where it is so configured; test_clients.py has the default."""
    with Server(bundle, "workers.count=1", "requests.half_closed_left=true") as server, server.client() as client:
        with server.raw() as busy, server.raw() as closing:
            busy.send(post_bytes(many_long(0)))
            closing.send(post_bytes(many_long(1000)))
            metrics = wait_for(client, lambda metrics: metrics["jobcode_cache_misses_total"] == 2000)  # all are queued
            assert metrics["jobcode_queue_titles"] > 200, "it was too fast to be left"
            closing.socket.shutdown(1)
            assert closing.read() is None
            assert busy.read().status == 200
        metrics = wait_for(client, in_flight(0))
        assert metrics["jobcode_requests_cancelled_total"] == metrics[REQUESTS % 499] == 1
        assert 1000 <= metrics["jobcode_titles_total"] < 2000
