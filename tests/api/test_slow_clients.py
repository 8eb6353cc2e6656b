"""Clients that are slow, stop half-way, break off or ask for too much: each is ended by its own deadline, the others are
served meanwhile, and every descriptor comes back."""
import itertools
import json
import re
import socket
import time

import pytest

from harness import SANITIZED, SPEC, TIMEOUT_S, Server, attempt, expect_problem, long_title, post_bytes, validate, wait_until

# Longer than any timeout here: a deadline that is not set shows as one of the others not being reached.
LONG = ("http.idle_timeout=1h", "http.header_timeout=1h", "http.body_timeout=1h", "http.send_timeout=1h")
# One that is to be reached by who is slow and not by an event thread that is stalled while others ask.
SHORT = "3s"
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
N_LORIS = 60 if SANITIZED else 200


def only(name, value):
    """Every timeout of an hour, but one."""
    return tuple(f"{name}={value}" if one.startswith(name + "=") else one for one in LONG)


def n_closed(server, reason):
    with server.client() as client:
        return client.metrics()[f'jobcode_http_connections_closed_total{{reason="{reason}"}}']


def warm(server):
    """The descriptors of a server that has served and has no connection."""
    with server.client() as client:
        assert client.post({"title": "nurse"}).status == 200
    counts = []

    def settled():
        counts.append(server.n_fds())
        return len(counts) > 5 and len(set(counts[-5:])) == 1
    wait_until(settled, "the descriptors do not settle")
    return counts[-1]


def wait_for_fds(server, n):
    wait_until(lambda: server.n_fds() <= n, f"descriptors stay open: more than {n}")


def is_408(received):
    return received.startswith(b"HTTP/1.1 408 ") and b'"code":"request_timeout"' in received


def dribble(server, connections, pieces):
    """A byte each, round after round, until the server has ended all of them; others are served between the rounds."""
    open_ones = {raw: iter(pieces) for raw in connections}
    n_served = 0
    deadline = time.monotonic() + TIMEOUT_S
    while open_ones:
        assert time.monotonic() < deadline, f"{len(open_ones)} dribbling connections are still open"
        for raw, rest in list(open_ones.items()):
            try:
                raw.socket.send(next(rest))
                raw.socket.setblocking(False)
                assert raw.socket.recv(1, socket.MSG_PEEK) != b"never"
                del open_ones[raw]
            except BlockingIOError:
                pass
            except ConnectionError:
                del open_ones[raw]
            finally:
                raw.socket.settimeout(TIMEOUT_S)
        with server.client() as client:
            assert client.post({"title": "nurse"}).status == 200
            n_served += 1
    return n_served


def test_slow_heads(bundle):
    """Slow loris: a byte of a head now and then."""
    with Server(bundle, *only("http.header_timeout", SHORT)) as server:
        fds = warm(server)
        connections = [server.raw() for _ in range(N_LORIS)]
        head = [b"GET /livez HTTP/1.1\r\nHost: x\r\n"] + [b"A"] * 100000
        assert dribble(server, connections, head) > 1
        for raw in connections:
            raw.__exit__()
        wait_for_fds(server, fds)
        assert n_closed(server, "header_timeout") == N_LORIS


def test_slow_request_lines(bundle):
    """The same before the first line is whole, on a new connection and on one that had an answer."""
    with Server(bundle, *only("http.header_timeout", SHORT)) as server, server.raw() as new, server.raw() as used:
        used.send(GET)
        assert used.read().status == 200
        time.sleep(0.5)  # the answer is old news to the server
        for raw in (new, used):
            raw.send(b"GET /liv")
        for raw in (new, used):
            received = raw.read_all()
            assert is_408(received), received
            problem = json.loads(received.split(b"\r\n\r\n", 1)[1])
            validate(problem, SPEC["components"]["schemas"]["Problem"])
        assert n_closed(server, "header_timeout") == 2


