#!/usr/bin/env python3
"""The 7,612 titles of the public benchmark, in float32 and in the GPU's halves as the CPU emulates them.

JOBCODE_ONET_DIR is an O*NET release, JOBCODE_MODEL a complete bundle. Fails where fewer than 99.5 % of the titles have
the same first category.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SKIP = 77
LEAST = 0.995


def normalise(title):
    return re.sub(r"[^a-z0-9+#&]+", " ", title.lower()).strip()


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def read_titles(folder):
    """Those that employers' postings have (source 10) and no other row, nor an occupation's name."""
    alternates = list(rows(folder / "Alternate Titles.txt"))
    is_test = ["10" in re.split(r"\D+", row[-1]) for row in alternates]
    known = {normalise(row[1]) for row, test in zip(alternates, is_test) if not test}
    known |= {normalise(row[1]) for row in rows(folder / "Occupation Data.txt")}
    return [row[1] for row, test in zip(alternates, is_test) if test and normalise(row[1]) not in known]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--half", required=True)
    args = parser.parse_args()
    onet, model = os.environ.get("JOBCODE_ONET_DIR"), os.environ.get("JOBCODE_MODEL")
    if not onet or not model:
        print("skipped: JOBCODE_ONET_DIR or JOBCODE_MODEL is not set", file=sys.stderr)
        return SKIP
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write("\n".join(read_titles(pathlib.Path(onet))) + "\n")
        file.flush()
        out = subprocess.run([args.half, model, file.name], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(out, end="")
    result = json.loads(out)
    return 0 if result["share"] >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
