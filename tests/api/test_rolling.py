"""
Rolling restarts behind HAProxy (deploy/haproxy/haproxy.cfg as it is): two servers, each ended with SIGTERM and started
again in turn, under load, and no request fails. HAProxy may send again only what never reached a server.

    JOBCODE_RESTARTS=100 JOBCODE_LOAD=80 meson test -C build api/rolling -v -t 10

JOBCODE_RESTARTS: how many. JOBCODE_LOAD: the load in per cent of what the two answered before, asked as fast as they
would answer. Skipped where haproxy is missing.
"""
import csv
import os
import shutil
import socket
import subprocess
import time

import pytest

from harness import ROOT, SANITIZED, TIMEOUT_S, Server, quiet_port
from traffic import Traffic, ask_directly, make_documents

HAPROXY = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
pytestmark = pytest.mark.skipif(not HAPROXY, reason="no haproxy (Debian: haproxy)")

RESTARTS = int(os.environ.get("JOBCODE_RESTARTS", 2 if SANITIZED else 4))
LOAD = int(os.environ.get("JOBCODE_LOAD", 80)) / 100
CONNECTIONS = 16
SATURATE_S = 1 if RESTARTS < 20 else 10

# Titles are computed, not remembered. The rest is as it comes: the grace of 1 s and the canaries of the defaults.
SETS = ("cache.size=0", "shutdown.grace=1s", "health.canary_interval=10s")


class Balancer:
    """HAProxy with the configuration that is delivered, its addresses given, and a socket to ask it."""

    def __init__(self, folder, ports):
        self.stats = str(folder / "stats")
        (folder / "global.cfg").write_text(f"global\n    stats socket {self.stats} level admin\n", encoding="ascii")
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        addresses = {f"JOBCODE_{name.upper()}": f"127.0.0.1:{port}" for name, port in ports.items()}
        self.process = subprocess.Popen(
            [HAPROXY, "-db", "-f", str(folder / "global.cfg"), "-f", str(ROOT / "deploy/haproxy/haproxy.cfg")],
            env={**os.environ, **addresses, "JOBCODE_BIND": f"fd@{listener.fileno()}"}, pass_fds=[listener.fileno()])
        listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)

    def figures(self):
        """What HAProxy says of the backend: name -> row of "show stat"."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(self.stats)
            asked.sendall(b"show stat\n")
            text = asked.makefile("r").read()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return {row["svname"]: row for row in rows if row["pxname"] == "jobcode"}

    def wait_for(self, name, status):
        """Until the server has been checked, and that came of it."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            assert self.process.poll() is None and time.monotonic() < deadline, f"{name} is not {status}"
            try:
                row = self.figures()[name]
                if row["status"] == status and row["check_status"]:
                    return
            except OSError:  # it is only starting
                pass
            time.sleep(0.02)


def figures_of(server):
    """How many classifications it has answered, and how many requests are under way beside this one."""
    with server.client() as client:
        metrics = client.metrics()
    answered = metrics.get('jobcode_http_requests_total{route="POST /v1/classify",code="200"}', 0)
    return {"answered": answered, "under way": metrics["jobcode_http_requests_in_flight"] - 1}


def restart(servers, name, bundle, balancer):
    """As an operator does: the other is up, and afterwards this one. Returns the old one's figures at the signal."""
    (other,) = set(servers) - {name}
    balancer.wait_for(other, "UP")
    old = servers[name]
    figures = figures_of(old)
    assert old.stop()[-1]["unanswered"] == "no"  # and the exit status is 0
    balancer.wait_for(name, "DOWN")
    servers[name] = Server(bundle, f"http.port={old.port}", *SETS)
    balancer.wait_for(name, "UP")
    return figures


def run_restarts(bundle, servers, balancer, documents, expected):
    """Returns the rate aimed at, the traffic meanwhile, and the restarted servers' figures."""
    with Traffic(balancer.port, documents, expected, CONNECTIONS) as saturating:
        time.sleep(SATURATE_S)
    saturating.check()
    rate = LOAD * saturating.n_answered() / saturating.seconds
    ended = []
    with Traffic(balancer.port, documents, expected, CONNECTIONS, per_second=rate) as traffic:
        for number in range(RESTARTS):
            name = ("a", "b")[number % 2]
            n_before = traffic.n_answered()
            ended.append(restart(servers, name, bundle, balancer))
            assert traffic.n_answered() > n_before, "no traffic during the restart"
    return rate, traffic, ended


def test_no_request_is_lost(bundle, tmp_path, capsys):
    documents = make_documents(64, batch_titles=100)
    expected = ask_directly(bundle, documents)
    servers = {}
    try:
        for name in ("a", "b"):
            servers[name] = Server(bundle, f"http.port={quiet_port()}", *SETS)
        with Balancer(tmp_path, {name: server.port for name, server in servers.items()}) as balancer:
            for name in servers:
                balancer.wait_for(name, "UP")
            rate, traffic, ended = run_restarts(bundle, servers, balancer, documents, expected)
            figures = balancer.figures()
        resent = sum(int(figures[name][kind]) for name in servers for kind in ("wretr", "wredis"))
        with capsys.disabled():
            print(f"\n{RESTARTS} restarts at {LOAD:.0%} load ({rate:.0f} requests/s aimed at, "
                  f"{traffic.n_answered() / traffic.seconds:.0f} answered, {traffic.seconds:.0f} s): "
                  f"{traffic.n_answered()} answered, {traffic.failed} failed; "
                  f"sent again after a refused connection: {resent}; under way at the signals: "
                  f"{sum(figures['under way'] for figures in ended):.0f}")
        traffic.check()
        assert all(figures["answered"] > 0 for figures in ended), f"a server had no traffic: {ended}"
        assert figures["BACKEND"]["hrsp_5xx"] == "0" and figures["BACKEND"]["eresp"] == "0", figures
        for name in servers:
            assert servers[name].stop()[-1]["unanswered"] == "no"
    finally:
        for server in servers.values():
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()
