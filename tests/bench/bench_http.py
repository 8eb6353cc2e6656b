#!/usr/bin/env python3
"""What HTTP costs: the real server against its two yardsticks, in one run, on the same titles and cores.

    bench_http.py model   against the encoder alone; the model bundle is $JOBCODE_MODEL
    bench_http.py bare    with the fake encoder, against a bare libmicrohttpd handler and, where it is installed, nginx
    bench_http.py cache   titles that the result cache has, against the same titles with it off, and the bare handler

Prints a table and appends a JSON line to --output. The load generator shares the cores with the server; its part is
in the table. tests/bench/README.md says how to read it.
"""
import argparse
import functools
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import nginx

SKIP = 77
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))
ROUNDS = 3
ONE_EACH = ["-c", "64", "-k", "1"]
EVENT_THREADS = 2  # the server's default, for the bare handler too
CACHE_OFF = "cache.size=0"  # the load repeats its titles, and what is measured here is computing them
MANY_EACH = ["-c", "4", "-k", "256"]
ONE_ALONE = ["-c", "1", "-k", "1"]


def hardware():
    names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    return f"{names[0] if names else 'unknown CPU'}, {CORES} cores, load average {os.getloadavg()[0]:.2f} at the start"


def busy_s():
    """CPU seconds of the whole machine since it started."""
    fields = pathlib.Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
    return (sum(map(int, fields)) - int(fields[3]) - int(fields[4])) / CLOCK_TICKS