def test_slow_bodies(bundle):
    with Server(bundle, *only("http.body_timeout", SHORT)) as server:
        fds = warm(server)
        connections = [server.raw() for _ in range(N_LORIS)]
        head = post_bytes(b" " * 100000)[:-100000]
        assert dribble(server, connections, [head] + [b" "] * 100000) > 1
        for raw in connections:
            raw.__exit__()
        wait_for_fds(server, fds)
        assert n_closed(server, "body_timeout") == N_LORIS
        with server.client() as client:
            client.wait_in_flight(0)


def test_timeout_answers_408(bundle):
    with Server(bundle, *only("http.header_timeout", SHORT)) as server:
        connections = {part: server.raw() for part in (b"G", GET[:-2])}
        for part, raw in connections.items():
            raw.send(part)
        for part, raw in connections.items():
            received = raw.read_all()
            assert is_408(received), (part, received)
            raw.__exit__()
        with server.client() as client:
            assert client.metrics()['jobcode_requests_refused_total{reason="request_timeout"}'] == 2
    with Server(bundle, *only("http.body_timeout", "300ms")) as server:
        with server.raw() as raw:
            raw.send(post_bytes({"title": "nurse"})[:-3])
            assert is_408(raw.read_all())
        with server.raw() as raw:  # of a request behind a good one
            raw.send(GET + post_bytes({"title": "nurse"})[:-3])
            assert raw.read().json() == {"status": "live"}
            answer = raw.read()
            expect_problem(answer, 408, "request_timeout")
            assert answer.headers["connection"] == "close"
            assert raw.read() is None
        with server.client() as client:
            assert client.metrics()['jobcode_requests_refused_total{reason="request_timeout"}'] == 2


def test_idle(bundle):
    """Nothing at all, and nothing more: closed without a word."""
    with Server(bundle, *only("http.idle_timeout", SHORT)) as server, server.raw() as new, server.raw() as used:
        used.send(GET)
        assert used.read().status == 200
        assert new.read_all() == b"" and used.read_all() == b""
        assert n_closed(server, "idle_timeout") == 2


def test_waiting_is_not_timed_out(bundle):
    """A request that waits for a worker for longer than every timeout is answered."""
    sets = ("http.idle_timeout=1s", "http.header_timeout=1s", "http.body_timeout=1h", "http.send_timeout=1h",
            "workers.count=1", "workers.batch_titles=1", "workers.queue_titles=1000000", "workers.queue_tokens=1000000000",
            "cache.size=0")
    request = post_bytes({"postings": [{"title": long_title(number)} for number in range(1000)], "top_n": 1})
    n_requests = (16 << number for number in itertools.count())

    def act():
        """With twice as many each time: are all answered, and did it take as long?"""
        with Server(bundle, *sets) as server:
            connections = []
            for _ in range(next(n_requests)):
                connections.append(server.raw())
                connections[-1].send(request)
            sent = time.monotonic()
            answers = [raw.read() for raw in connections]
            took = time.monotonic() - sent
            for raw in connections:
                raw.__exit__()
        # An event thread may have been stalled for as long before it had the head: 408, or closed.
        return took > 1.5 and all(answer and answer.status == 200 and len(answer.json()["results"]) == 1000 for answer in answers)
    attempt(act)


def large_request():
    return post_bytes({"postings": [{"title": f"nurse {number}"} for number in range(1000)], "top_n": 40})


def small_window(server):
    """A connection whose system takes in little of what the client does not read."""
    raw = server.raw()
    raw.socket.close()
    raw.socket = socket.socket()
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.socket.settimeout(TIMEOUT_S)
    raw.socket.connect(("127.0.0.1", server.port))
    raw.file = raw.socket.makefile("rb")
    return raw


