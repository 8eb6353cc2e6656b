#!/usr/bin/env python3
"""What is left of the server at five times the load that it can carry.

    bench_overload.py fake    the fake encoder under so many categories that the workers are what limits the server
    bench_overload.py model   the model bundle is $JOBCODE_MODEL

The peak is measured by a closed loop before and after, the overload by an open one; both send the same mixture of
single titles and batches, and every title is new to the server, whose cache is on. Prints a table, appends a JSON line
to --output, and fails where a refusal lacks Retry-After. tests/bench/README.md says how to read it.
"""
import argparse
import itertools
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

from bench_http import CORES, SKIP, Server, busy_s, hardware, process_cpu_s

FACTOR = 5
ROUNDS = 5
N_TITLES = 400_000  # no title repeats within a measurement
N_BATCH = 32
BATCH_EVERY = 20  # so that batches have five eighths of the titles
PEAK_CONNECTIONS = 128
MOST_CONNECTIONS = 3500  # the server takes 4096
# What bounds the queue to about a second of work: a setting of the server, or what its clients ask for.
OVERLOADS = {"bound": (["workers.queue_titles=1024"], []), "deadline": ([], ["-t", "1000"])}
FAKE_CATEGORIES = 100_000
MOST_HITS = 0.01
AIM_GOODPUT, AIM_REFUSAL_MS = 0.90, 5.0


def make_fake_titles(vocab):
    words = [word for word in vocab.read_text(encoding="utf-8").split() if re.fullmatch("[a-z]{3,}", word)]
    rng = random.Random(1)
    while True:
        yield " ".join(rng.choices(words, k=rng.choice([3, 4, 5, 6])))


def make_real_titles(path):
    """The titles of titles.py again and again, each with a number behind it, so that all are as long."""
    subprocess.run([sys.executable, pathlib.Path(__file__).with_name("titles.py"), path], check=True)
    titles = path.read_text(encoding="utf-8").splitlines()
    for turn in itertools.count(100):
        for title in titles:
            yield f"{title} {turn}"


def write_titles(path, titles):
    distinct = dict.fromkeys(itertools.islice(titles, 3 * N_TITLES))
    path.write_text("\n".join(itertools.islice(distinct, N_TITLES)) + "\n", encoding="utf-8")


class Bench:
    def __init__(self, args, titles):
        self.args = args
        self.titles = titles

    def run(self, server, *options):
        command = [self.args.open_load, "-p", str(server.port), "-f", str(self.titles), "-s", str(self.args.seconds),
                   "-k", str(N_BATCH), "-e", str(BATCH_EVERY), *options]
        cpu_s, machine_s, start_s = process_cpu_s(server.process), busy_s(), time.monotonic()
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        wall_s = time.monotonic() - start_s
        result = json.loads(output)
        metrics = server.metrics()
        if metrics["jobcode_cache_hits_total"] > MOST_HITS * metrics["jobcode_titles_total"]:
            raise SystemExit("titles repeated: the cache answered them")
        result["good_titles_per_s"] = sum_of(result, "good", "titles") / result["seconds"]
        result["server_cores"] = (process_cpu_s(server.process) - cpu_s) / wall_s
        result["load_cores"] = result["load_cpu_s"] / result["seconds"]
        machine_cores = (busy_s() - machine_s) / wall_s
        result["other_cores"] = max(0, machine_cores - result["server_cores"] - result["load_cores"])
        return result

    def measure(self, model, settings, *options):
        """On a server of its own: no title is known to it from another measurement."""
        with Server(self.args.server, model, settings) as server:
            return self.run(server, *options)

    def measure_round(self, model):
        before = self.measure(model, [], "-c", str(PEAK_CONNECTIONS))
        rate = round(FACTOR * before["good_titles_per_s"])
        # Who waits a second for an answer holds a connection; the server looks at each several times a second.
        n_connections = min(MOST_CONNECTIONS, 500 + round(1.3 * before["good_titles_per_s"]))
        load = ["-c", str(n_connections), "-r", str(rate)]
        overloads = {name: self.measure(model, settings, *load, *options)
                     for name, (settings, options) in OVERLOADS.items()}
        after = self.measure(model, [], "-c", str(PEAK_CONNECTIONS))
        peak = (before["good_titles_per_s"] + after["good_titles_per_s"]) / 2
        for overload in overloads.values():
            overload["goodput"] = overload["good_titles_per_s"] / peak
            taken = overload["load_cores"] - (before["load_cores"] + after["load_cores"]) / 2
            overload["goodput_without_load"] = overload["goodput"] / (1 - taken / CORES)
        return {"before": before, "after": after, "peak": peak, "offered": rate, **overloads}