def process_cpu_s(process):
    """Of the process and of those that it started."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    n_ticks = 0
    for pid in (process.pid, *children):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        n_ticks += int(fields[11]) + int(fields[12])
    return n_ticks / CLOCK_TICKS


def rss_mib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024


class Server:
    """The real binary on a free port, and what it says of itself."""

    def __init__(self, binary, model, settings=()):
        command = [binary, "--set", "http.port=0", "--set", f"model.folder={model}", "--set", "shutdown.grace=0"]
        for setting in settings:
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.port = None
        for line in self.process.stderr:
            event = json.loads(line)
            if event["event"] == "ready":
                break
            if event["event"] == "listening":
                self.port = int(event["port"])
            else:
                print(line, end="", file=sys.stderr)
        else:
            raise SystemExit("the server did not start")

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            rows = re.findall(r"^(jobcode_\w+) (\S+)$", answer.read().decode(), re.M)
        return {name: float(value) for name, value in rows}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)


class Bare:
    """The bare handler, with the face of a Server."""

    def __init__(self, binary, n_bytes):
        command = [binary, str(n_bytes), str(EVENT_THREADS)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def metrics(self):
        return {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate("", timeout=60)


class Bench:
    def __init__(self, args, titles):
        self.args = args
        self.titles = titles

    def measure(self, server, options):
        """The load generator's result, with what the server did meanwhile.

        Titles are counted at the server, between two moments within the load: large requests are answered in bunches,
        and a count of answers in some seconds would be off by a bunch.
        """
        time.sleep(1.5)  # what an earlier load left in the queue
        command = [self.args.load, "-p", str(server.port), "-f", str(self.titles), "-s", str(self.args.seconds)]
        with subprocess.Popen(command + options, stdout=subprocess.PIPE, text=True) as process:
            time.sleep(1.5)
            before, start_s = server.metrics(), time.monotonic()
            cpu_s, machine_s = process_cpu_s(server.process), busy_s()
            time.sleep(self.args.seconds - 1)
            wall_s, after = time.monotonic() - start_s, server.metrics()
            server_cores = (process_cpu_s(server.process) - cpu_s) / wall_s
            machine_cores = (busy_s() - machine_s) / wall_s
            output = process.communicate()[0]
        if process.returncode:
            raise SystemExit("the load generator failed")
        result = json.loads(output)
        change = {name: after[name] - before.get(name, 0) for name in after}
        if change:
            result["titles_per_s"] = change["jobcode_titles_total"] / wall_s
            if change["jobcode_batch_titles_count"]:
                result["batch_mean"] = change["jobcode_batch_titles_sum"] / change["jobcode_batch_titles_count"]
            result["unique"] = change["jobcode_titles_encoded_total"] / change["jobcode_titles_total"]
            result["hits"] = change["jobcode_cache_hits_total"] / change["jobcode_titles_total"]
        result["server_cores"] = server_cores
        result["load_cores"] = result["load_cpu_s"] / result["seconds"]
        result["other_cores"] = max(0, machine_cores - server_cores - result["load_cores"])
        return result

    def encoder(self, model, precision):
        command = [self.args.encoder, model, str(self.titles), str(self.args.seconds), precision]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def print_row(name, rate, ratio="", result=None):
    text = f"{name:44}{rate:>10} {ratio:>8}"
    if result:
        text += f" {result['p50_ms']:9.2f} {result['p99_ms']:9.2f}"
    if result and "server_cores" in result:
        batch = f"{result['batch_mean']:.1f}" if "batch_mean" in result else ""
        text += f" {batch:>8} {result['server_cores']:7.2f} {result['load_cores']:6.2f} {result['other_cores']:7.2f}"
    print(text)


def print_head(unit):
    print(f"{'':44}{unit:>10} {'ratio':>8} {'p50 ms':>9} {'p99 ms':>9} "
          f"{'batch':>8} {'server':>7} {'load':>6} {'others':>7}")
    print(f"{'':96}cores  cores   cores")


def mean_of(before, after):
    return {name: (before[name] + after[name]) / 2 for name in before}


def measure_round(bench, model, precision):
    with Server(bench.args.server, model, [f"encoder.precision={precision}", CACHE_OFF]) as server:
        return {"many": bench.measure(server, MANY_EACH), "one": bench.measure(server, ONE_EACH),
                "alone": bench.measure(server, ONE_ALONE), "rss_mib": rss_mib(server.process)}


def run_model(bench, precision="f32"):
    """The yardstick is measured before and after each round, as cores change their speed; medians count."""
    model = os.environ.get("JOBCODE_MODEL")
    if not model:
        print("skipped: JOBCODE_MODEL is not set to a complete model bundle (with model.safetensors)")
        sys.exit(SKIP)
    encoder = [bench.encoder(model, precision)]
    rounds = []
    for _ in range(ROUNDS):
        each = measure_round(bench, model, precision)
        encoder.append(bench.encoder(model, precision))
        each["encoder"] = yardstick = mean_of(*encoder[-2:])
        for name in ("many", "one"):
            each[name]["ratio"] = each[name]["titles_per_s"] / yardstick["titles_per_s"]
        each["added_ms"] = each["alone"]["p50_ms"] - yardstick["encode_p50_ms"]
        rounds.append(each)

    def median(*path):
        return statistics.median(functools.reduce(lambda node, name: node[name], path, each) for each in rounds)

    def medians(what):
        return {name: median(what, name) for name in rounds[0][what]}

    whole, many, one, alone = (medians(what) for what in ("encoder", "many", "one", "alone"))
    print(f"{precision}, {whole['tokens_mean']:.2f} tokens a title, [CLS] and [SEP] counted; {whole['threads']:.0f} encoder threads; "
          f"medians of {ROUNDS} rounds")
    print_head("titles/s")
    print_row("encoder alone, batches of 256", f"{whole['titles_per_s']:.0f}", "1")
    print_row("HTTP, 256 titles a request, 4 connections", f"{many['titles_per_s']:.0f}", f"{many['ratio']:.3f}", many)
    print_row("HTTP, 1 title a request, 64 connections", f"{one['titles_per_s']:.0f}", f"{one['ratio']:.3f}", one)
    print_row("idle, encode one title", "", "", {"p50_ms": whole["encode_p50_ms"], "p99_ms": whole["encode_p99_ms"]})
    print_row("idle, tokenise, encode and rank one title", "", "",
              {"p50_ms": whole["classify_p50_ms"], "p99_ms": whole["classify_p99_ms"]})
    print_row("idle, HTTP, one title on one connection", f"{alone['titles_per_s']:.0f}", "", alone)
    print(f"HTTP adds {median('added_ms'):.2f} ms to the encoder's p50. The server has {median('rss_mib'):.0f} MiB resident.")
    print("rounds: encoder " + ", ".join(f"{each['titles_per_s']:.0f}" for each in encoder) + " titles/s; ratios " +
          ", ".join(f"{each['many']['ratio']:.3f}/{each['one']['ratio']:.3f}" for each in rounds) + "; added " +
          ", ".join(f"{each['added_ms']:.2f}" for each in rounds) + " ms")
    return {"precision": precision, "rounds": rounds}


def write_fake_titles(vocab, path):
    """Titles of words that the fake vocabulary holds, so that they have as many tokens as real ones have."""
    lines = pathlib.Path(vocab).read_text(encoding="utf-8").split()
    words = [word for word in lines if re.fullmatch("[a-z]{3,}", word)]
    rng = random.Random(1)
    titles = {" ".join(rng.sample(words, rng.choice([2, 3, 4, 5]))) for _ in range(6000)}
    path.write_text("\n".join(sorted(titles, key=lambda title: rng.random())) + "\n", encoding="utf-8")


def run_bare(bench):
    """Turn about, so that both see the same machine; the median of the rounds counts."""
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "fake"
        subprocess.run([bench.args.fake_bundle, model], check=True)
        write_fake_titles(model / "vocab.txt", bench.titles)
        rounds = []
        for _ in range(ROUNDS):
            with Server(bench.args.server, model, [f"http.threads={EVENT_THREADS}", CACHE_OFF]) as server:
                ours = bench.measure(server, ONE_EACH)
            with Bare(bench.args.bare, round(ours["body_bytes"])) as handler:
                bare = bench.measure(handler, ONE_EACH)
            rounds.append({"server": ours, "bare": bare, "ratio": ours["requests_per_s"] / bare["requests_per_s"]})
            if nginx.find():
                with nginx.Nginx(round(ours["body_bytes"]), EVENT_THREADS) as peer:
                    rounds[-1]["nginx"] = bench.measure(peer, ONE_EACH)
    rounds.sort(key=lambda each: each["ratio"])
    median = rounds[ROUNDS // 2]
    print_head("req/s")
    print_row("bare libmicrohttpd handler, 64 connections", f"{median['bare']['requests_per_s']:.0f}", "1",
              median["bare"])
    if "nginx" in median:
        rate = median["nginx"]["requests_per_s"]
        print_row(f"nginx, {EVENT_THREADS} workers, 64 connections", f"{rate:.0f}",
                  f"{rate / median['bare']['requests_per_s']:.3f}", median["nginx"])
    else:
        print("nginx is not installed: nothing to compare with")
    print_row("server with the fake encoder, 64 connections", f"{median['server']['requests_per_s']:.0f}",
              f"{median['ratio']:.3f}", median["server"])
    print("ratios of the rounds: " + ", ".join(f"{each['ratio']:.3f}" for each in rounds))
    return {"rounds": rounds}


def measure_cache_round(bench, model):
    threads = f"http.threads={EVENT_THREADS}"
    with Server(bench.args.server, model, [threads, CACHE_OFF]) as server:
        off, off_alone = bench.measure(server, ONE_EACH), bench.measure(server, ONE_ALONE)
    with Server(bench.args.server, model, [threads]) as server:
        bench.measure(server, ONE_EACH)  # every title once and more
        hits, alone = bench.measure(server, ONE_EACH), bench.measure(server, ONE_ALONE)
    if min(hits["hits"], alone["hits"]) < .999:  # the health canary is never a hit
        raise SystemExit("not every title was in the cache")
    with Bare(bench.args.bare, round(hits["body_bytes"])) as handler:
        bare = bench.measure(handler, ONE_EACH)
    return {"off": off, "off_alone": off_alone, "hits": hits, "alone": alone, "bare": bare,
            "ratio": hits["requests_per_s"] / bare["requests_per_s"]}


def run_cache(bench):
    """As run_bare, with the titles in the cache; the round of the median ratio counts."""
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "fake"
        subprocess.run([bench.args.fake_bundle, model], check=True)
        write_fake_titles(model / "vocab.txt", bench.titles)
        rounds = [measure_cache_round(bench, model) for _ in range(ROUNDS)]
    rounds.sort(key=lambda each: each["ratio"])
    median = rounds[ROUNDS // 2]
    print_head("req/s")
    for name, key in (("bare libmicrohttpd handler, 64 connections", "bare"), ("cache hits, 64 connections", "hits"),
                      ("cache off, fake encoder, 64 connections", "off"), ("cache hits, one connection", "alone"),
                      ("cache off, fake encoder, one connection", "off_alone")):
        rate = median[key]["requests_per_s"]
        print_row(name, f"{rate:.0f}", f"{rate / median['bare']['requests_per_s']:.3f}", median[key])
    print("ratios of the rounds: " + ", ".join(f"{each['ratio']:.3f}" for each in rounds))
    return {"rounds": rounds}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["model", "int8", "bare", "cache"])
    for name in ("server", "load", "encoder", "bare", "fake-bundle", "output"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    args = parser.parse_args()

    titles = pathlib.Path(args.output).with_suffix(f".{args.what}.txt")
    hardware_text = hardware()
    print(hardware_text)
    if args.what in ("model", "int8"):
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("titles.py"), titles], check=True)
    runs = {"model": run_model, "int8": functools.partial(run_model, precision="int8"), "bare": run_bare,
            "cache": run_cache}
    result = runs[args.what](Bench(args, titles))
    with open(args.output, "a", encoding="utf-8") as output:
        json.dump({"what": args.what, "time": time.time(), "hardware": hardware_text, "cores": CORES, **result}, output)
        output.write("\n")


if __name__ == "__main__":
    main()
