#!/usr/bin/env python3
"""The encoders side by side on the same titles and the same core, one process at a time, by turns.

Ours in f32 and int8 and libtorch's where the build has it (bench_encoders); ONNX Runtime's and sentence-transformers'
(bench_peers.py) where JOBCODE_PEERS_PYTHON names a Python that has their packages. JOBCODE_WEIGHTS is the checkpoint.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from bench_http import hardware

SKIP = 77
ROUNDS = 3
HERE = pathlib.Path(__file__).parent


def run(command):
    """On the first core that this process may use; its lines of JSON."""
    core = min(os.sched_getaffinity(0))
    command = ["taskset", "-c", str(core), *map(str, command)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def measure_round(args, weights, folder):
    titles, ids = folder / "titles.txt", folder / "titles.ids"
    results = run([args.encoders, weights, titles, args.seconds])
    python = os.environ.get("JOBCODE_PEERS_PYTHON")
    if python:
        results += run([python, HERE / "bench_peers.py", "--weights", weights, "--titles", titles, "--ids", ids,
                        "--seconds", args.seconds // 4 or 1, "--work", args.exported])
    return {result["encoder"]: result for result in results}


def print_table(rounds):
    print(f"{'':24}{'titles/s':>10}{'sorted':>10}{'p50 ms':>9}{'of the peak':>13}")
    for name, first in rounds[0].items():
        def median(key, name=name):
            return statistics.median(each[name][key] for each in rounds)
        came = median("titles_per_s" if "titles_per_s" in first else "titles_per_s_as_they_come")
        in_order = f"{median('titles_per_s_sorted'):.0f}" if "titles_per_s_sorted" in first else ""
        share = f"{median('share_of_peak'):.2f}" if "share_of_peak" in first else ""
        print(f"{name:24}{came:10.0f}{in_order:>10}{median('single_p50_ms'):9.2f}{share:>13}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoders", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--seconds", type=int, default=12, help="of each of our encoders in a round")
    args = parser.parse_args()
    weights = os.environ.get("JOBCODE_WEIGHTS")
    if not weights:
        print("skipped: JOBCODE_WEIGHTS (the checkpoint's folder) is not set")
        sys.exit(SKIP)
    text = hardware()
    args.exported = pathlib.Path(args.output).with_suffix(".onnx")  # the peers' models, kept for the next run
    args.exported.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.executable, HERE / "titles.py", folder / "titles.txt"], check=True)
        subprocess.run([args.encoders, weights, folder / "titles.txt", "--ids", folder / "titles.ids"], check=True)
        rounds = [measure_round(args, weights, folder) for _ in range(ROUNDS)]
    ours = rounds[0]["f32"]
    print(text)
    print(f"one core, batches of {ours['batch']}, {ours['tokens_mean']:.2f} tokens a title; medians of {ROUNDS} rounds")
    print("GEMM peak: f32 " + ", ".join(f"{each['f32']['gemm_peak_gops']:.0f}" for each in rounds) + "; int8 " +
          ", ".join(f"{each['int8']['gemm_peak_gops']:.0f}" for each in rounds) + " GOP/s")
    print_table(rounds)
    with open(args.output, "a", encoding="utf-8") as output:
        json.dump({"time": time.time(), "hardware": text, "rounds": rounds}, output)
        output.write("\n")


if __name__ == "__main__":
    main()
