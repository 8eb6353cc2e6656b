#!/usr/bin/env python3
"""Writes made-up postings of the published study's shape, to show scale with: columns, skew of the categories, share of
unclassified rows, HTML bodies. The titles have the category's words among an employer's, and some stand under many
categories. The same arguments give the same bytes; memory is 2 bytes a row.

make_postings.py --rows 50000 --seed 1 --output postings.csv.gz
"""
import argparse
import array
import csv
import datetime
import gzip
import io
import os
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = ["ID", "POSTED", "TITLE_RAW", "BODY", "ONET_NAME", "ONET"]
UNCLASSIFIED = ("99-9999.00", "Unclassified")
UNCLASSIFIED_SHARE = 0.039

# The study's categories: 114 with one row, 149 with 2 to 4, 124 with 5 to 9, 446 with more, of 50,000 rows.
STUDY_ROWS = 50000
STUDY_SMALL = [1] * 114 + [2 + i % 3 for i in range(149)] + [5 + i % 5 for i in range(124)]
STUDY_LARGE = 446
LARGE_SHIFT, LARGE_POWER = 4, 0.9  # rows above 10 of the r-th largest: in proportion to (r + shift) ** -power

GENERIC_SHARE = 0.06  # titles that say little: "Technician"
REPEAT_SHARE = 0.02   # rows that repeat the last of their category, as reposted jobs do
PLAIN_SHARE = 0.3     # titles without anything around the category's words
FIRST_DAY, N_DAYS = datetime.date(2023, 1, 1), 731

LEVELS = """Senior|Sr.|Junior|Lead|Entry Level|Experienced|Part-Time|Full Time|Seasonal|Temp|Travel|Certified
Head""".replace("\n", "|").split("|")
PLACES = """Dallas, TX|Tucson, AZ|Macon, GA|Fargo, ND|Toledo, OH|Bend, OR|Reno, NV|Mobile, AL|Utica, NY|Ames, IA
Provo, UT|Bangor, ME|Akron, OH|Boise, ID|Duluth, MN|Erie, PA|Flint, MI|Laredo, TX|Salem, OR
Waco, TX""".replace("\n", "|").split("|")
SHIFTS = "Nights|Days|2nd Shift|Weekends|PRN|Remote|Hybrid|M-F 8-5|Evenings|On Call".split("|")
CALLS = "URGENT!! |NOW HIRING: |Immediate Start - |$5,000 Sign-On Bonus! ".split("|")
GENERIC = """Manager|Technician|Associate|Specialist|Team Member|Assistant|Analyst|Supervisor|Coordinator
Operator""".replace("\n", "|").split("|")
FIRMS = """Harbor Pine Group|Bluestem Partners|Quarry Lane Inc.|Juniper Street Co.|Maple Hollow LLC
Cedar & Stone""".replace("\n", "|").split("|")

# Sentences of a body; each takes two phrases made of the category's words.
INTROS = ["We are looking for a %s to join our team; you know %s well.", "Are you a %s? We have an opening in %s.",
          "Our growing site needs a %s, and someone who enjoys %s.", "As a %s you will be at home in %s from day one."]
DUTIES = ["Work with colleagues in %s and report to the %s in charge.", "Keep records of %s as every %s here does.",
          "Plan the week&#8217;s %s, and help the next %s at the change of shift.",
          "Follow the rules that hold for %s; a %s never cuts corners.", "Train newcomers in %s until each is a %s.",
          "Look after tools and supplies for %s together with the other %s on shift."]
NEEDS = ["Two years in %s or as a %s.", "Some training in %s; we make you a %s.",
         "References from %s, from a %s if you can.",
         "Reliable, friendly and curious about %s &amp; the daily work of a %s."]
ENDINGS = ["Apply at https://jobs.example/%d.", "E-mail jobs%d@careers.example today!", "Mention job %d when you call.",
           "We are an equal opportunity employer (requisition %d)."]


def split_rows(n_rows, weights):
    """n_rows parted in proportion to the weights: whole numbers, the largest remainders rounded up."""
    total = sum(weights)
    parts = [n_rows * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(n_rows * weights[i] % total), i))
    for i in by_remainder[:n_rows - sum(parts)]:
        parts[i] += 1
    return parts


def study_sizes():
    """Rows of each of the study's 833 categories, the unclassified left out."""
    n_above = STUDY_ROWS - round(STUDY_ROWS * UNCLASSIFIED_SHARE) - sum(STUDY_SMALL) - 10 * STUDY_LARGE
    weights = [round(1e9 * (rank + LARGE_SHIFT) ** -LARGE_POWER) for rank in range(STUDY_LARGE, 0, -1)]
    return STUDY_SMALL + [10 + above for above in split_rows(n_above, weights)]


def singular(word):
    for plural, single in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("men", "man")):
        if word.endswith(plural):
            return word[:-len(plural)] + single
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def stems_of(name):
    """What an employer would call it: "Bakers and Pastry Cooks, Except Fast Food" -> Baker, Pastry Cook."""
    name = re.sub(r",? (Except|All Other|Including)\b.*", "", name)
    pieces = [piece.split() for piece in re.split(r", and |, or |, | and | or |/", name) if piece.strip()]
    last = pieces[-1][-1]
    stems = [piece if piece[-1].endswith(("s", "men")) or piece[-1] == last else piece + [last] for piece in pieces]
    return [" ".join(stem[:-1] + [singular(stem[-1])]) for stem in stems]