def test_never_reading(bundle):
    """Large answers that no one reads."""
    with Server(bundle, *only("http.send_timeout", SHORT)) as server:
        fds = warm(server)
        connections = [small_window(server) for _ in range(4)]
        for raw in connections:
            for _ in range(4):  # more than the buffers of both sides hold
                raw.send(large_request())
        wait_until(lambda: n_closed(server, "send_timeout") == len(connections), "an unread answer holds its connection")
        for raw in connections:
            raw.__exit__()
        wait_for_fds(server, fds)
        with server.client() as client:
            client.wait_in_flight(0)
            assert client.post({"title": "nurse"}).status == 200


def test_half_closed(bundle):
    """A client that says it will send no more is answered all the same, also where it says so while it waits."""
    busy = post_bytes({"postings": [{"title": long_title(number)} for number in range(1000)], "top_n": 1})
    with Server(bundle, "http.idle_timeout=30s", "workers.count=1", "workers.batch_titles=1") as server:
        fds = warm(server)
        connections = [server.raw() for _ in range(20)]
        with server.raw() as first:
            first.send(busy)
            for number, raw in enumerate(connections):
                raw.send(post_bytes({"id": number, "title": long_title(number)}) if number % 4 else GET)
                raw.socket.shutdown(socket.SHUT_WR)
            assert first.read().status == 200
        for number, raw in enumerate(connections):
            answer = raw.read()
            assert answer and answer.status == 200
            assert number % 4 == 0 or answer.json()["results"][0]["id"] == number
            assert raw.read() is None
            raw.__exit__()
        wait_for_fds(server, fds)


def test_resets(bundle):
    """In the head, in the body, while waiting, while the answer comes."""
    request = large_request()
    with Server(bundle, *LONG) as server:
        fds = warm(server)
        for part in (b"G", GET[:-1], request[:200], request[:-1], request):
            for number in range(10):
                raw = small_window(server)
                raw.send(part)
                if number % 2:
                    time.sleep(0.01)
                raw.reset()
        wait_for_fds(server, fds)
        with server.client() as client:
            client.wait_in_flight(0)
            client.wait_for_metrics(lambda metrics: metrics["jobcode_http_connections"] == 1)


def test_connections_come_back_at_the_limit(bundle):
    """Slow clients that hold every connection hold them for the header timeout and no longer."""
    with Server(bundle, "http.connections=8", *only("http.header_timeout", SHORT)) as server:
        held = [server.raw() for _ in range(8)]
        for raw in held:
            raw.send(b"GET /")
        with server.client() as client:  # waits in the listen queue
            assert client.get("/livez").status == 200
        for raw in held:
            assert is_408(raw.read_all())
            raw.__exit__()


# ---- addresses ----


def test_connections_per_address(bundle):
    with Server(bundle, "http.connections_per_address=3") as server:
        held = [server.raw() for _ in range(3)]
        for raw in held:
            raw.send(GET)
            assert raw.read().status == 200
        for _ in range(3):
            with server.raw() as one_more:
                answer = one_more.read()
                expect_problem(answer, 503, "too_many_connections")
                assert answer.headers["retry-after"] == "1"
                assert one_more.read() is None
        with server.raw() as one_more:  # and what it asks is not done
            try:
                one_more.send(post_bytes({"title": "nurse"}))
            except ConnectionError:
                pass
            assert b" 200 " not in one_more.read_all()
        held.pop().__exit__()

        def is_served():
            with server.raw() as raw:
                try:
                    raw.send(GET)
                    return raw.read().status == 200
                except (ConnectionError, AttributeError):
                    return False
        wait_until(is_served, "the place of a closed connection is not given to the next")
        held.pop().__exit__()
        held.pop().__exit__()
        wait_until(is_served, "no connection is open, and none is served")
        wait_until(lambda: n_closed(server, "per_address") >= 4, "not counted")


def forwarded(value, body=None):
    lines = "".join(f"X-Forwarded-For: {one}\r\n" for one in value)
    if body is None:
        return b"GET /livez HTTP/1.1\r\nHost: x\r\n" + lines.encode() + b"\r\n"
    return post_bytes(body, lines)


