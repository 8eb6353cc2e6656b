#!/usr/bin/env python3
"""What training costs, by the real program.

    bench_train.py methods   the trained methods against `average`, from the titles to the published model, without
                             cached vectors and with them; needs $JOBCODE_ONET_DIR and the encoder of $JOBCODE_MODEL
    bench_train.py scale     time and peak memory of a fit on 50,000 and 1,000,000 made-up postings, fake encoder

Prints a table and appends a JSON line to --output. tests/bench/README.md says how to read it.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from bench_http import CORES, ROUNDS, SKIP, busy_s, hardware

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ["average", "softmax", "contrastive"]  # the first is the yardstick
MEMORY_LIMIT_MIB = 8192
SCALES = [(50_000, []), (1_000_000, ["--no-body"])]
SAMPLE_S = 0.1  # between two looks at a run's memory


class Run:
    """A run to its end: what it said, how long it took, and its peak memory.

    rss_mib counts the pages of mapped files (the vectors of the cache) that are in memory; the system takes those back
    when it needs them. own_mib is the rest, sampled: what must be there.
    """

    def __init__(self, train, command, config, settings):
        arguments = [train, command, "--config", config]
        for setting in settings:
            arguments += ["--set", setting]
        machine_s, start_s = busy_s(), time.monotonic()
        self.own_mib, self.stages = 0, {}
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            self.process = subprocess.Popen(arguments, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True)
            threading.Thread(target=self.watch, daemon=True).start()
            self.said = self.listen(start_s)
            _, status, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.wall_s = time.monotonic() - start_s
            out.seek(0)
            self.said += out.read()
        if self.process.returncode:
            raise SystemExit(f"{' '.join(map(str, arguments))}: exit status {self.process.returncode}\n{self.said}")
        self.rss_mib = usage.ru_maxrss / 1024
        self.cores = (usage.ru_utime + usage.ru_stime) / self.wall_s
        self.other_cores = max(0, (busy_s() - machine_s) / self.wall_s - self.cores)

    def listen(self, start_s):
        """All of standard error; stages: the second at which a step said its last word."""
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            self.stages[line.split(":")[0]] = time.monotonic() - start_s
        self.process.stderr.close()
        return "".join(lines)

    def watch(self):
        while self.process.returncode is None:
            try:
                status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
            except OSError:
                return
            own = re.search(r"RssAnon:\s+(\d+) kB", status)
            self.own_mib = max(self.own_mib, int(own.group(1)) / 1024 if own else 0)
            time.sleep(SAMPLE_S)

    def find(self, pattern):
        found = re.search(pattern, self.said, re.M)
        if not found:
            raise SystemExit(f"the run did not say {pattern}:\n{self.said}")
        return float(found.group(1))

    def result(self):
        return {"wall_s": self.wall_s, "rss_mib": self.rss_mib, "own_mib": self.own_mib, "cores": self.cores,
                "other_cores": self.other_cores, "stages": self.stages}


# ---- the methods ----


def measure_method(train, method, weights, folder):
    """A fit as config/onet.yaml has it: read, encode, calibrate, measure, fit on all rows, publish; then once more."""
    settings = [f"method={method}", f"encoder.weights={weights}", f"cache={folder}/vectors", f"output={folder}/model",
                "report="]
    cold = Run(train, "fit", "config/onet.yaml", settings)
    warm = Run(train, "fit", "config/onet.yaml", settings)
    return {"cold": cold.result(), "warm": warm.result(), "n_texts": cold.find(r"^encode: (\d+) in"),
            "encode_s": cold.find(r"^encode: \d+ in ([\d.]+) s"), "fit_s": cold.find(r"^fit: .*, ([\d.]+) s in all")}


def run_methods(args):
    """Turn about, as cores change their speed; a method's ratio is to `average` of its own round; medians count."""
    weights = os.environ.get("JOBCODE_WEIGHTS")
    if not weights or not os.environ.get("JOBCODE_ONET_DIR"):
        print("skipped: JOBCODE_WEIGHTS (the checkpoint's folder) and JOBCODE_ONET_DIR are not both set")
        sys.exit(SKIP)
    rounds = []
    for i in range(args.rounds):
        each = {}
        for method in METHODS[i % len(METHODS):] + METHODS[:i % len(METHODS)]:
            with tempfile.TemporaryDirectory() as folder:
                each[method] = run = measure_method(args.train, method, os.path.abspath(weights), folder)
            print(f"round {i + 1}: {method} {run['cold']['wall_s']:.1f} s, with cached vectors "
                  f"{run['warm']['wall_s']:.1f} s", file=sys.stderr)
        rounds.append(each)

    def median(method, value):
        return statistics.median(value(each[method], each[METHODS[0]]) for each in rounds)

    print(f"{median(METHODS[0], lambda run, _: run['n_texts']):.0f} texts; medians of {args.rounds} rounds")
    print(f"{'':14}{'no cache s':>11}{'ratio':>8}{'encoding s':>12}{'fitting s':>11}{'cached s':>10}{'CPU s':>8}"
          f"{'others':>8}")
    for method in METHODS:
        print(f"{method:14}{median(method, lambda run, _: run['cold']['wall_s']):11.1f}"
              f"{median(method, lambda run, base: run['cold']['wall_s'] / base['cold']['wall_s']):8.3f}"
              f"{median(method, lambda run, _: run['encode_s']):12.1f}"
              f"{median(method, lambda run, _: run['fit_s']):11.2f}"
              f"{median(method, lambda run, _: run['warm']['wall_s']):10.1f}"
              f"{median(method, lambda run, _: run['cold']['cores'] * run['cold']['wall_s']):8.1f}"
              f"{median(method, lambda run, _: run['cold']['other_cores']):8.2f}")
    return {"rounds": rounds}


