"""The server as for a GPU: two workers, and batches that wait for more. All that differs is that the fake encoder, wherever
it is told to run, runs on the CPU."""
import os
import time

from harness import SANITIZED, TIMEOUT_S, Server
from traffic import Traffic, ask_directly, make_documents

ON_GPU = "encoder.backend=cuda"
ENOUGH = 300 if SANITIZED else 3000


def count_workers(bundle, *sets):
    with Server(bundle, "workers.count=0", *sets) as server, server.client() as client:
        return client.get("/v1/model").json()["workers"]


def test_two_workers(bundle):
    """However many cores there are: here, one."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert count_workers(bundle) == 1
        assert count_workers(bundle, ON_GPU) == 2
    finally:
        os.sched_setaffinity(0, allowed)


def test_all_is_answered(bundle):
    """More workers than one batch needs, few and many clients; each result is the one that it is without."""
    documents = make_documents(64, 40)
    expected = ask_directly(bundle, documents)
    with Server(bundle, ON_GPU, "workers.count=4", "cache.size=0") as server:
        for connections in (1, 3, 24):
            until = time.monotonic() + TIMEOUT_S
            with Traffic(server.port, documents, expected, connections) as traffic:
                while traffic.n_answered() < ENOUGH and traffic.failed == 0 and time.monotonic() < until:
                    time.sleep(0.01)
            traffic.check()
            assert traffic.n_answered() >= ENOUGH
