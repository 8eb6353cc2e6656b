"""
Reloads one after another under load, back and forth between two bundles, by SIGHUP and by request, with damaged bundles
in between: every request is answered by one of the two models, whole, and nothing is left of those that went.

    JOBCODE_RELOADS=1000 meson test -C build api/reload_soak -v -t 10

JOBCODE_RELOADS: how many.
"""
import itertools
import os
import pathlib
import shutil
import signal

import pytest

from bundles import DAMAGES, VARIANTS, damage, reload, serve, switch, version_of
from harness import SANITIZED, expect_problem, wait_until
from traffic import Traffic, ask_directly, make_documents

RELOADS = int(os.environ.get("JOBCODE_RELOADS", 100))
CONNECTIONS = 4
EVERY_SIGNAL = 4   # each so many reloads one comes by SIGHUP
EVERY_DAMAGED = 8  # and after so many a damaged bundle is tried

# What memory may grow by from the 20 % point to the end. A model of these bundles with its two sessions is 240 KiB: the
# 80 that come in between even in the short run are 19 MiB, so that one of seven that stayed is seen; in the long run
# (800) it is 4 KiB a reload. A level server moves by less than 1 MiB: threads free what others allocated.
GROWTH_KIB = 3 * 1024


@pytest.fixture
def damaged(variants, tmp_path):
    """(bundle, what must be said of it), of each kind and variant."""
    bundles = []
    for number, kind in itertools.product(VARIANTS, DAMAGES):
        folder = shutil.copytree(variants / number, tmp_path / f"{kind}-{number}")
        bundles.append((folder, damage(folder, kind)))
    return bundles


def held(server):
    """(descriptors, threads)"""
    of = pathlib.Path(f"/proc/{server.process.pid}")
    return len(list((of / "fd").iterdir())), len(list((of / "task").iterdir()))


def held_at_rest(server):
    """When no connection is open but that of who asks."""
    with server.client() as client:
        client.wait_for_metrics(lambda metrics: metrics["jobcode_http_connections"] == 1)
        return held(server)


def reloads(server, result):
    with server.admin() as admin:
        return admin.metrics()[f'jobcode_model_reloads_total{{result="{result}"}}']


def hang_up(server):
    server.process.send_signal(signal.SIGHUP)


def check_serving(server, version):
    with server.client() as client:
        assert client.post({"title": "nurse"}).json()["model"] == version


class Reloading:
    """One server, and what its counters must say."""

    def __init__(self, server, link, variants, damaged):
        self.server, self.link, self.variants = server, link, variants
        self.damaged = itertools.cycle(damaged)
        self.counts = {"changed": 0, "refused": 0, "unchanged": 0}
        self.rss_kib = []  # after each reload

    def run(self, times):
        for number in range(1, times + 1):
            self.swap(self.variants / VARIANTS[number % 2], by_signal=number % EVERY_SIGNAL == 0)
            if number % EVERY_DAMAGED == 0:
                self.try_damaged(by_signal=number // EVERY_DAMAGED % 2 == 0)
            self.rss_kib.append(self.server.rss_kib())

    def swap(self, bundle, by_signal):
        switch(self.link, bundle)
        self.counts["changed"] += 1
        if by_signal:
            hang_up(self.server)
            wait_until(lambda: reloads(self.server, "changed") == self.counts["changed"])
        else:
            answer = reload(self.server)
            assert answer.status == 200 and answer.json()["changed"] is True, answer.body
        check_serving(self.server, version_of(bundle))

    def try_damaged(self, by_signal):
        """The model that serves goes on serving."""
        serving = self.link.resolve()
        bundle, reason = next(self.damaged)
        switch(self.link, bundle)
        self.counts["refused"] += 1
        if by_signal:
            hang_up(self.server)
            wait_until(lambda: reloads(self.server, "refused") == self.counts["refused"])
        else:
            assert reason in expect_problem(reload(self.server), 409, "reload_refused")["detail"]
        check_serving(self.server, version_of(serving))

    def growth_kib(self):
        """From the most in the first fifth to the most in the last: while a model is loaded there are two."""
        fifth = max(1, len(self.rss_kib) // 5)
        return max(self.rss_kib[-fifth:]) - max(self.rss_kib[:fifth])


def test_reloads_under_load(variants, current, damaged, capsys):
    documents = make_documents(64, batch_titles=20)
    expected = {}
    for number in VARIANTS:
        expected.update(ask_directly(variants / number, documents))
    with serve(current) as server:
        check_serving(server, version_of(variants / "01"))
        before = held_at_rest(server)
        reloading = Reloading(server, current, variants, damaged)
        with Traffic(server.port, documents, expected, CONNECTIONS) as traffic:
            reloading.run(RELOADS)
        grown = reloading.growth_kib()
        with capsys.disabled():
            print(f"\n{reloading.counts} reloads in {traffic.seconds:.0f} s under load: "
                  f"{traffic.answered} answered, {traffic.failed} failed; RSS {reloading.rss_kib[0]} KiB at first, "
                  f"{max(reloading.rss_kib)} at most, {reloading.rss_kib[-1]} at last, grown by {grown}")
        traffic.check()
        assert min(traffic.answered.values()) > 0, f"a model had no traffic: {traffic.answered}"
        for result, count in reloading.counts.items():
            assert reloads(server, result) == count, result
        wait_until(lambda: server.log_text().count('"event":"reloaded"') == reloading.counts["changed"])
        wait_until(lambda: all(now <= then for now, then in zip(held_at_rest(server), before)), f"more is held than {before}")
        assert SANITIZED or grown < GROWTH_KIB, f"{grown} KiB more: {reloading.rss_kib}"