# ---- scale ----


def measure_scale(args, n_rows, options, weights, folder):
    postings = folder / "postings.csv"
    subprocess.run([sys.executable, pathlib.Path(__file__).with_name("make_postings.py"), "--rows", str(n_rows),
                    "--output", postings, *options], check=True)
    run = Run(args.train, "fit", "config/postings.yaml",
              [f"postings.0.path={postings}", "codes.crosswalk=", "encoder.kind=fake", f"encoder.weights={weights}",
               f"cache={folder}/vectors", f"output={folder}/models", f"report={folder}/report",
               f"rejects={folder}/rejects.csv"])
    return {**run.result(), "n_rows": n_rows, "file_mib": postings.stat().st_size / 2**20,
            "n_texts": run.find(r"(\d+) distinct texts"), "encode_s": run.find(r"^encode: \d+ in ([\d.]+) s"),
            "fit_s": run.find(r"^fit: .*, ([\d.]+) s in all")}


def run_scale(args):
    results = []
    print(f"{'rows':>9}{'MiB':>7}{'texts':>9}{'read s':>8}{'encode s':>10}{'fit s':>8}{'all s':>8}{'peak MiB':>10}"
          f"{'its own':>9}{'cores':>7}{'others':>8}")
    for n_rows, options in SCALES:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            subprocess.run([args.fake_bundle, folder / "fake"], check=True)
            row = measure_scale(args, n_rows, options, folder / "fake", folder)
        print(f"{row['n_rows']:9}{row['file_mib']:7.0f}{row['n_texts']:9.0f}{row['stages']['read']:8.1f}"
              f"{row['encode_s']:10.1f}{row['fit_s']:8.1f}{row['wall_s']:8.1f}{row['rss_mib']:10.0f}"
              f"{row['own_mib']:9.0f}{row['cores']:7.2f}{row['other_cores']:8.2f}", flush=True)
        results.append(row)
    if max(row["rss_mib"] for row in results) >= MEMORY_LIMIT_MIB:
        raise SystemExit(f"the peak is not below {MEMORY_LIMIT_MIB} MiB")
    return {"scales": results}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["methods", "scale"])
    for name in ("train", "fake-bundle", "output"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the methods")
    args = parser.parse_args()
    args.train, args.fake_bundle = os.path.abspath(args.train), os.path.abspath(args.fake_bundle)
    hardware_text = hardware()
    print(hardware_text, flush=True)
    result = {"methods": run_methods, "scale": run_scale}[args.what](args)
    with open(args.output, "a", encoding="utf-8") as output:
        json.dump({"what": args.what, "time": time.time(), "hardware": hardware_text, "cores": CORES, **result}, output)
        output.write("\n")


if __name__ == "__main__":
    main()
