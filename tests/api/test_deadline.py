"""Deadlines and clients that leave: what is late or for nobody is not computed, what cannot be in time is refused."""
import time

import pytest

from harness import CLASSIFY, Server, attempt, expect_problem, long_title, post_bytes, while_busy

HEADER = "X-Request-Timeout-Ms"
REQUESTS = 'jobcode_http_requests_total{route="POST /v1/classify",code="%d"}'


def many_long(first, count=1000):
    return {"postings": [{"title": long_title(first + number)} for number in range(count)], "top_n": 1}


def wait_queued(client, count):
    """Until so many titles were queued since the start."""
    return client.wait_for_metrics(lambda metrics: metrics["jobcode_cache_misses_total"] == count)


@pytest.fixture
def fresh(bundle):
    with Server(bundle, "workers.count=1", "requests.timeout_max=10m", "requests.timeout=10m") as server:
        yield server


def test_over_before_it_is_read(server):
    """The time runs from the headers: here it is over before the body comes."""
    with server.client() as client, server.raw() as raw:
        before = client.wait_in_flight(0)
        head, body = post_bytes({"title": "nurse"}, f"{HEADER}: 1\r\n").split(b"\r\n\r\n")
        raw.send(head + b"\r\n\r\n")
        client.wait_in_flight(1)
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
        metrics = client.wait_in_flight(0)
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
    settings = ["workers.count=1", "workers.queue_titles=20000", "workers.queue_tokens=10000000"]
    probe = {"postings": [{"title": f"welder {number}"} for number in range(1000)], "top_n": 1}

    def act():
        with Server(bundle, *settings) as server, server.client() as client:
            client.classify(many_long(0))  # so that there is a rate
            held = [server.raw() for _ in range(12)]
            for number, raw in enumerate(held):
                raw.send(post_bytes(many_long(1000 * (number + 1))))
            wait_queued(client, 13000)
            refused = client.post(probe, {HEADER: "100"})
            if refused.status != 503:  # too little was left of the queue, or of the time
                return False
            assert "after the deadline" in expect_problem(refused, 503, "overloaded")["detail"]
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert client.metrics()['jobcode_requests_refused_total{reason="overloaded"}'] == 1
            assert len(client.classify(probe)) == 1000
            for raw in held:
                assert raw.read().status == 200
                raw.__exit__()
            return True
    attempt(act)


def test_token_bound(bundle):
    sets = ("workers.count=1", "workers.queue_tokens=512", "cache.size=0")
    with Server(bundle, *sets) as server, server.client() as client:
        def refused():
            if client.metrics()["jobcode_queue_tokens"] <= 512:
                return None
            answer = client.post({"title": long_title(5000)})
            return answer if answer.status != 200 else None
        answer = while_busy(server, post_bytes(many_long(0)), refused)  # alone it may be over the bound
        assert "tokens are waiting" in expect_problem(answer, 503, "overloaded")["detail"]
        assert client.post({"title": long_title(5000)}).status == 200


def test_reset(bundle):
    """The client of a large request is gone while it waits: the rest of it is not computed, others are served."""
    def act():
        with Server(bundle, "workers.count=1") as server, server.client() as client:
            staying, leaving = [server.raw() for _ in range(4)], server.raw()
            for number, raw in enumerate(staying + [leaving]):
                raw.send(post_bytes(many_long(1000 * number)))
            wait_queued(client, 5000)
            leaving.reset()
            for raw in staying:
                assert len(raw.read().json()["results"]) == 1000
                raw.__exit__()
            return was_left(client, at_least=4000)
    attempt(act)


def was_left(client, at_least):
    """Whether a request of a thousand titles was not computed to its end, behind so many that were."""
    metrics = client.wait_in_flight(0)
    assert metrics["jobcode_queue_titles"] == 0 and metrics["jobcode_titles_total"] >= at_least
    assert metrics["jobcode_requests_cancelled_total"] == metrics.get(REQUESTS % 499, 0) <= 1
    return metrics["jobcode_requests_cancelled_total"] == 1 and metrics["jobcode_titles_total"] < at_least + 1000


def test_half_closed_counts_as_left(bundle):
    """Where it is so configured; test_clients.py has the default."""
    def act():
        with Server(bundle, "workers.count=1", "requests.half_closed_left=true") as server, server.client() as client:
            with server.raw() as busy, server.raw() as closing:
                busy.send(post_bytes(many_long(0)))
                closing.send(post_bytes(many_long(1000)))
                wait_queued(client, 2000)
                closing.socket.shutdown(1)
                answer = closing.read()
                assert busy.read().status == 200
            return was_left(client, at_least=1000) and answer is None
    attempt(act)