@pytest.mark.parametrize("proxies, value, client", [
    ("", ["192.0.2.1"], "127.0.0.1"),
    ("10.0.0.0/8", ["192.0.2.1"], "127.0.0.1"),
    ("127.0.0.1", [], "127.0.0.1"),
    ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
    ("127.0.0.0/8,10.0.0.0/8", ["198.51.100.7, 192.0.2.1, 10.1.2.3"], "192.0.2.1"),
    ("127.0.0.0/8,10.0.0.0/8", ["198.51.100.7", "192.0.2.1", "10.1.2.3"], "192.0.2.1"),
    ("127.0.0.1", ["198.51.100.7, unknown"], "127.0.0.1"),
    ("127.0.0.0/8", ["2001:DB8:0::1"], "2001:db8::1"),
    ("127.0.0.0/8", ["[2001:db8::2]:443"], "2001:db8::2"),
    ("127.0.0.0/8", ["," * 3000], "127.0.0.1"),
])
def test_client_of_the_log(bundle, proxies, value, client):
    sets = (f"http.trusted_proxies={proxies}",) if proxies else ()
    with Server(bundle, "log.requests=true", *sets) as server:
        with server.raw() as raw:
            raw.send(forwarded(value))
            assert raw.read().status == 200
        (request,) = [event for event in server.stop() if event["event"] == "request"]
        assert request["client"] == client


def test_requests_per_forwarded_address(bundle):
    """Behind a trusted proxy it is requests under way that count, and the proxy's own connections do not."""
    sets = ("http.trusted_proxies=127.0.0.1", "http.connections_per_address=2", *LONG)
    with Server(bundle, *sets) as server:
        half = [server.raw() for _ in range(2)]
        for raw in half:
            raw.send(forwarded(["192.0.2.1"], {"title": "nurse"})[:-3])
        with server.client() as client:
            client.wait_in_flight(2)
        with server.raw() as raw:
            raw.send(forwarded(["192.0.2.1"]))
            expect_problem(raw.read(), 503, "too_many_connections")
            raw.send(forwarded(["192.0.2.1"], {"title": "nurse"}))  # its body is read, and the connection goes on
            expect_problem(raw.read(), 503, "too_many_connections")
            raw.send(forwarded(["192.0.2.2"]))
            assert raw.read().status == 200
            for one in half:
                one.reset()

            def is_served():
                raw.send(forwarded(["192.0.2.1"]))
                return raw.read().status == 200
            wait_until(is_served, "requests that broke off still count")


# ---- the end ----


def test_half_sent_requests_do_not_hold_the_drain(bundle):
    """They get a 408 soon after the grace, and the end is a clean one."""
    with Server(bundle, "shutdown.timeout=10m", *LONG) as server:
        with server.raw() as head, server.raw() as body, server.raw() as idle:
            idle.send(GET)
            assert idle.read().status == 200
            head.send(GET[:-2])
            body.send(post_bytes({"title": "nurse"})[:-2])
            with server.client() as client:
                client.wait_in_flight(1)
            server.terminate()
            assert idle.read_all() == b""
            assert is_408(body.read_all())
            assert re.match(rb"|HTTP/1.1 408 ", head.read_all())  # no request yet: nothing waits for it
        assert server.stop()[-1]["unanswered"] == "no"


def test_idle_connections_serve_through_the_grace(bundle):
    """What is idle is closed when the server stops accepting, not under the hands of who still sends."""
    with Server(bundle, "shutdown.grace=10m", *LONG) as server, server.raw() as first, server.raw() as second:
        for raw in (first, second):
            raw.send(GET)
            assert raw.read().status == 200
        server.terminate()
        server.wait_for_event("draining")
        with server.client() as client:
            assert client.get("/livez").status == 200
        first.send(GET)
        answer = first.read()
        assert answer.status == 200 and answer.headers["connection"] == "close"
        assert not second.is_answered()
        server.terminate()  # ends the grace
        assert second.read_all() == b""
        server.stop()