def sum_of(result, outcome, what):
    return sum(result[f"{outcome}_{size}"][what] for size in ("single", "batch"))


def print_outcome(name, result, from_when="due"):
    text = f"{name:30}{result['requests']:>10} {result['titles']:>10}"
    if result["requests"]:
        text += "".join(f" {result[f'{from_when}_{what}_ms']:9.2f}" for what in ("p50", "p99", "max"))
    print(text)


def print_overload(name, overload):
    answered = sum(sum_of(overload, outcome, "titles") for outcome in ("good", "refused", "expired"))
    print(f"\nqueue bounded by {name}: offered {overload['sent_titles'] / overload['seconds']:.0f} titles/s, "
          f"goodput {overload['good_titles_per_s']:.0f} = {overload['goodput']:.3f} of the peak "
          f"(aim: {AIM_GOODPUT:.2f}), {overload['goodput_without_load']:.3f} of what the load generator leaves of it; "
          f"of the titles refused {sum_of(overload, 'refused', 'titles') / answered:.3f}, "
          f"too late {sum_of(overload, 'expired', 'titles') / answered:.3f}")
    print(f"{'':30}{'requests':>10} {'titles':>10} {'p50 ms':>9} {'p99 ms':>9} {'max ms':>9}")
    for what in ("good_single", "good_batch", "expired_single", "expired_batch"):
        print_outcome(what.replace("_", ", "), overload[what])
    for size in ("single", "batch"):
        print_outcome(f"refused, {size}", overload[f"refused_{size}"])
        print_outcome(f"  from sent (aim: p99 < {AIM_REFUSAL_MS:.0f})", overload[f"refused_{size}"], "sent")
    print(f"sent late: p99 {overload['lag_p99_ms']:.2f} ms, never sent {overload['never_sent']} requests; "
          f"cores: server {overload['server_cores']:.2f}, load {overload['load_cores']:.2f}, "
          f"others {overload['other_cores']:.2f}; load generator in real time: {overload['real_time']}")


def print_round(each):
    print(f"\npeak {each['before']['good_titles_per_s']:.0f} titles/s before, "
          f"{each['after']['good_titles_per_s']:.0f} after; others {each['before']['other_cores']:.2f} and "
          f"{each['after']['other_cores']:.2f} cores")
    for name in OVERLOADS:
        print_overload(name, each[name])


def check(rounds):
    """What must not be, whatever else the machine does."""
    overloads = [each[name] for each in rounds for name in OVERLOADS]
    lacking = sum(overload["without_retry_after"] for overload in overloads)
    refused = sum(sum_of(overload, "refused", "requests") for overload in overloads)
    if lacking:
        raise SystemExit(f"{lacking} refusals without Retry-After")
    if not refused:
        raise SystemExit("nothing was refused: this was no overload")
    print(f"\nevery refusal of {refused} had Retry-After")


def print_medians(rounds):
    for name in OVERLOADS:
        goodput = statistics.median(each[name]["goodput"] for each in rounds)
        p99 = statistics.median(each[name]["refused_single"]["sent_p99_ms"] for each in rounds)
        left = statistics.median(each[name]["goodput_without_load"] for each in rounds)
        print(f"queue bounded by {name}, medians of {len(rounds)} rounds: goodput {goodput:.3f} ({left:.3f} of what "
              f"the load generator leaves), refusals' p99 {p99:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["fake", "model"])
    for name in ("server", "open-load", "fake-bundle", "output"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()

    hardware_text = hardware()
    print(hardware_text)
    with tempfile.TemporaryDirectory() as folder:
        titles = pathlib.Path(folder) / "titles.txt"
        model = os.environ.get("JOBCODE_MODEL")
        if args.what == "fake":
            model = pathlib.Path(folder) / "fake"
            subprocess.run([args.fake_bundle, "--categories", str(FAKE_CATEGORIES), model], check=True)
            write_titles(titles, make_fake_titles(model / "vocab.txt"))
        elif not model:
            print("skipped: JOBCODE_MODEL is not set to a complete model bundle (with model.safetensors)")
            sys.exit(SKIP)
        else:
            write_titles(titles, make_real_titles(titles))
        rounds = []
        for _ in range(args.rounds):
            rounds.append(Bench(args, titles).measure_round(model))
            print_round(rounds[-1])
    check(rounds)
    print_medians(rounds)
    with open(args.output, "a", encoding="utf-8") as output:
        json.dump({"what": args.what, "time": time.time(), "hardware": hardware_text, "rounds": rounds}, output)
        output.write("\n")


if __name__ == "__main__":
    main()
