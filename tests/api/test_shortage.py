"""A shortage of descriptors or of memory: who fits is served, who does not waits or is told so, and the process lives."""
import contextlib
import json
import os
import pathlib
import re
import resource
import subprocess
import time

import pytest

from harness import SANITIZED, SERVER, Server, error_line, environment, expect_problem, post_bytes, TIMEOUT_S

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
BUSY = 0.5  # of a core in a second of shortage; calling accept in vain takes all of one


def set_limit(server, which, value):
    hard = resource.prlimit(server.process.pid, which)[1]
    resource.prlimit(server.process.pid, which, (value, hard))


def cpu_s(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_busy(server):
    begin, before = time.monotonic(), cpu_s(server)
    time.sleep(1)
    return cpu_s(server) - before > BUSY * (time.monotonic() - begin)


def is_served(server):
    with server.client() as client:
        return client.get("/livez").status == 200 and client.post({"title": "nurse"}).status == 200


# ---- descriptors ----


@contextlib.contextmanager
def own_limit(soft, hard):
    """Of descriptors, for the programs started meanwhile."""
    popen = subprocess.Popen

    def start(*arguments, **options):
        return popen(*arguments, **options, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", start)
        yield


def test_limit_is_raised(bundle):
    """The soft limit is for programs that use select; this one takes what the hard one allows."""
    with own_limit(200, 4000):
        server = Server(bundle, "http.connections=500")
    with server:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0] >= 500
        connections = [server.raw() for _ in range(300)]
        for raw in connections:
            raw.send(GET)
        for raw in connections:
            assert raw.read().status == 200
            raw.__exit__()
        assert not [event for event in server.log_events() if event["event"] == "connections_limited"]


def test_low_limit(bundle):
    """More connections than fit: those that are open go on, the others wait, and are served when those have gone."""
    with own_limit(100, 100):
        server = Server(bundle, "http.threads=1")
    with server:
        (warning,) = [event for event in server.log_events() if event["event"] == "connections_limited"]
        n_most = int(warning["connections"])
        assert warning["level"] == "warn" and warning["open_files_limit"] == "100" and 0 < n_most < 100
        connections = [server.raw() for _ in range(n_most)]
        for raw in connections:
            raw.send(GET)
            assert raw.read().status == 200
        waiting = [server.raw() for _ in range(50)]
        for raw in waiting:
            raw.send(GET)
        assert not is_busy(server)
        for raw in connections:
            raw.send(post_bytes({"title": "nurse"}))
            assert raw.read().status == 200
            raw.__exit__()
        for raw in waiting:
            assert raw.read().status == 200
            raw.__exit__()
        assert is_served(server)


def test_limit_too_low_to_start(bundle):
    result = subprocess.run([SERVER, f"--set=model.folder={bundle}", "--set=http.port=0"], capture_output=True, text=True,
                            timeout=TIMEOUT_S, env=environment(), check=False,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50)))
    error = error_line(result)
    assert error["event"] == "start_failed" and "limit of open files is 50" in error["detail"]


@pytest.mark.parametrize("n_held", [0, 3])
def test_descriptors_run_out(bundle, n_held):
    """While it runs, as where the whole system has none left: accept fails, with connections open and without."""
    with Server(bundle, "http.threads=2") as server:
        assert is_served(server)
        held = [server.raw() for _ in range(n_held)]
        for raw in held:
            raw.send(GET)
            assert raw.read().status == 200
        set_limit(server, resource.RLIMIT_NOFILE, 3)
        waiting = [server.raw() for _ in range(10)]
        for raw in waiting:
            raw.send(GET)
        assert not is_busy(server)
        for raw in held:
            raw.send(post_bytes({"title": "nurse"}))
            assert raw.read().status == 200
        set_limit(server, resource.RLIMIT_NOFILE, 4096)
        for raw in held:
            raw.__exit__()
        for raw in waiting:
            assert raw.read().status == 200
            raw.__exit__()
        assert is_served(server)


# ---- memory ----


def used(server, which):
    """What a limit counts, in bytes: RLIMIT_DATA less than all of the address space."""
    name = {resource.RLIMIT_AS: "VmSize", resource.RLIMIT_DATA: "VmData"}[which]
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{name}:\s+(\d+) kB", status).group(1)) * 1024


def big_requests():
    yield post_bytes({"title": "nurse", "body": "x " * 2000000})
    yield post_bytes({"title": "nurse", "body": "\\n" * 1000000})
    for n in (100, 1000, 8000):
        yield post_bytes({"postings": [{"title": f"nurse {number}"} for number in range(n)], "top_n": 100})
    yield post_bytes(b"[" * 2000 + b"]" * 2000)
    yield post_bytes(json.dumps([list(range(100))] * 10000).encode())


def ask(server, request):
    """The answer, which is success or a problem that says why not; None where the connection was closed."""
    try:
        with server.raw() as raw:
            raw.send(request)
            answer = raw.read()
    except ConnectionError:
        return None
    if answer is None or answer.status in (200, 422):
        return answer
    expect_problem(answer, 503, "out_of_memory")
    assert answer.headers["retry-after"] == "1"
    return answer


@pytest.mark.skipif(SANITIZED, reason="a sanitizer ends a process that is out of memory")
@pytest.mark.parametrize("which", [resource.RLIMIT_AS, resource.RLIMIT_DATA])
def test_memory_runs_out(bundle, which):
    sets = ("limits.body=64MiB", "limits.text_chars=10000000", "limits.postings=8000", "http.threads=1")
    with Server(bundle, *sets) as server:
        assert is_served(server)
        statuses = set()
        for slack in (0, 1 << 16, 1 << 18, 1 << 20, 1 << 22):
            set_limit(server, which, used(server, which) + slack)
            for request in big_requests():
                answer = ask(server, request)
                statuses.add(answer and answer.status)
                assert server.process.poll() is None, server.log_text()
            set_limit(server, which, NO_LIMIT[0])
            assert is_served(server)
        assert 503 in statuses and 200 in statuses
        with server.client() as client:
            client.wait_in_flight(0)
        for request in big_requests():
            assert ask(server, request).status in (200, 422)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer ends a process that is out of memory")
def test_connections_without_memory(bundle):
    """Those for which there is none are closed, and do not count as open for ever."""
    with Server(bundle, "http.connections=300", "http.threads=2") as server:
        assert is_served(server)
        set_limit(server, resource.RLIMIT_DATA, 4096)  # with 0 the system would let it have all
        held = [server.raw() for _ in range(600)]
        assert held[-1].read() is None and server.n_fds() < 300
        for raw in held:
            raw.__exit__()
        set_limit(server, resource.RLIMIT_DATA, NO_LIMIT[0])
        connections = [server.raw() for _ in range(300)]
        for raw in connections:
            raw.send(GET)
            assert raw.read().status == 200
        for raw in connections:
            raw.__exit__()
        assert is_served(server)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer ends a process that is out of memory")
def test_reload_without_memory(bundle):
    """The old model serves on."""
    with Server(bundle, "admin.address=127.0.0.1", "admin.port=0") as server, server.admin() as admin:
        assert is_served(server) and admin.get("/livez").status == 200
        set_limit(server, resource.RLIMIT_AS, used(server, resource.RLIMIT_AS))
        answer = admin.request("POST", "/admin/reload")
        assert answer.status in (200, 409, 503), answer.body
        assert is_served(server)
        set_limit(server, resource.RLIMIT_AS, NO_LIMIT[0])
        assert admin.request("POST", "/admin/reload").status == 200
