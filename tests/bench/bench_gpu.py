#!/usr/bin/env python3
"""The GPU's encoder beside others on the same card, by turns, over batch sizes and lengths.

Ours by bench_gpu, over the bundle that JOBCODE_MODEL names; PyTorch's eager mode, torch.compile and ONNX Runtime by
bench_gpu_peers.py where JOBCODE_PEERS_PYTHON names a Python that has them and JOBCODE_WEIGHTS the checkpoint that the
bundle was made of. --device cpu: the others alone, on one core and small batches, to try this where there is no GPU.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from bench_http import hardware

SKIP = 77
HERE = pathlib.Path(__file__).parent
CPU_CASES = [(1, 8), (32, 8), (8, 64)]


def skip(text):
    print(f"skipped: {text}")
    sys.exit(SKIP)


def run(command):
    """Its lines of JSON; None where it has nothing to run on, which it says itself."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode == SKIP:
        return None
    done.check_returncode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_ours(args, model):
    results = run([args.gpu, model, args.seconds])
    if results is None:
        skip("there is no GPU")
    return results[0], [{"encoder": "ours", **result} for result in results[1:]]


def check_peers(model, weights):
    """What to run them by; None, and why, where they are not to be had."""
    python = os.environ.get("JOBCODE_PEERS_PYTHON")
    if not python or not weights:
        print("no others: JOBCODE_PEERS_PYTHON or JOBCODE_WEIGHTS is not set")
        return None
    name = "model.safetensors"
    if model and pathlib.Path(model, name).read_bytes() != pathlib.Path(weights, name).read_bytes():
        sys.exit(f"JOBCODE_MODEL's {name} is not JOBCODE_WEIGHTS's: the others would run another model")
    return python


def run_peers(args, python, weights, cases):
    command = [python, HERE / "bench_gpu_peers.py", "--weights", weights, "--device", args.device, "--seconds",
               args.seconds, "--work", args.exported, "--cases", ",".join(f"{n}x{length}" for n, length in cases)]
    return run(command) or []


def key_of(result):
    return result["tokens"], result["titles"], result["what"], result["encoder"], result["precision"]


def summarize(rounds):
    """{key: medians over the rounds}."""
    results = {}
    for result in (result for each in rounds for result in each):
        results.setdefault(key_of(result), []).append(result)
    numbers = ["titles_per_s", "p50_ms", "p99_ms", "share_of_peak", "share_of_bandwidth"]
    return {key: {name: statistics.median(result[name] for result in same) for name in numbers if name in same[0]}
            for key, same in results.items()}


def print_table(medians):
    print(f"{'tokens':>6}{'titles':>7}  {'':24}{'titles/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'of the peak':>12}"
          f"{'of the copy':>12}{'ours is':>9}")
    for (tokens, titles, what, encoder, precision), result in sorted(medians.items()):
        ours = medians.get((tokens, titles, what, "ours", precision))
        ratio = f"{ours['titles_per_s'] / result['titles_per_s']:.2f} x" if ours and encoder != "ours" else ""
        shares = "".join(f"{result[name]:12.3f}" if name in result else f"{'':12}"
                         for name in ("share_of_peak", "share_of_bandwidth"))
        print(f"{tokens:6}{titles:7}  {f'{encoder} {precision}, {what}':24}{result['titles_per_s']:10.0f}"
              f"{result['p50_ms']:9.3f}{result['p99_ms']:9.3f}{shares}{ratio:>9}")


def print_best(medians):
    """The goal: twice the best of the others, everywhere."""
    ratios = []
    for (tokens, titles, what, encoder, precision), ours in medians.items():
        others = [result["titles_per_s"] for key, result in medians.items()
                  if key[:3] == (tokens, titles, what) and key[3] != "ours" and key[4] == precision]
        if encoder == "ours" and others:
            ratios.append((ours["titles_per_s"] / max(others), tokens, titles))
    if ratios:
        least, tokens, titles = min(ratios)
        print(f"against the best of the others: at least twice in {sum(ratio[0] >= 2 for ratio in ratios)} of "
              f"{len(ratios)} cases; the least, {titles} titles of {tokens} tokens: {least:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpu", required=True, help="bench_gpu")
    parser.add_argument("--output", required=True)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("JOBCODE_BENCH_SECONDS", "1")),
                        help="of a measurement in a round")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    model, weights = os.environ.get("JOBCODE_MODEL"), os.environ.get("JOBCODE_WEIGHTS")
    has_gpu = args.device == "cuda"
    if has_gpu and not model:
        skip("JOBCODE_MODEL is not set")
    python = check_peers(model, weights)
    if not has_gpu and not python:
        sys.exit(SKIP)
    text = hardware()
    args.exported = pathlib.Path(args.output).with_suffix(".onnx")  # kept for the next run
    args.exported.mkdir(parents=True, exist_ok=True)
    card, rounds = None, []
    for _ in range(args.rounds):
        ours, cases = [], CPU_CASES
        if has_gpu:
            card, ours = run_ours(args, model)
            cases = sorted({(result["titles"], result["tokens"]) for result in ours})
        rounds.append(ours + (run_peers(args, python, weights, cases) if python else []))
    medians = summarize(rounds)
    print(f"{text}; medians of {args.rounds} rounds")
    if card:
        print(f"{card['name']}, compute capability {card['capability']}: {card['f16_tflops']} TFLOP/s at one large "
              f"product of halves, {card['copy_gb_per_s']} GB/s at one large copy")
    print_table(medians)
    print_best(medians)
    with open(args.output, "a", encoding="utf-8") as output:
        json.dump({"time": time.time(), "hardware": text, "card": card, "rounds": rounds}, output)
        output.write("\n")
    if not medians:
        skip("nothing could be measured")


if __name__ == "__main__":
    main()
