#!/usr/bin/env python3
"""Mixed load on the real server for as long as wanted, and what becomes of its memory and descriptors meanwhile.

    soak.py SECONDS --server BUILD/src/server/jobcode-server --fake-bundle BUILD/tests/make_fake_bundle [--model BUNDLE]

Clients of many kinds, good ones and bad ones, use it at once; a reload swaps the model every two seconds. Exits with 1
on an answer that was not to be expected, on descriptors that do not come back, on a crash, and on a sanitizer's report
(give it a server that was built with one). Memory is printed: its slope over the last four fifths says if it grows.
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

API = pathlib.Path(__file__).resolve().parents[1] / "api"
PER_CONNECTION = 50  # requests of a client, then a new connection: descriptors come and go
IDLE_WAIT_S = 20
SMALL_CACHE = "cache.size=4MiB"  # full before memory is looked at: its growth would pass for a leak
GETS = ["/livez", "/readyz", "/startupz", "/healthz", "/v1/model", "/v1/categories", "/openapi.yaml", "/metrics",
        "/v1/classify?title=icu+nurse&top_n=3"]
WORDS = """senior junior lead night part time registered licensed nurse software java data developer engineer manager
truck driver school teacher security guard sales retail cook chef welder clerk analyst health physical civil""".split()
BAD_BODIES = [(b"{", 400), (b"[]", 422), (b'{"title": 5}', 422), (b'{"title": "x", "tilte": "y"}', 422),
              (b"\xff\xfe", 400), (b'{"title": "--"}', 422),
              (b'{"title": "a", "title": "b"}', 400), (b'{"postings": []}', 422),
              (b'{"title": "x", "top_n": 100000}', 422), (b"[" * 100_000, 400)]
BAD_HEADS = [(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
             (b"DELETE /v1/classify HTTP/1.1\r\nHost: x\r\n\r\n", 405),
             (b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
             (b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
             (b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415)]


def make_title(rng):
    """Most come again and again; some never did."""
    words = rng.choices(WORDS, k=rng.randint(1, 5))
    return " ".join(words + ([str(rng.randrange(10**9))] if rng.random() < 0.3 else []))


class Soak:
    def __init__(self, server, harness, link, bundles):
        self.server, self.harness, self.link, self.bundles = server, harness, link, bundles
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.unexpected = collections.Counter()

    def note(self, kind, answer, *statuses):
        """Counts an answer; None is a connection that the server closed."""
        status = answer.status if answer else None
        reason = None
        if status not in statuses:
            reason = f"{kind}: {status} {answer.body[:200] if answer else 'closed without an answer'}"
        elif status == 503 and "retry-after" not in answer.headers:
            reason = f"{kind}: 503 without Retry-After"
        elif status is not None and "x-request-id" not in answer.headers:
            reason = f"{kind}: {status} without X-Request-Id"
        with self.lock:
            self.counts[f"{kind} {status}"] += 1
            if reason:
                self.unexpected[reason] += 1

    def repeat(self, actor, seed):
        """A client's life: `actor` on one connection after another."""
        rng = random.Random(seed)
        while not self.ending.is_set():
            try:
                with self.server.raw() as raw:
                    actor(raw, rng)
            except Exception as error:  # whatever it is, it is to be seen
                with self.lock:
                    self.unexpected[f"{actor.__name__}: {error!r}"] += 1

    def turns(self):
        return itertools.takewhile(lambda _: not self.ending.is_set(), range(PER_CONNECTION))

    def ask(self, raw, kind, request, *statuses):
        raw.send(request)
        self.note(kind, raw.read(), *statuses)

    # ---- the clients ----

    def single(self, raw, rng):
        for _ in self.turns():
            self.ask(raw, "single", self.harness.post_bytes({"title": make_title(rng)}), 200, 503)

    def batch(self, raw, rng):
        for _ in self.turns():
            n = min(1000, int(1 / max(1e-3, rng.random())))  # mostly few, a thousand now and then
            postings = [{"title": make_title(rng), "id": i} for i in range(n)]
            request = self.harness.post_bytes({"postings": postings}, "Accept-Encoding: gzip\r\n")
            self.ask(raw, "batch", request, 200, 503)

    def long_text(self, raw, rng):
        for _ in self.turns():
            body = " ".join(rng.choices(WORDS, k=rng.randint(100, 10_000)))
            self.ask(raw, "long text", self.harness.post_bytes({"title": "", "body": f"<p>{body}</p>"}), 200, 503)

    def get(self, raw, rng):
        for _ in self.turns():
            path = rng.choice(GETS)
            statuses = (200, 503) if "classify" in path else (200,)
            self.ask(raw, "get", f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), *statuses)

    def bad_body(self, raw, rng):
        for _ in self.turns():
            body, status = rng.choice(BAD_BODIES)
            self.ask(raw, "bad body", self.harness.post_bytes(body), status)

    def bad_head(self, raw, rng):
        request, status = rng.choice(BAD_HEADS)
        self.ask(raw, "bad head", request, status)

    def short_deadline(self, raw, rng):
        for _ in self.turns():
            request = {"postings": [{"title": make_title(rng)} for _ in range(200)]}
            headers = f"X-Request-Timeout-Ms: {rng.randint(1, 20)}\r\n"
            self.ask(raw, "short deadline", self.harness.post_bytes(request, headers), 200, 503, 504)

    def leaver(self, raw, rng):
        """Leaves in the middle of its request, or of the answer; by a close, or by a reset."""
        postings = [{"title": make_title(rng)} for _ in range(rng.randint(1, 300))]
        request = self.harness.post_bytes({"postings": postings})
        raw.send(request[:rng.randint(1, len(request))] if rng.random() < 0.5 else request)
        time.sleep(rng.choice([0, 0.01, 0.1]))
        if rng.random() < 0.5:
            raw.reset()
        with self.lock:
            self.counts["left"] += 1

    def slow(self, raw, rng):
        """Sends for two seconds, then reads some bytes a moment."""
        request = self.harness.post_bytes({"postings": [{"title": make_title(rng)} for _ in range(50)]})
        step = len(request) // 20 + 1
        for at in range(0, len(request), step):
            raw.send(request[at:at + step])
            time.sleep(0.1)
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.note("slow", raw.read(), 200, 503)

    def reload(self, _, rng):
        """Turn about by the admin listener and by signal, a new model each time."""
        time.sleep(2)
        temporary = self.link.with_name("next")
        temporary.symlink_to(next(self.bundles))
        os.replace(temporary, self.link)
        if rng.random() < 0.5:
            self.server.process.send_signal(signal.SIGHUP)
            return
        with self.harness.Raw(self.server.admin_port) as admin:
            self.ask(admin, "reload", b"POST /admin/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200)

    # ---- the measuring ----

    def count_fds(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def run(self, seconds):
        """[(s, KiB, descriptors)], a second apart."""
        actors = [self.long_text, self.get, self.bad_body, self.bad_head, self.short_deadline, self.reload]
        actors += [self.single] * 6 + [self.batch, self.leaver, self.slow] * 2
        threads = [threading.Thread(target=self.repeat, args=(actor, seed)) for seed, actor in enumerate(actors)]
        for thread in threads:
            thread.start()
        samples = []
        start_s = time.monotonic()
        while (at := time.monotonic() - start_s) < seconds and self.server.process.poll() is None:
            samples.append((at, self.server.rss_kib(), self.count_fds()))
            time.sleep(1)
        self.ending.set()
        for thread in threads:
            thread.join()
        return samples

    def wait_for_fds(self, n_before):
        """What is still open when no client is."""
        deadline = time.monotonic() + IDLE_WAIT_S
        while (n := self.count_fds()) > n_before and time.monotonic() < deadline:
            time.sleep(0.1)
        return n


def slope_per_hour(points):
    """Least squares."""
    n = len(points)
    mean_x, mean_y = (sum(values) / n for values in zip(*points))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def report(soak, samples, n_fds_before, n_fds_after):
    late = samples[len(samples) // 5:]
    print(json.dumps(dict(sorted(soak.counts.items()))))
    print(f"memory: {samples[0][1] / 1024:.1f} MiB at first, {samples[-1][1] / 1024:.1f} at last, most "
          f"{max(rss for _, rss, _ in samples) / 1024:.1f}; slope over the last {late[-1][0] - late[0][0]:.0f} s: "
          f"{slope_per_hour([(at, rss / 1024) for at, rss, _ in late]):+.1f} MiB an hour")
    print(f"descriptors: {n_fds_before} before, most {max(fds for _, _, fds in samples)}, {n_fds_after} after; slope "
          f"{slope_per_hour([(at, fds) for at, _, fds in late]):+.1f} an hour")
    print(f"not to be expected: {sum(soak.unexpected.values())}")
    for reason, n in soak.unexpected.most_common(20):
        print(f"  {n} times {reason}")


def make_bundles(args, folder):
    """To reload by turns: two that differ, or the one that is given."""
    if args.model:
        return [args.model, args.model]
    paths = [folder / number for number in ("01", "02")]
    for path in paths:
        subprocess.run([args.fake_bundle, "--exemplars", "--variant", path.name, path], check=True)
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=int)
    parser.add_argument("--server", required=True)
    parser.add_argument("--fake-bundle", required=True)
    parser.add_argument("--model", help="a complete model bundle; without it the fake encoder's")
    parser.add_argument("--set", action="append", default=[], help="a setting of the server, key=value")
    args = parser.parse_args()
    os.environ["JOBCODE_SERVER"] = str(pathlib.Path(args.server).resolve())
    os.environ["JOBCODE_MAKE_FAKE_BUNDLE"] = args.fake_bundle
    os.environ["JOBCODE_SOURCE_ROOT"] = str(API.parents[1])
    sys.path.insert(0, str(API))
    import harness  # wants to know these
    if harness.SANITIZED:
        print("built with a sanitizer, which keeps freed memory for a while: its slope says little until that is full")

    with tempfile.TemporaryDirectory() as name:
        bundles = make_bundles(args, pathlib.Path(name))
        link = pathlib.Path(name) / "current"
        link.symlink_to(bundles[0])
        settings = ["admin.address=127.0.0.1", "admin.port=0", "health.canary_interval=1s", SMALL_CACHE, *args.set]
        with harness.Server(link, *settings) as server:
            soak = Soak(server, harness, link, itertools.cycle(reversed(bundles)))
            n_fds = soak.count_fds()
            samples = soak.run(args.seconds)
            n_fds_after = soak.wait_for_fds(n_fds) if server.process.poll() is None else -1
            report(soak, samples, n_fds, n_fds_after)
            if server.process.poll() is not None:
                sys.exit(f"the server ended:\n{server.log_text()[-4000:]}")
            server.stop()  # its exit status and its log are checked: a leak is seen here
    if soak.unexpected or n_fds_after > n_fds:
        sys.exit("answers that were not to be expected, or descriptors that did not come back")


if __name__ == "__main__":
    main()
