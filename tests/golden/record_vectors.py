#!/usr/bin/env python3
"""Records what sentence-transformers makes of texts: vector_texts.jsonl and vectors.safetensors in this folder.

    record_vectors.py --weights DIR

--weights holds the encoder as sentence-transformers loads it. Each line of vector_texts.jsonl is a text and its token
ids; row i of `vectors` [500][384] belongs to line i. One text at a time, in float32 on the CPU, so that no padding takes
part. The texts are made here, from word lists and a seed: every length from 3 to 256 tokens once, the rest short.
Needs the packages `sentence-transformers` and `safetensors`; the metadata of vectors.safetensors names the versions.
"""
import argparse
import hashlib
import json
import pathlib
import random

import numpy
import sentence_transformers
import torch
from safetensors.numpy import save_file

N_TEXTS = 500
MIN_TOKENS, MAX_TOKENS = 3, 256  # with [CLS] and [SEP]
HERE = pathlib.Path(__file__).parent

LEVELS = ["Senior", "Junior", "Lead", "Assistant", "Chief", "Trainee", "Head", "Bilingual", "Part-time", "Night"]
FIELDS = ["Java", "ICU", "Forklift", "Payroll", "Dental", "HVAC", "R&D", "C++", "Café", "Warehouse", "Pediatric", "Tax",
          "Welding", "Marketing", "Database", "Kindergarten", "Oncology", "Diesel", "Grocery", "Network"]
JOBS = ["Developer", "Nurse", "Operator", "Clerk", "Chef", "Engineer II", "Teacher (K-12)", "Technician", "Supervisor",
        "Analyst", "Driver", "Planner", "Mechanic", "Attorney", "Bookkeeper", "Phlebotomist", "Upholsterer"]
TAILS = ["", "", "- Nights", "$25/hr", "#1234", "(m/f/d)", "/ Remote", "w/ sign-on bonus!", "up to 40 h"]
WHO = ["You", "The successful candidate", "Our crew", "This position", "A small team", "Each associate"]
DOES = ["maintains", "prepares", "inspects", "coordinates", "documents", "repairs", "schedules", "teaches", "analyses"]
WHAT = ["customer invoices", "hydraulic presses", "patient charts", "lesson plans", "REST services", "delivery routes",
        "safety audits", "kitchen stock", "network switches", "contracts", "3-phase motors", "crop samples"]
HOW = ["every morning", "under supervision", "with PostgreSQL 15", "for 12 stores", "across three shifts", "in the field",
       "without delay", "using hand tools", "for our clients", "while keeping costs low"]
FILLERS = ["work", "team", "skills", "daily", "office", "and", "safety", "hours", "local", "support"]  # a token each


def title(rng):
    return " ".join(part for part in (rng.choice(LEVELS), rng.choice(FIELDS), rng.choice(JOBS), rng.choice(TAILS)) if part)


def sentence(rng):
    return f"{rng.choice(WHO)} {rng.choice(DOES)} {rng.choice(WHAT)} {rng.choice(HOW)}."


def make_text(rng, n_tokens, count):
    """A title, then sentences, then single words, of exactly n_tokens."""
    text = title(rng) if n_tokens > 12 else rng.choice(JOBS + FIELDS)
    while count(text) > n_tokens:
        text = rng.choice(FILLERS)
    while n_tokens > 40:
        longer = f"{text} {sentence(rng)}"
        if count(longer) > n_tokens:
            break
        text = longer
    while count(text) < n_tokens:
        text = f"{text} {rng.choice(FILLERS)}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True, type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = sentence_transformers.SentenceTransformer(str(args.weights), device="cpu")
    assert model.max_seq_length >= MAX_TOKENS

    def encode_ids(text):
        return model.tokenizer(text, truncation=False)["input_ids"]

    rng = random.Random(20190)
    lengths = list(range(MIN_TOKENS, MAX_TOKENS + 1))
    texts = [make_text(rng, n, lambda text: len(encode_ids(text))) for n in lengths]
    seen = set(texts)
    while len(texts) < N_TEXTS:
        text = title(rng)
        if text not in seen:
            seen.add(text)
            texts.append(text)
    rng.shuffle(texts)

    rows = [model.encode([text], convert_to_numpy=True, normalize_embeddings=True)[0] for text in texts]
    vectors = numpy.stack(rows).astype(numpy.float32)
    assert vectors.shape == (N_TEXTS, 384) and numpy.isfinite(vectors).all()
    with open(HERE / "vector_texts.jsonl", "w", encoding="utf-8") as file:
        for text in texts:
            print(json.dumps({"text": text, "ids": encode_ids(text)}, ensure_ascii=False), file=file)
    weights = hashlib.sha256((args.weights / "model.safetensors").read_bytes()).hexdigest()
    save_file({"vectors": vectors}, HERE / "vectors.safetensors",
              {"sentence_transformers": sentence_transformers.__version__, "torch": torch.__version__, "weights": weights})


if __name__ == "__main__":
    main()