class Category:
    """A code with what its postings are made of."""

    def __init__(self, code, name):
        self.code, self.name = code, name
        self.stems = stems_of(name)
        self.words = [word.lower() for word in re.findall(r"[A-Za-z-]{4,}", name)] or [name.lower()]
        self.last = None  # title and body of its last row


def read_categories(path, n_used, rng):
    with open(path, encoding="utf-8", newline="") as file:
        rows = [line.rstrip("\r\n").split("\t") for line in file][1:]
    if not 0 < n_used <= len(rows):
        sys.exit(f"make_postings.py: --categories-used {n_used}: {path} has {len(rows)}")
    return [Category(row[0], row[1]) for row in rng.sample(rows, n_used)]


class Writer:
    """Makes rows; random() is the one source of chance, so that a seed means the same in every Python."""

    def __init__(self, rng, with_body):
        self.random, self.with_body = rng.random, with_body
        self.days = [(FIRST_DAY + datetime.timedelta(days=i)).isoformat() for i in range(N_DAYS)]

    def pick(self, choices):
        return choices[int(self.random() * len(choices))]

    def date(self):
        day = self.pick(self.days)
        if self.random() < 0.8:
            return day
        second = int(self.random() * 86400)
        return f"{day}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"

    def title(self, category):
        if self.random() < GENERIC_SHARE:
            return self.pick(GENERIC)
        title = self.pick(category.stems)
        if self.random() < PLAIN_SHARE:
            return title
        if self.random() < 0.35:
            title = f"{self.pick(LEVELS)} {title}"
        if self.random() < 0.25:
            title += f" - {self.pick(SHIFTS)}" if self.random() < 0.5 else f" ({self.pick(SHIFTS)})"
        if self.random() < 0.3:
            title += f" - {self.pick(PLACES)}"
        if self.random() < 0.15:
            title += f" ${14 + int(self.random() * 40)}/hr"
        if self.random() < 0.12:
            title += f" #R{int(self.random() * 100000):05d}"
        if self.random() < 0.06:
            title = self.pick(CALLS) + title
        return title.upper() if self.random() < 0.08 else title

    def sentence(self, choices, category):
        return self.pick(choices) % (self.pick(category.words), self.pick(category.stems).lower())

    def body(self, category):
        intro = self.pick(INTROS) % (self.pick(category.stems), self.pick(category.words))
        duties = [self.sentence(DUTIES, category) for _ in range(2 + int(self.random() * 4))]
        needs = [self.sentence(NEEDS, category) for _ in range(1 + int(self.random() * 3))]
        ending = self.pick(ENDINGS) % int(self.random() * 100000)
        where = f"{self.pick(FIRMS)}, {self.pick(PLACES)}"
        if self.random() < 0.25:
            return "\n".join([where, intro, *duties, *needs, ending])
        where = where.replace("&", "&amp;")
        return (f'<div class="posting"><p><b>{where}</b></p>\n<p>{intro}</p>\n<ul><li>' + "</li><li>".join(duties) +
                "</li></ul>\n<p>" + "<br>".join(needs) + f"</p>\n<p>{ending}</p></div>")

    def texts(self, category):
        if category.last is None or self.random() >= REPEAT_SHARE:
            category.last = self.title(category), self.body(category) if self.with_body else ""
        return category.last


def write_rows(file, categories, n_rows, rng, with_body):
    n_unclassified = round(n_rows * UNCLASSIFIED_SHARE)
    sizes = study_sizes()
    weights = [sizes[i * len(sizes) // len(categories)] for i in range(len(categories))]
    order = array.array("H")
    for i, n in enumerate(split_rows(n_rows - n_unclassified, weights)):
        order.extend(array.array("H", [i]) * n)
    order.extend(array.array("H", [len(categories)]) * n_unclassified)
    rng.shuffle(order)
    writer, rows = Writer(rng, with_body), csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    for i, place in enumerate(order):
        if place < len(categories):
            category = categories[place]
            code, name = category.code, category.name
        else:
            category = writer.pick(categories)
            code, name = UNCLASSIFIED
        title, body = writer.texts(category)
        rows.writerow((1000001 + i, writer.date(), title, body, name, code))


def open_output(path, is_gzip):
    """Without a name or time in the gzip header: the same rows are the same bytes."""
    raw = open(path, "wb")
    stream = gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) if is_gzip else raw
    return raw, io.TextIOWrapper(io.BufferedWriter(stream, 1 << 20), encoding="utf-8", newline="")


def main():
    parser = argparse.ArgumentParser(description="Writes made-up postings of the published study's shape.")
    parser.add_argument("--rows", type=int, default=STUDY_ROWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", required=True, help="a .csv file, or .csv.gz")
    parser.add_argument("--categories", default=ROOT / "models/onet-30.1/categories.tsv",
                        help="code, tab, name; a header")
    parser.add_argument("--categories-used", type=int, default=833, help="how many of them, drawn by chance")
    parser.add_argument("--no-body", action="store_true", help="leave the bodies empty: a short file")
    args = parser.parse_args()
    if args.rows < 1:
        parser.error("--rows must be 1 or more")
    rng = random.Random(args.seed)
    categories = read_categories(args.categories, args.categories_used, rng)
    partial = f"{args.output}.partial"
    raw, file = open_output(partial, args.output.endswith(".gz"))
    with raw, file:
        write_rows(file, categories, args.rows, rng, not args.no_body)
    os.replace(partial, args.output)


if __name__ == "__main__":
    main()
