"""Hostile clients of every kind at once, in a process of their own, while a normal client asks: its every answer is right,
and the descriptors come back. Small here; at size, with the normal client's figures alone and among them:

    JOBCODE_HOSTILE_CLIENTS=1000 JOBCODE_HOSTILE_SECONDS=20 pytest -s tests/api/test_hostile_size.py

(with the environment that meson sets for these tests). So many send a byte a second of a head that never ends; a
twentieth of that each close their sending half and wait, reset in the middle, and never read their large answers.
"""
import json
import multiprocessing
import os
import resource
import socket
import struct
import time

from harness import CLASSIFY, JSON, TIMEOUT_S, Server, post_bytes, same, wait_until

N_SLOW = int(os.environ.get("JOBCODE_HOSTILE_CLIENTS", "60"))
SECONDS = float(os.environ.get("JOBCODE_HOSTILE_SECONDS", "3"))
N_OTHERS = max(N_SLOW // 20, 4)
TITLES = [f"nurse {number}" for number in range(200)]


# ---- the attackers' process ----


def dial(port, window=None):
    connection = socket.socket()
    if window:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


def send(connection, data):
    """False where the server has ended it."""
    try:
        connection.send(data)
    except BlockingIOError:
        pass
    except OSError:
        return False
    return True


class Kind:
    """`n` connections, opened again where the server ends them; each has its turn once a second."""

    def __init__(self, port, n):
        self.port = port
        self.connections = [self.open() for _ in range(n)]

    def turn(self, first, step):
        for i in range(first, len(self.connections), step):
            if not self.act(self.connections[i]):
                self.connections[i].close()
                self.connections[i] = self.open()


class Slow(Kind):
    def open(self):
        connection = dial(self.port)
        send(connection, b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        return connection

    def act(self, connection):
        try:
            if connection.recv(4096, socket.MSG_PEEK) or True:  # its 408, or the end
                return False
        except BlockingIOError:
            return send(connection, b"A")
        except OSError:
            return False


class HalfClosed(Kind):
    def open(self):
        connection = dial(self.port)
        send(connection, post_bytes({"title": "nurse"}))
        connection.shutdown(socket.SHUT_WR)
        return connection

    def act(self, connection):
        return False


class Reset(Kind):
    def open(self):
        connection = dial(self.port)
        send(connection, post_bytes({"title": "nurse"})[:-5])
        return connection

    def act(self, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


class NeverReading(Kind):
    request = post_bytes({"postings": [{"title": TITLES[number % len(TITLES)]} for number in range(1000)], "top_n": 20})

    def open(self):
        connection = dial(self.port, window=4096)
        send(connection, self.request * 2)
        return connection

    def act(self, connection):
        return send(connection, b"\r\n")


def attack(port, ready, stop):
    n_files = N_SLOW + 3 * N_OTHERS + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, n_files), hard), hard))
    kinds = [Slow(port, N_SLOW)] + [kind(port, N_OTHERS) for kind in (HalfClosed, Reset, NeverReading)]
    ready.set()
    while not stop.is_set():
        for first in range(20):
            for kind in kinds:
                kind.turn(first, 20)
            stop.wait(1 / 20)


# ---- the normal client ----


def ask(server, n_seconds, expected):
    """One request behind the other. Returns their times, sorted, in ms."""
    times = []
    with server.client() as client:
        end = time.monotonic() + n_seconds
        while time.monotonic() < end:
            title = TITLES[len(times) % len(TITLES)]
            begin = time.perf_counter()
            client.connection.request("POST", CLASSIFY, json.dumps({"title": title}), {"Content-Type": JSON})
            response = client.connection.getresponse()
            body = response.read()
            times.append((time.perf_counter() - begin) * 1000)
            assert response.status == 200 and same(json.loads(body), expected[title])
    return sorted(times)


def say(what, times):
    print(f"{what}: {len(times)} requests, p50 {times[len(times) // 2]:.2f} ms, p99 {times[len(times) * 99 // 100]:.2f} ms")


def fds_at_rest(server):
    """When no connection is open but that of who asks."""
    with server.client() as client:
        client.wait_for_metrics(lambda metrics: metrics["jobcode_http_connections"] == 1)
        return server.n_fds()


def test_normal_client_among_hostile_ones(bundle):
    context = multiprocessing.get_context("spawn")
    with Server(os.environ.get("JOBCODE_MODEL", bundle), "http.send_timeout=5s", "http.header_timeout=5s") as server:
        with server.client() as client:
            expected = {title: client.post({"title": title}).json() for title in TITLES}
        fds = fds_at_rest(server)
        say("alone", ask(server, SECONDS, expected))

        ready, stop = context.Event(), context.Event()
        attackers = context.Process(target=attack, args=(server.port, ready, stop))
        attackers.start()
        try:
            assert ready.wait(TIMEOUT_S), "the hostile clients did not connect"
            wait_until(lambda: server.n_fds() >= fds + N_SLOW, "the hostile clients are not let in")
            say(f"among {server.n_fds() - fds} hostile connections", ask(server, SECONDS, expected))
            assert attackers.is_alive()
        finally:
            stop.set()
            attackers.join()
        assert attackers.exitcode == 0
        wait_until(lambda: fds_at_rest(server) <= fds, f"more descriptors are open than the {fds} at first")
        with server.client() as client:
            client.wait_in_flight(0)
            assert client.post({"title": TITLES[0]}).json() == expected[TITLES[0]]
