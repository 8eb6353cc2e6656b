#!/usr/bin/env python3
"""What others make of the same titles on one thread: ONNX Runtime in float32 and dynamic 8 bits, sentence-transformers.

    bench_peers.py --weights DIR --ids FILE --titles FILE [--seconds 10] [--work DIR]

--ids holds a JSON array of token ids a line, as `bench_encoders ... --ids` writes them; --titles the same titles as
text. Prints a JSON object an encoder, as bench_encoders does. The ONNX files are exported from the weights into --work
and taken from there the next time. Needs the packages sentence-transformers, onnx and onnxruntime; this is no part of
the build.
"""
import argparse
import json
import os
import pathlib
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402

BATCH = 64
N_SINGLES = 1000


def export(model, path):
    """Pooling and norm included; batch and length are free."""

    class Encoder(torch.nn.Module):
        def __init__(self, bert):
            super().__init__()
            self.bert = bert

        def forward(self, input_ids, attention_mask):
            states = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).float()
            return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)

    bert = model[0].auto_model.eval()
    bert.config._attn_implementation = "eager"
    ids = torch.randint(5, 30000, (2, 8))
    axes = {0: "n", 1: "t"}
    torch.onnx.export(Encoder(bert), (ids, torch.ones_like(ids)), str(path),
                      input_names=["input_ids", "attention_mask"],
                      output_names=["vectors"], dynamic_axes={"input_ids": axes, "attention_mask": axes},
                      opset_version=17, dynamo=False)


def optimize(path, work):
    """Fused attention, GELU and layer norm, as ONNX Runtime's own tool makes them."""
    from onnxruntime.transformers import optimizer
    to = work / "encoder-optimized.onnx"
    if not to.exists():
        fused = optimizer.optimize_model(str(path), model_type="bert", num_heads=12, hidden_size=384, opt_level=1)
        fused.save_model_to_file(str(to))
    return to


def quantize(path, to):
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(str(path), str(to), weight_type=QuantType.QInt8, per_channel=True,
                     extra_options={"DefaultTensorType": TensorProto.FLOAT})


def pad(rows):
    width = max(map(len, rows))
    ids = numpy.zeros((len(rows), width), numpy.int64)
    mask = numpy.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = row
        mask[i, :len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    run = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda rows: run.run(None, pad(rows))[0]


def measure(name, encode, rows, seconds, report):
    """Batches of titles as they come, which are padded to the longest, and of titles sorted by length beforehand."""
    for order in ("as_they_come", "sorted"):
        ordered = sorted(rows, key=len) if order == "sorted" else rows
        batches = [ordered[i:i + BATCH] for i in range(0, len(ordered) - BATCH + 1, BATCH)]
        batches = [batches[i * 7919 % len(batches)] for i in range(len(batches))]
        best = 0
        for _ in range(5):
            start, done = time.perf_counter(), 0
            while time.perf_counter() - start < seconds / 5:
                encode(batches[done % len(batches)])
                done += 1
            best = max(best, done * BATCH / (time.perf_counter() - start))
        report = {**report, f"titles_per_s_{order}": round(best, 1)}
    singles = []
    for i in range(N_SINGLES):
        start = time.perf_counter()
        encode([rows[i * 3 % len(rows)]])
        singles.append(time.perf_counter() - start)
    singles.sort()
    print(json.dumps({"encoder": name, "batch": BATCH, "single_p50_ms": round(singles[N_SINGLES // 2] * 1e3, 3),
                      **report}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--ids", required=True, type=pathlib.Path)
    parser.add_argument("--titles", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("."))
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = [json.loads(line) for line in args.ids.read_text().splitlines()]
    titles = [line for line in args.titles.read_text(encoding="utf-8").splitlines() if line]
    model = SentenceTransformer(args.weights, device="cpu")
    plain, small = args.work / "encoder.onnx", args.work / "encoder-int8.onnx"
    if not plain.exists():
        export(model, plain)
    fused = optimize(plain, args.work)
    if not small.exists():
        quantize(fused, small)
    float32, int8 = session(fused), session(small)
    want = model.encode(titles[:200], batch_size=1, normalize_embeddings=True)
    for name, encode in (("onnxruntime f32", float32), ("onnxruntime int8", int8)):
        got = numpy.concatenate([encode([row]) for row in rows[:200]])
        cosine = float((got * want).sum(1).mean())
        measure(name, encode, rows, args.seconds, {"cosine": round(cosine, 5), "version": onnxruntime.__version__})
    measure("sentence-transformers",
            lambda texts: model.encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False),
            titles, args.seconds, {"version": torch.__version__})


if __name__ == "__main__":
    main()
