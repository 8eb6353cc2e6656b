#!/usr/bin/env python3
"""What others make of the same batches on a GPU, in halves: PyTorch eager, torch.compile, ONNX Runtime.

    bench_gpu_peers.py --weights DIR --cases 1x8,512x8 [--device cpu] [--seconds 1] [--work DIR]

A case is titles x tokens; titles are random tokens of one length, so nobody pads. A call begins with ids in the host's
memory and ends with float32 vectors there. Prints a JSON object a measurement, as bench_gpu does, and on standard error
which of the three are left out, and why. --device cpu: in float32 on one core, to try the script where there is no GPU.
Exit status 77 where PyTorch or the GPU is missing. Needs torch and transformers; for ONNX Runtime also
sentence-transformers, onnx and onnxruntime-gpu. This is no part of the build.
"""
import argparse
import json
import pathlib
import sys
import time

SKIP = 77
WARM_UP = 5
LEAST_COSINE = 0.999  # of any vector to PyTorch's in float32: else it is another model


def say(text):
    print(text, file=sys.stderr, flush=True)


try:
    import numpy
    import torch
    import transformers
except ImportError as missing:
    say(f"skipped: {missing}")
    sys.exit(SKIP)


class Encoder(torch.nn.Module):
    """Pooling and norm in float32, as ours."""

    def __init__(self, weights, device, dtype):
        super().__init__()
        self.bert = transformers.AutoModel.from_pretrained(weights, attn_implementation="sdpa", add_pooling_layer=False)
        self.to(device=device, dtype=dtype).eval()

    def forward(self, ids):
        states = self.bert(input_ids=ids).last_hidden_state
        return torch.nn.functional.normalize(states.float().mean(1), dim=1)


def calls(model, device):
    """encode(ids): from the host's numbers to the host's; .cpu() waits for the device."""

    def encode(ids):
        with torch.inference_mode():
            return model(torch.from_numpy(ids).to(device)).cpu().numpy()

    return encode


def make_eager(args, dtype):
    return calls(Encoder(args.weights, args.device, dtype), args.device), torch.__version__


def make_compiled(args, dtype):
    """A graph a shape; on a GPU with CUDA graphs."""
    torch._dynamo.config.recompile_limit = 1000
    mode = args.compile_mode if args.device == "cuda" else "default"
    model = torch.compile(Encoder(args.weights, args.device, dtype), mode=mode, dynamic=False)
    return calls(model, args.device), torch.__version__


def make_onnxruntime(args, dtype):
    """Exported and fused as bench_peers.py does; on a GPU then in halves, but for input and output."""
    import onnx
    import onnxruntime
    from onnxruntime.transformers.onnx_model import OnnxModel
    import bench_peers

    provider = "CUDAExecutionProvider" if args.device == "cuda" else "CPUExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise ImportError(f"this onnxruntime has no {provider}")
    plain, path = args.work / "encoder.onnx", args.work / "encoder-f16.onnx"
    if not plain.exists():
        bench_peers.export(bench_peers.SentenceTransformer(args.weights, device="cpu"), plain)
    fused = bench_peers.optimize(plain, args.work)
    if dtype == torch.float16 and not path.exists():
        halves = OnnxModel(onnx.load(str(fused)))
        halves.convert_float_to_float16(keep_io_types=True)
        halves.save_model_to_file(str(path))
    options = onnxruntime.SessionOptions()
    if args.device == "cpu":
        options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(path if dtype == torch.float16 else fused), options, providers=[provider])
    if provider not in session.get_providers():  # a library of CUDA that it could not load
        raise ImportError(f"{provider} does not start")
    return (lambda ids: session.run(None, {"input_ids": ids, "attention_mask": numpy.ones_like(ids)})[0],
            onnxruntime.__version__)


MAKERS = {"torch eager": make_eager, "torch.compile": make_compiled, "onnxruntime": make_onnxruntime}


def measure(encode, ids, seconds):
    for _ in range(WARM_UP):
        vectors = encode(ids)
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds:
        begun = time.perf_counter()
        encode(ids)
        times.append(time.perf_counter() - begun)
    rate = len(ids) * len(times) / (time.perf_counter() - start)
    times.sort()
    return vectors, {"titles_per_s": round(rate), "p50_ms": round(times[len(times) // 2] * 1e3, 4),
                     "p99_ms": round(times[len(times) * 99 // 100] * 1e3, 4)}


def make_cases(text):
    """{(titles, tokens): ids and the vectors they must give, which come later}."""
    generator = numpy.random.default_rng(1)
    sizes = [tuple(map(int, case.split("x"))) for case in text.split(",")]
    return {size: generator.integers(1000, 30000, size) for size in sizes}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--cases", required=True, type=make_cases)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--seconds", type=float, default=1, help="of a measurement")
    parser.add_argument("--compile-mode", default="reduce-overhead")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("."), help="keeps what is exported")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        say("skipped: PyTorch sees no GPU")
        sys.exit(SKIP)
    if args.device == "cpu":
        torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    dtype, precision = (torch.float16, "f16") if args.device == "cuda" else (torch.float32, "f32")
    exact = calls(Encoder(args.weights, args.device, torch.float32), args.device)
    wanted = {size: exact(ids) for size, ids in args.cases.items()}
    for name, make in MAKERS.items():
        try:
            encode, version = make(args, dtype)
        except ImportError as missing:
            say(f"left out: {name}: {missing}")
            continue
        for (titles, tokens), ids in args.cases.items():
            vectors, result = measure(encode, ids, args.seconds)
            vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)  # halves' norm is not quite 1
            cosine = float((vectors * wanted[titles, tokens]).sum(1).min())
            if not cosine > LEAST_COSINE:
                sys.exit(f"{name}, {titles} titles of {tokens} tokens: a vector's cosine to float32 is {cosine}")
            print(json.dumps({"what": "encode", "encoder": name, "precision": precision, "titles": titles,
                              "tokens": tokens, **result, "cosine": round(cosine, 6), "version": version}), flush=True)


if __name__ == "__main__":
    main()
