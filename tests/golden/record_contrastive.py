#!/usr/bin/env python3
"""Records what torch makes of the published contrastive recipe on two small cases: contrastive.safetensors, here.

    record_contrastive.py

A case <name> is vectors [texts][dim], rows [steps * batch][3] (text, category, weight; a text's rows name all its
categories), start and after [categories][dim], and losses [steps]: the mean loss of each batch before its step. Without
dropout, in float32 on the CPU, by autograd, torch.optim.Adam and torch.nn.functional.cosine_similarity. "mixed" has
texts of several categories and weights; in "sleepy" one category is without a gradient for 600 steps.
Needs the packages `torch` and `safetensors`; the metadata names the version.
"""
import pathlib

import torch
from safetensors.torch import save_file

MARGIN, RATE = 0.2, 5e-3
HERE = pathlib.Path(__file__).parent


def run_case(vectors, rows, start, batch):
    codes = {}
    for text, category, _ in rows.tolist():
        codes.setdefault(int(text), set()).add(int(category))
    table = torch.nn.Parameter(start.clone())
    adam = torch.optim.Adam([table], lr=RATE)
    losses = []
    for begin in range(0, len(rows), batch):
        terms = []
        for text, category, weight in rows[begin:begin + batch].tolist():
            cosines = torch.nn.functional.cosine_similarity(vectors[int(text)][None], table)
            wrong = [c for c in range(len(table)) if c not in codes[int(text)]]
            terms.append(weight * torch.relu(MARGIN - cosines[int(category)] + cosines[wrong].max()))
        loss = torch.stack(terms).mean()
        losses.append(loss.item())
        adam.zero_grad()
        loss.backward()
        adam.step()
    return table.detach(), torch.tensor(losses)


def unit(n, dim, generator):
    return torch.nn.functional.normalize(torch.randn(n, dim, generator=generator), dim=1)


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(7)
    tensors = {}

    def record(name, vectors, rows, start, batch):
        rows = torch.tensor(rows, dtype=torch.float32)
        after, losses = run_case(vectors, rows, start, batch)
        assert (losses > 0).any()
        tensors.update({f"{name}.{key}": value.contiguous() for key, value in
                        dict(vectors=vectors, rows=rows, start=start, after=after, losses=losses).items()})

    pairs = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 0), (4, 2), (5, 1), (6, 3), (7, 2), (8, 0), (8, 1), (8, 3)]
    weights = [1, 1, 0.5, 1, 1, 1, 2, 1, 1, 0.5, 1, 1]
    order = [i for _ in range(8) for i in torch.randperm(len(pairs), generator=generator).tolist()]
    rows = [(*pairs[i], weights[i]) for i in order]
    record("mixed", unit(9, 8, generator), rows, torch.randn(5, 8, generator=generator), 4)

    # Texts 0 and 1 keep to the first axis and have categories 0 and 1; category 2 looks the other way and has text 2,
    # which comes first, and text 3, which comes last.
    vectors, start = unit(4, 8, generator) * 0.5, torch.randn(3, 8, generator=generator) * 0.3
    vectors[:2, 0] += 1
    vectors[2:, 0] = 0
    start[:2, 0] += 1
    start[2, 0] -= 1
    rows = [(2, 2, 1)] * 20 + [(0, 0, 1), (1, 1, 1)] * 300 + [(3, 2, 1)] * 20
    record("sleepy", torch.nn.functional.normalize(vectors, dim=1), rows, start, 1)
    save_file(tensors, HERE / "contrastive.safetensors", {"torch": torch.__version__})


if __name__ == "__main__":
    main()
