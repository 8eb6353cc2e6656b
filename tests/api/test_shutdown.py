"""SIGTERM while connections come in: whatever happens at that moment, the process ends by itself, with 0."""
import os
import socket
import threading

import pytest

from harness import SANITIZED, TIMEOUT_S, Server

N_ROUNDS = 10 if SANITIZED else 30
N_CLIENTS = 6
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
REQUESTS = GET * 40 + GET[:-2] + b"Connection: close\r\n\r\n"


class Clients:
    """They connect, send requests that keep the event threads awake, and go, again and again, until nobody listens."""

    def __init__(self, port):
        self.port, self.begun = port, threading.Event()
        self.threads = [threading.Thread(target=self._work) for _ in range(N_CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _work(self):
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S) as client:
                    client.sendall(REQUESTS)
                    while client.recv(1 << 16).startswith(b"HTTP/1.1 200 "):
                        self.begun.set()
            except ConnectionRefusedError:
                return
            except ConnectionError:  # the last answer came before the rest was read
                pass

    def join(self):
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("n_threads", [1, 4])
def test_signal_while_connections_come(bundle, n_threads, monkeypatch):
    """In half of the rounds the main thread is slow (slow_main.c), for what it could get in the way of."""
    sets = (f"http.threads={n_threads}", "admin.address=127.0.0.1", "admin.port=0", "workers.count=1")
    for number in range(N_ROUNDS):
        if number == N_ROUNDS // 2 and not SANITIZED:
            monkeypatch.setenv("LD_PRELOAD", os.environ["JOBCODE_SLOW_MAIN"])
        with Server(bundle, *sets) as server:
            clients = [Clients(server.port), Clients(server.admin_port)]
            for some in clients:
                assert some.begun.wait(TIMEOUT_S)
            server.terminate()
            status = server.process.wait(TIMEOUT_S)
            for some in clients:
                some.join()
            assert status == 0, f"round {number}: exit status {status}: {server.log_text()}"
            status, events = server.wait()
            assert events[-1]["event"] == "stopped" and events[-1]["unanswered"] == "no"
